// What the workers report of the fleet's store, as the operator is to read it: all of them see the same Redis fail and return, and
// one line says so. Thread safe: workers call it from their own threads, at changes only. Owned by app.
#pragma once

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

    // A worker has a new store, or none: what it told of its former one no longer holds.
    void begins_anew(unsigned worker);
    // Said at once, unless another worker is in the same trouble.
    void worse(unsigned worker, std::string const& what);
    // Said when nobody is in trouble any more, and was not said already.
    void better(unsigned worker, std::string const& what);

private:
    std::mutex guard_;
    std::map<unsigned, std::set<std::string>> troubles_; // of the workers that have any
    std::string last_good_news_;                         // since the last trouble
    sink inform_;
    sink warn_;
};

} // namespace penstock::gateway
