// What the workers report of the fleet's store, as the operator is to read it: all of them see the same Redis fail and return, and
// one line says so. Thread safe: workers call it from their own threads, at changes only. Owned by app.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>

namespace penstock::gateway {

class store_watch {
public:
    using sink = std::function<void(std::string const& line)>;
    store_watch(sink inform, sink warn) : inform_(std::move(inform)), warn_(std::move(warn)) {}

    // Whose store, and which of those that it has had: requests under way keep a former one alive, which still tells of itself.
    struct speaker {
        unsigned worker;
        std::uint64_t store = 0;
    };
    // A worker has a new store, or none: what was told of its former ones no longer holds, and what they tell is not heard.
    speaker begins_anew(unsigned worker);
    // Said at once, unless another worker is in the same trouble.
    void worse(speaker who, std::string const& what);
    // Warned of once, whoever tells it, until there is good news again: it is no state that anybody leaves.
    void remark(speaker who, std::string const& what);
    // Said when nobody is in trouble any more, and was not said already.
    void better(speaker who, std::string const& what);

private:
    [[nodiscard]] bool is_former(speaker who) const;

    std::mutex guard_;
    std::map<unsigned, std::uint64_t> stores_;           // of each worker the present one, if not its first
    std::map<unsigned, std::set<std::string>> troubles_; // of the workers that have any
    std::string last_good_news_;                         // since the last trouble
    std::string last_remark_;                            // since the last good news
    sink inform_;
    sink warn_;
};

} // namespace penstock::gateway
