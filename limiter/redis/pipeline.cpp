#include "limiter/redis/pipeline.hpp"

#include <algorithm>

namespace penstock::limiter::redis {

void pipeline::push(check const& item)
{
    if (pending_.full()) pending_.set_capacity(2 * pending_.capacity());
    pending_.push_back(item);
    if (item.how == calling::by_text) text_under_way_ = true;
}

pipeline::taken pipeline::take(reply const& with) noexcept
{
    if (pending_.empty()) return {step::unasked, {}};
    auto item = pending_.front();
    pending_.pop_front();
    if (item.how == calling::by_text) text_under_way_ = false;
    if (!item.who) return {step::late, item};
    if (is_noscript(with) && !item.sent_again) {
        item.sent_again = true;
        item.how = text_under_way_ ? calling::by_digest : calling::by_text;
        return {step::send_again, item};
    }
    item.who->answer(decode_verdict(with, item.asked.size()));
    return {step::answered, item};
}

std::vector<waiter*> pipeline::expire(base::instant now)
{
    std::vector<waiter*> given_up;
    for (auto& item : pending_) {
        if (!item.who || item.deadline > now) continue;
        item.who->answer(errc::timed_out);
        given_up.push_back(std::exchange(item.who, nullptr));
    }
    return given_up;
}

std::vector<waiter*> pipeline::fail_all(errc why)
{
    std::vector<waiter*> failed;
    for (auto const& item : pending_) {
        if (!item.who) continue;
        item.who->answer(why);
        failed.push_back(item.who);
    }
    pending_.clear();
    text_under_way_ = false;
    return failed;
}

std::optional<base::instant> pipeline::next_deadline() const noexcept
{
    std::optional<base::instant> next;
    for (auto const& item : pending_)
        if (item.who && (!next || item.deadline < *next)) next = item.deadline;
    return next;
}

std::optional<base::instant> pipeline::oldest_deadline() const noexcept
{
    if (pending_.empty()) return std::nullopt;
    return pending_.front().deadline;
}

} // namespace penstock::limiter::redis
