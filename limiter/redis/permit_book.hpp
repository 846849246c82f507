// The concurrency permits that one worker holds in Redis: how many of each key, and what Redis must be told and when, so that
// they stay held while their requests live and not for longer. Redis knows the worker by the holder number of its present
// connection; what nobody renews lapses there by itself (permit_lapse). Knows no connection and no clock; called by
// permit_keeper. Pure.
#pragma once

#include "limiter/redis/codec.hpp"
#include "limiter/redis/permits.hpp"

#include <deque>
#include <list>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace penstock::limiter::redis {

class permit_book {
public:
    // Three in a lapse: one may be lost, and the next still comes in time.
    static constexpr base::micros renewal_interval{1'500'000};

    // Something to tell Redis: one call of lua/acquire.lua.
    struct notice {
        permits what;               // `count` is given back; 0: only renewed
        holding holder;             // `held` is 0 where permits are given back: so these calls may change places
        base::instant owed_since{}; // since when nobody has held more of what is given back, at the latest
    };

    // A connection has been made. Everything that requests hold is announced under the new number, then what Redis may still
    // count under the old one is given back, so that nobody waits for it to lapse.
    void begin(std::int64_t holder, base::instant now);
    // Redis is told nothing until the next begin(): there is no connection, or nobody may ask over it. What is granted meanwhile
    // without Redis is nobody's to be told of yet.
    void end() noexcept { told_ = false; }

    // As the script is to be told of the key.
    [[nodiscard]] holding holding_of(std::string_view key) const noexcept;

    [[nodiscard]] bool holds(std::string_view key) const noexcept;
    // Whether there is nothing held and nothing left to tell.
    [[nodiscard]] bool empty() const noexcept { return entries_.empty() && of_former_holder_.empty(); }

    // Granted to a request that lives.
    void take(permits const& granted, base::instant now);
    // Granted to a request that lives, by another store in place of this one.
    void hold(permits const& granted, base::instant now);
    // Their request is done.
    void give_back(permits const& taken);
    // Granted, perhaps, to a request that had been given up.
    void owe(permits const& granted, base::instant now);

    // What to tell now, if anything; it counts as told.
    std::optional<notice> next(base::instant now);
    // Redis has not done what it was told. Permits that nobody has held for so long that they have lapsed are owed no longer.
    void failed(notice const& told, base::instant now);
    // When to ask next() again.
    [[nodiscard]] std::optional<base::instant> next_due() const noexcept;

private:
    struct entry {
        partition::partition_key key;
        std::int64_t limit;
        std::int64_t held = 0;                                  // by requests that live
        std::int64_t owed = 0;                                  // by nobody; to be given back
        std::optional<base::instant> owed_since = std::nullopt; // if Redis has been told of all that is owed, in vain
        bool listed = false;                                    // in owing_
        bool known = true;                                      // Redis may have been told of it
        base::instant due;                                      // to be renewed
    };
    using place = std::list<entry>::iterator;

    place find_or_add(permits const& about, base::instant now);
    void list(place at);
    notice tell_owed(place at, base::instant now);

    std::int64_t holder_ = 0;
    bool told_ = false;        // of everything: between begin() and end()
    std::list<entry> entries_; // what is due first stands first
    std::deque<place> owing_;  // to be told at once
    std::unordered_map<std::string_view, place> by_key_;
    std::deque<notice> of_former_holder_;
};

} // namespace penstock::limiter::redis
