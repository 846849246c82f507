#include "gateway/demo.hpp"

#include "conf/load.hpp"
#include "gateway/app.hpp"
#include "gateway/small_http_server.hpp"

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <iostream>
#include <thread>

namespace penstock::gateway {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace {

asio::awaitable<small_http_server::response> greet(small_http_server::request const& asked)
{
    small_http_server::response made;
    made.result(http::status::ok);
    made.set(http::field::content_type, "application/json");
    made.body() = nlohmann::json{{"hello", "from the demo's app"}, {"path", std::string(asked.target())}}.dump() + "\n";
    co_return made;
}

std::string configuration(std::string const& listen, std::string const& admin, std::uint16_t app_port)
{
    return "listeners: [{ address: '" + listen + "' }]\nadmin: { address: '" + admin +
           "' }\nupstreams: { app: { servers: ['127.0.0.1:" + std::to_string(app_port) + "'] } }\n" +
           R"(auth: { api_keys: { from: [header X-API-Key] } }
limits:
  per-address: { key: client.ip, fixed_window: { limit: 5, window: 10s } }
  per-key: { key: api_key, token_bucket: { capacity: 10, refill: 1/second } }
  ceiling: { key: client.ip, fixed_window: { limit: 100, window: 10s }, advertise: false }
routes:
  - { name: unlimited, match: { path: /unlimited/** }, upstream: app, limits: none }
  - { name: api, match: { path: /api/** }, upstream: app, limits: [ceiling, { first_of: [per-key, per-address] }] }
  - { name: everything-else, upstream: app, limits: [per-address] }
access_log: off
)";
}

void print_hints(std::string const& listen, std::string const& admin)
{
    auto const port = listen.substr(listen.rfind(':') + 1);
    std::cout << "\nPenstock demo: http://127.0.0.1:" << port << ", limits in memory, an app behind it.\n\n"
              << "  5 requests in 10 seconds for each address; the sixth is refused:\n"
              << "    for i in 1 2 3 4 5 6; do curl -i http://127.0.0.1:" << port << "/api/hello; done\n\n"
              << "  with an API key, a bucket of 10 that refills by one each second:\n"
              << "    curl -i -H 'X-API-Key: mine' http://127.0.0.1:" << port << "/api/hello\n\n"
              << "  no limit, for a load generator:\n"
              << "    wrk -c 64 -d 5 http://127.0.0.1:" << port << "/unlimited/hello\n\n"
              << "  what it counted:\n"
              << "    curl http://" << admin << "/metrics\n\n"
              << "Ctrl-C ends it.\n"
              << std::endl;
}

} // namespace

exit_status run_demo(std::string const& listen, std::string const& admin)
{
    asio::io_context app_loop(1);
    small_http_server app_server(app_loop, greet);
    if (auto const ready = app_server.listen({asio::ip::address_v4::loopback(), 0}); !ready) {
        spdlog::error("the demo's app cannot listen: {}", ready.error().message());
        return exit_status::refused;
    }
    auto const text = configuration(listen, admin, app_server.endpoint().port());
    auto const load = [text] { return conf::load_text(text, "demo", ".", conf::process_environment); };
    auto const loaded = load();
    for (auto const& problem : loaded.problems) spdlog::error("{}", problem.to_string()); // of --listen or --admin
    if (!loaded.snapshot) return exit_status::refused;

    std::thread app_thread([&app_loop] { app_loop.run(); });
    app gateway(loaded.snapshot, load);
    auto const status = gateway.run([&] { print_hints(listen, admin); });
    app_loop.stop();
    app_thread.join();
    return status;
}

} // namespace penstock::gateway
