#include "limiter/redis/permit_book.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace penstock::limiter::redis {
namespace {

constexpr std::int64_t all_of_them = exact_bound - 1;

} // namespace

std::vector<permits_asked> permits_asked_by(std::span<claim const> asked)
{
    std::vector<permits_asked> found;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const* limit = std::get_if<concurrency>(&asked[i].algorithm());
        if (limit && asked[i].cost > 0) found.push_back({i, {asked[i].key, limit->limit, asked[i].cost}});
    }
    return found;
}

void permit_book::begin(std::int64_t holder, base::instant now)
{
    of_former_holder_.clear(); // of the one before: nearly lapsed, and its connection was no good
    owing_.clear();
    for (auto at = entries_.begin(); at != entries_.end();) {
        if (std::exchange(at->known, true)) of_former_holder_.push_back({{at->key, at->limit, all_of_them}, {holder_, 0}});
        at->owed = 0;
        at->owed_since.reset();
        at->listed = false;
        at->due = now;
        if (at->held > 0) {
            ++at;
            continue;
        }
        by_key_.erase(at->key.view());
        at = entries_.erase(at);
    }
    holder_ = holder;
    told_ = true;
}

holding permit_book::holding_of(std::string_view key) const noexcept
{
    auto const found = by_key_.find(key);
    if (found == by_key_.end()) return {holder_, 0};
    auto const& known = *found->second;
    return {holder_, known.held + known.owed};
}

bool permit_book::holds(std::string_view key) const noexcept
{
    auto const found = by_key_.find(key);
    return found != by_key_.end() && found->second->held > 0;
}

void permit_book::take(permits const& granted, base::instant now)
{
    auto const at = find_or_add(granted, now);
    at->held += granted.count;
    at->limit = granted.limit;
    at->known = true;
}

void permit_book::hold(permits const& granted, base::instant now)
{
    auto const at = find_or_add(granted, now);
    if (at->held == 0 && at->owed == 0) at->known = told_;
    at->held += granted.count;
    at->limit = granted.limit;
}

void permit_book::give_back(permits const& taken)
{
    auto const found = by_key_.find(taken.key.view());
    if (found == by_key_.end()) return;
    auto const at = found->second;
    auto const count = std::min(taken.count, at->held);
    at->held -= count;
    if (!at->known) { // nobody to tell, and nothing to keep: an outage may see any number of keys
        if (at->held > 0) return;
        by_key_.erase(found);
        entries_.erase(at);
        return;
    }
    at->owed += count;
    at->owed_since.reset();
    list(at);
}

void permit_book::owe(permits const& granted, base::instant now)
{
    auto const at = find_or_add(granted, now);
    at->owed += granted.count;
    at->owed_since.reset();
    at->known = true;
    list(at);
}

std::optional<permit_book::notice> permit_book::next(base::instant now)
{
    if (!owing_.empty()) {
        auto const at = owing_.front();
        owing_.pop_front();
        at->listed = false;
        return tell_owed(at, now);
    }
    if (!entries_.empty() && entries_.front().due <= now) {
        auto const at = entries_.begin();
        if (at->owed > 0) return tell_owed(at, now); // had failed
        at->due = now + renewal_interval;
        entries_.splice(entries_.end(), entries_, at);
        return notice{{at->key, at->limit, 0}, {holder_, at->held}};
    }
    if (of_former_holder_.empty()) return std::nullopt;
    auto const told = of_former_holder_.front();
    of_former_holder_.pop_front();
    return told;
}

void permit_book::failed(notice const& told, base::instant now)
{
    if (told.holder.holder != holder_ || told.what.count == 0) return;
    // Where others of the key are held, renewing them renews these, too.
    if (now - told.owed_since >= permit_lapse && !holds(told.what.key.view())) return;
    auto const at = find_or_add(told.what, now);
    if (at->owed == 0) at->owed_since = told.owed_since;
    at->owed += told.what.count; // and again when it is due, not at once
    at->due = now + renewal_interval;
    entries_.splice(entries_.end(), entries_, at);
}

std::optional<base::instant> permit_book::next_due() const noexcept
{
    if (!owing_.empty() || !of_former_holder_.empty()) return base::instant::min();
    if (entries_.empty()) return std::nullopt;
    return entries_.front().due;
}

permit_book::place permit_book::find_or_add(permits const& about, base::instant now)
{
    if (auto const found = by_key_.find(about.key.view()); found != by_key_.end()) return found->second;
    entries_.push_back({.key = about.key, .limit = about.limit, .due = now + renewal_interval});
    auto const added = std::prev(entries_.end());
    by_key_.emplace(added->key.view(), added);
    return added;
}

void permit_book::list(place at)
{
    if (std::exchange(at->listed, true)) return;
    owing_.push_back(at);
}

permit_book::notice permit_book::tell_owed(place at, base::instant now)
{
    auto const since = std::exchange(at->owed_since, std::nullopt).value_or(now);
    notice const told{{at->key, at->limit, std::exchange(at->owed, 0)}, {holder_, 0}, since};
    if (at->held == 0) {
        by_key_.erase(at->key.view());
        entries_.erase(at);
    }
    return told;
}

} // namespace penstock::limiter::redis
