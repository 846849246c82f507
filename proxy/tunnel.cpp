#include "proxy/tunnel.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>

namespace penstock::proxy {
namespace asio = boost::asio;
namespace {

struct shared_state {
    base::instant last_byte = base::clock::now();
    base::micros idle;
};

// One direction, until its end; false if the tunnel is broken and the other direction is pointless.
asio::awaitable<bool> pump(tunnel_end from, stream& to, shared_state& both, std::uint64_t& bytes)
{
    for (;;) {
        if (!from.received.empty()) {
            gather out;
            out.add(from.received.unread());
            bytes += from.received.unread().size();
            if (co_await to.write_all(out, both.idle)) co_return false;
        }
        from.received.clear();
        auto const n = co_await from.link.read_some(from.received.room(), both.idle);
        if (!n && n.error() == asio::error::timed_out && base::clock::now() < both.last_byte + both.idle) continue;
        if (!n) co_return false;
        if (*n == 0) break;
        both.last_byte = base::clock::now();
        from.received.commit(*n);
    }
    to.shutdown_write();
    co_return true;
}

} // namespace

asio::awaitable<tunnel_traffic> run_tunnel(tunnel_end client, tunnel_end upstream, base::micros idle)
{
    shared_state both{.idle = idle};
    tunnel_traffic traffic;
    auto const executor = client.link.events().worker().get_executor();
    asio::steady_timer upload_over(executor, asio::steady_timer::time_point::max());
    bool uploading = true;
    auto const ended = [&](std::exception_ptr thrown, bool orderly) {
        uploading = false;
        if (thrown || !orderly) upstream.link.cancel();
        upload_over.cancel();
    };
    asio::co_spawn(executor, pump(client, upstream.link, both, traffic.bytes_from_client), ended);

    auto const orderly = co_await pump(upstream, client.link, both, traffic.bytes_from_upstream);
    if (!orderly) client.link.cancel();
    while (uploading) {
        auto const [ignored] = co_await upload_over.async_wait(asio::as_tuple(asio::use_awaitable));
        static_cast<void>(ignored); // it is only ever cancelled
    }
    co_return traffic;
}

} // namespace penstock::proxy
