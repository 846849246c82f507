// The admin interface (design.md section 8): liveness, readiness, metrics, reload. Its own listener, loopback unless
// configured otherwise; never on the path of a request. I/O; runs on the main thread.
#pragma once

#include "conf/settings.hpp"
#include "gateway/metrics.hpp"
#include "gateway/small_http_server.hpp"

#include <functional>
#include <string>
#include <vector>

namespace penstock::gateway {

struct readiness {
    bool ready = true;
    std::vector<std::string> reasons; // why not, or why only degraded
};

// What the admin interface may ask of the app.
struct admin_calls {
    std::function<boost::asio::awaitable<readiness>()> judge;
    std::function<boost::asio::awaitable<std::string>(exposition_format)> metrics;
    std::function<std::vector<std::string>()> reload; // the problems; empty: done
};

class admin {
public:
    admin(boost::asio::io_context& loop, conf::admin_settings settings, admin_calls calls);

    base::result<void> start();
    [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return server_.endpoint(); }
    void stop() { server_.stop(); }

private:
    using request = small_http_server::request;
    using response = small_http_server::response;
    boost::asio::awaitable<response> answer(request const& asked);
    response reload(request const& asked);
    [[nodiscard]] bool is_authorised(request const& asked) const;

    conf::admin_settings settings_;
    admin_calls calls_;
    small_http_server server_;
};

} // namespace penstock::gateway
