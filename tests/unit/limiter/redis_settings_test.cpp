#include "limiter/redis/redis_settings.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <vector>

namespace penstock::limiter {

TEST_CASE("other terms are no other line; address, login, TLS, database and prefix are")
{
    using namespace std::chrono_literals;
    struct row {
        char const* name;
        bool same;
        std::function<void(redis_settings&)> changed;
    };
    for (auto const& each : std::vector<row>{
             {"nothing", true, [](auto&) {}},
             {"check_timeout", true, [](auto& it) { it.check_timeout = 7ms; }},
             {"connect_timeout", true, [](auto& it) { it.connect_timeout = 7ms; }},
             {"max_pending", true, [](auto& it) { it.max_pending = 7; }},
             {"breaker", true, [](auto& it) { it.breaker = {.failures = 7, .open_for = 7ms, .open_for_max = 7ms}; }},
             {"host", false, [](auto& it) { it.host = "other"; }},
             {"port", false, [](auto& it) { it.port = 7; }},
             {"path", false, [](auto& it) { it.unix_path = "/x"; }},
             {"user", false, [](auto& it) { it.user = "other"; }},
             {"password", false, [](auto& it) { it.password = "other"; }},
             {"database", false, [](auto& it) { it.database = 7; }},
             {"tls", false, [](auto& it) { it.tls.emplace(); }},
             {"sentinels", false, [](auto& it) { it.sentinels.emplace(); }},
             {"nodes of a cluster", false, [](auto& it) { it.cluster_seeds.emplace_back(); }},
             {"prefix", false, [](auto& it) { it.probe_key = "x:{penstock-probe}"; }},
         }) {
        CAPTURE(each.name);
        redis_settings const before;
        auto after = before;
        each.changed(after);
        CHECK(is_same_line(before, after) == each.same);
        auto adopted = before;
        adopted.adopt(after);
        CHECK((adopted == after) == each.same);
    }
}

} // namespace penstock::limiter
