// From a head to the ruling of limits in this process no memory is asked for: counted by an operator new of this program's own.
#include "conf/load.hpp"
#include "gateway/api_key_check.hpp"
#include "gateway/extract.hpp"
#include "gateway/limit_fields.hpp"
#include "limiter/acquire.hpp"
#include "limiter/classify.hpp"
#include "limiter/memory_store.hpp"
#include "proxy/head_parser.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>

namespace {

std::atomic<std::size_t> allocations{0};

void* allocate(std::size_t size)
{
    ++allocations;
    if (auto* const block = std::malloc(size == 0 ? 1 : size)) return block;
    throw std::bad_alloc();
}

} // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }

namespace {

using namespace penstock;

// What a worker keeps from request to request.
struct workplace {
    explicit workplace(std::string const& configuration)
    {
        auto loaded = conf::load_text(configuration, "test", ".", [](std::string const&) { return std::nullopt; });
        for (auto const& problem : loaded.problems) MESSAGE(problem.to_string());
        snapshot = loaded.snapshot;
        REQUIRE(snapshot != nullptr);
    }

    limiter::admission_ruling::kind serve(std::string_view head, base::instant now)
    {
        REQUIRE(proxy::parse_request_head(head, request) == proxy::head_problem::none);
        auto const peer = base::ip_address::parse("203.0.113.9");
        auto seen = gateway::extract(request, {.address = peer}, snapshot->settings, {path, host});
        auto const* route = snapshot->routes.match(seen.facts, captures);
        seen.facts.route = route->name;
        seen.facts.captures = captures;
        gateway::check_api_key(seen.facts, snapshot->settings.api_keys, api_key).describe_in(seen.facts);
        limiter::classify(snapshot->plans[route->id.value()], seen.facts, snapshot->keys, 0, asked);
        gate = limiter::acquire_in_memory(memory, asked.claims, now);
        limits = gateway::report_limits(gate, 0, 0);
        return gate.verdict;
    }

    conf::snapshot_ptr snapshot;
    proxy::request_head request;
    std::string path;
    std::string host;
    std::string api_key;
    proxy::path_captures captures;
    limiter::classified asked;
    limiter::memory_store memory{{.max_keys = 1000}};
    limiter::admission_ruling gate;
    gateway::limit_report limits;
};

constexpr auto configuration = R"(
listeners: [{ address: 127.0.0.1:8080 }]
upstreams: { app: { servers: [127.0.0.1:3000] } }
auth:
  api_keys:
    from: [header X-API-Key, authorization ApiKey]
    known: [{ name: a, sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae, attributes: { plan: gold } }]
limits:
  addresses:
    key: client.ip
    token_bucket: { capacity: 3, refill: 1/hour }
    exempt: { addresses: [10.0.0.0/8] }
  networks: { key: [client.network/24, route], fixed_window: { limit: 5, window: 1h } }
  keys: { key: api_key, sliding_window: { limit: 9, window: 30s, segments: 3 } }
  plans: { key: api_key.plan, sliding_window_counter: { limit: 9, window: 30s } }
  users: { key: path.id, concurrency: { limit: 100 } }
routes:
  - { match: { path: "/users/{id}" }, upstream: app, before_auth: [addresses], limits: [networks, keys, plans, users] }
)";

} // namespace

TEST_CASE("no memory is asked for on the way from a head to its ruling")
{
    workplace here(configuration);
    struct row {
        std::string_view name;
        std::string_view head;
    };
    auto const row_of = [](std::string_view name, std::string_view head) { return row{name, head}; };
    for (auto const& r : {
             row_of("an address", "GET /users/7?x=1 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: test\r\n\r\n"),
             row_of("a known key", "GET /users/7 HTTP/1.1\r\nHost: shop.example\r\nX-API-Key: foo\r\n\r\n"),
             row_of("a key in Authorization",
                    "GET /users/7 HTTP/1.1\r\nHost: shop.example\r\nAuthorization: ApiKey foo\r\n\r\n"),
         }) {
        CAPTURE(r.name);
        auto now = base::at_epoch_us(1'700'000'000'000'000);
        here.serve(r.head, now); // strings and tables take their size
        auto admitted = 0;
        auto const before = allocations.load();
        for (int i = 0; i < 10; ++i) {
            now += base::micros{1000};
            if (here.serve(r.head, now) == limiter::admission_ruling::kind::admitted) ++admitted;
        }
        auto const after = allocations.load();
        CHECK(after == before);
        CHECK(admitted < 10); // refusals, too, were among them
    }
}

TEST_CASE("the counter of this program counts")
{
    auto const before = allocations.load();
    auto const text = std::make_unique<std::string>(100, 'x');
    CHECK(allocations.load() - before == 2);
    CHECK(text->size() == 100);
}
