#include "limiter/redis/pipeline.hpp"

#include "limiter/redis/codec.hpp"
#include "limiter/redis/error_reply.hpp"

#include <algorithm>

namespace penstock::limiter::redis {

void pipeline::push(item next)
{
    if (pending_.full()) pending_.set_capacity(2 * pending_.capacity());
    if (next.how == calling::by_text) texts_under_way_.push_back(&next.which());
    if (next.call) ++calls_;
    pending_.push_back(std::move(next));
}

pipeline::taken pipeline::take(reply const& with) noexcept
{
    if (pending_.empty()) return {step::unasked, {}};
    auto oldest = std::move(pending_.front());
    pending_.pop_front();
    if (oldest.call) --calls_;
    if (oldest.how == calling::by_text) texts_under_way_.erase(std::ranges::find(texts_under_way_, &oldest.which()));
    if (!oldest.who && !oldest.call) return {step::late, std::move(oldest)};
    if (is_noscript(with) && !oldest.sent_again) {
        auto const loading = std::ranges::find(texts_under_way_, &oldest.which()) != texts_under_way_.end();
        oldest.sent_again = true;
        oldest.how = loading ? calling::by_digest : calling::by_text;
        return {step::send_again, std::move(oldest)};
    }
    if (oldest.call) return {step::done, std::move(oldest)};
    oldest.who->answer(decode_verdict(with, oldest.asked.size()));
    return {step::answered, std::move(oldest)};
}

std::vector<permits> pipeline::granted_late(item const& late, reply const& with)
{
    std::vector<permits> granted;
    if (late.left.empty()) return granted;
    auto const answer = decode_verdict(with, late.asked.size()); // the size, not the claims, which are gone
    if (!answer || !answer->allowed) return granted;
    for (auto const& asked : late.left)
        if (answer->decisions[asked.place].allowed) granted.push_back(asked.what);
    return granted;
}

std::vector<waiter*> pipeline::expire(base::instant now)
{
    std::vector<waiter*> given_up;
    for (auto& each : pending_) {
        if (!each.who || each.deadline > now) continue;
        each.left = permits_asked_by(each.asked);
        each.who->answer(errc::timed_out);
        given_up.push_back(std::exchange(each.who, nullptr));
    }
    return given_up;
}

pipeline::ended pipeline::fail_all(errc why)
{
    ended failed;
    for (auto& each : pending_) {
        if (each.call) failed.calls.push_back(std::move(each.call));
        if (each.who) each.left = permits_asked_by(each.asked);
        for (auto const& asked : each.left) failed.in_doubt.push_back(asked.what);
        if (!each.who) continue;
        each.who->answer(why);
        failed.waiters.push_back(each.who);
    }
    pending_.clear();
    calls_ = 0;
    texts_under_way_.clear();
    return failed;
}

std::optional<base::instant> pipeline::next_deadline() const noexcept
{
    std::optional<base::instant> next;
    for (auto const& each : pending_)
        if (each.who && (!next || each.deadline < *next)) next = each.deadline;
    return next;
}

std::optional<base::instant> pipeline::oldest_deadline() const noexcept
{
    if (pending_.empty()) return std::nullopt;
    return pending_.front().deadline;
}

} // namespace penstock::limiter::redis
