// What the workers report of the fleet's store, as the operator is to read it: all of them see the same Redis fail and return, and
// one line says so, whatever words each has for it. Thread safe: workers call it from their own threads, at changes only. Owned by
// app.
#pragma once

#include "limiter/redis/node_state.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace penstock::gateway {

class store_watch {
public:
    using notice = limiter::redis::notice;
    using sink = std::function<void(std::string const& line)>;
    store_watch(sink inform, sink warn) : inform_(std::move(inform)), warn_(std::move(warn)) {}

    // Whose store, and which of those that it has had: requests under way keep a former one alive, which still tells of itself.
    struct speaker {
        unsigned worker;
        std::uint64_t store = 0;
    };
    // A worker has a new store, or none: what was told of its former ones no longer holds, and what they tell is not heard.
    speaker begins_anew(unsigned worker);
    // Said at once, unless another worker is in the same trouble: of the same kind, with the same node.
    void worse(speaker who, notice const& what);
    // Warned of once, whoever tells it, until there is good news again: it is no state that anybody leaves.
    void remark(speaker who, notice const& what);
    // Of its node, or, if it names none, of all that the worker was in trouble with. Said when nobody is in trouble with it any
    // more, and was not said already. True: others are still in some trouble, and would like to know.
    bool better(speaker who, notice const& what);

    // Troubles of one worker, and remarks, that are told apart; more are not said.
    static constexpr std::size_t most_known = 512;

private:
    using subject = std::pair<std::string, std::string>; // node and kind
    [[nodiscard]] bool is_former(speaker who) const;

    std::mutex guard_;
    std::uint64_t newest_ = 0;                       // of the stores
    std::map<unsigned, std::uint64_t> stores_;       // of each worker the present one, if not its first
    std::map<unsigned, std::set<subject>> troubles_; // of the workers that have any
    std::set<subject> remarked_;                     // since the last good news of the same
    std::string last_good_news_;                     // since the last trouble
    sink inform_;
    sink warn_;
};

} // namespace penstock::gateway
