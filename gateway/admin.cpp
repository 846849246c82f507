#include "gateway/admin.hpp"

#include <boost/asio/ip/address.hpp>
#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <spdlog/spdlog.h>

namespace penstock::gateway {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using nlohmann::json;
namespace {

small_http_server::response make(http::status status, std::string body, std::string_view media_type)
{
    small_http_server::response made;
    made.result(status);
    made.set(http::field::content_type, {media_type.data(), media_type.size()});
    made.set(http::field::cache_control, "no-store");
    made.body() = std::move(body);
    return made;
}

small_http_server::response make_json(http::status status, json const& body)
{
    return make(status, body.dump() + "\n", "application/json");
}

small_http_server::response problem(http::status status, std::string const& detail)
{
    json const body{{"type", "about:blank"},
                    {"title", std::string(http::obsolete_reason(status))},
                    {"status", static_cast<unsigned>(status)},
                    {"detail", detail}};
    return make(status, body.dump() + "\n", "application/problem+json");
}

small_http_server::response tell(readiness const& state)
{
    auto const* const word = !state.ready ? "not ready" : state.reasons.empty() ? "ready" : "degraded";
    return make_json(state.ready ? http::status::ok : http::status::service_unavailable,
                     {{"status", word}, {"reasons", state.reasons}});
}

} // namespace

admin::admin(asio::io_context& loop, conf::admin_settings settings, admin_calls calls)
    : settings_(std::move(settings)),
      calls_(std::move(calls)),
      server_(loop, [this](request const& asked) { return answer(asked); })
{}

base::result<void> admin::start()
{
    base::error_code ec;
    auto const address = asio::ip::make_address(settings_.address.host, ec);
    if (ec) return ec;
    return server_.listen({address, settings_.address.port});
}

bool admin::is_authorised(request const& asked) const
{
    if (settings_.token.empty()) return false;
    auto const wanted = "Bearer " + settings_.token;
    auto const given = std::string(asked[http::field::authorization]);
    // In constant time for a given length; the length of the token is no secret.
    return given.size() == wanted.size() && CRYPTO_memcmp(given.data(), wanted.data(), wanted.size()) == 0;
}

admin::response admin::reload(request const& asked)
{
    if (settings_.token.empty())
        return problem(http::status::forbidden,
                       "Changes need admin.token in the configuration; without it this interface only reads.");
    if (!is_authorised(asked)) {
        spdlog::warn("audit: reload refused: wrong or no token");
        auto refused = problem(http::status::unauthorized, "Changes need Authorization: Bearer TOKEN.");
        refused.set(http::field::www_authenticate, "Bearer realm=\"penstock admin\"");
        return refused;
    }
    spdlog::info("audit: reload by the admin interface");
    auto const problems = calls_.reload();
    return make_json(problems.empty() ? http::status::ok : http::status::unprocessable_entity,
                     {{"reloaded", problems.empty()}, {"problems", problems}});
}

asio::awaitable<admin::response> admin::answer(request const& asked)
{
    auto const target = std::string(asked.target());
    auto const path = target.substr(0, target.find('?'));
    if (path == "/reload")
        co_return asked.method() == http::verb::post ? reload(asked)
                                                     : problem(http::status::method_not_allowed, "Reload is a POST.");
    if (asked.method() != http::verb::get && asked.method() != http::verb::head)
        co_return problem(http::status::method_not_allowed, "This path is read with GET.");
    if (path == "/livez") co_return make_json(http::status::ok, {{"status", "alive"}});
    if (path == "/readyz" || path == "/healthz") co_return tell(co_await calls_.judge());
    if (path == "/metrics") {
        auto const format = negotiate_format(std::string(asked[http::field::accept]));
        co_return make(http::status::ok, co_await calls_.metrics(format), media_type_of(format));
    }
    co_return problem(http::status::not_found, "Known paths: /livez, /readyz, /metrics, /reload.");
}

} // namespace penstock::gateway
