#include "limiter/redis/connection.hpp"

#include "limiter/error.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace penstock::limiter::redis {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// A peer that has gone without a word is noticed by what it owes an answer to; a connection that nobody asks anything notices
// within half a minute by these.
void watch_for_silence(int socket) noexcept
{
    struct option {
        int level;
        int name;
        int value;
    };
    for (auto const& each : {option{SOL_SOCKET, SO_KEEPALIVE, 1}, option{IPPROTO_TCP, TCP_KEEPIDLE, 15},
                             option{IPPROTO_TCP, TCP_KEEPINTVL, 5}, option{IPPROTO_TCP, TCP_KEEPCNT, 3},
                             option{IPPROTO_TCP, TCP_USER_TIMEOUT, 15'000}, option{IPPROTO_TCP, TCP_NODELAY, 1}}) {
        // A connection without them still works: an error changes nothing.
        static_cast<void>(::setsockopt(socket, each.level, each.name, &each.value, sizeof each.value));
    }
}

bool is_of_tls(base::error_code why) noexcept { return why.category() == asio::error::get_ssl_category(); }

} // namespace

void connection::open(redis_address const& target, std::optional<tls_terms> const& tls)
{
    if (tls) {
        tls_.emplace(socket_, *tls->context);
        expect_server(tls_->native_handle(), tls->server_name);
    }
    // Look-ups wait for one another, an address for a name that nobody answers for: the resolver has one thread.
    base::error_code is_name;
    auto const literal = asio::ip::make_address(target.host, is_name);
    if (!is_name) return connect({tcp::endpoint(literal, target.port)});
    resolver_.async_resolve(target.host, std::to_string(target.port),
                            [self = shared_from_this()](base::error_code failed, tcp::resolver::results_type const& found) {
                                if (failed) return self->broken(failed);
                                if (!self->listener_) return;
                                endpoints to;
                                for (auto const& one : found) to.emplace_back(one.endpoint());
                                self->connect(to);
                            });
}

void connection::open_unix(std::string const& path) { connect({asio::local::stream_protocol::endpoint(path)}); }

void connection::connect(endpoints const& to)
{
    asio::async_connect(socket_, to, [self = shared_from_this()](base::error_code failed, auto const& endpoint) {
        if (failed) return self->broken(failed);
        if (!self->listener_) return;
        if (endpoint.protocol().family() != AF_UNIX) watch_for_silence(self->socket_.native_handle());
        if (self->tls_) return self->shake_hands();
        self->read();
        self->listener_->on_connected();
    });
}

void connection::shake_hands()
{
    tls_->async_handshake(asio::ssl::stream_base::client, [self = shared_from_this()](base::error_code failed) {
        if (!self->listener_) return;
        if (failed) {
            auto const words = verdict_on_server(self->tls_->native_handle());
            return self->broken(is_of_tls(failed) ? make_error_code(errc::tls) : failed,
                                words.empty() ? failed.message() : words);
        }
        self->read();
        self->listener_->on_connected();
    });
}

void connection::flush()
{
    if (write_ahead_) return;
    write_ahead_ = true;
    // Posted, not written: the handlers that are ready in this turn of the loop append their checks first.
    asio::post(worker_, [self = shared_from_this()] { self->write(); });
}

void connection::write()
{
    if (!listener_) return;
    writing_.clear();
    writing_.swap(waiting_);
    auto written = [self = shared_from_this()](base::error_code failed, std::size_t) {
        if (failed) return self->broken(failed);
        if (!self->waiting_.empty()) return self->write();
        self->write_ahead_ = false;
    };
    if (tls_)
        asio::async_write(*tls_, asio::buffer(writing_), std::move(written));
    else
        asio::async_write(socket_, asio::buffer(writing_), std::move(written));
}

void connection::read()
{
    if (!listener_) return;
    auto arrived = [self = shared_from_this()](base::error_code failed, std::size_t size) {
        // In TLS 1.3 a server says only after the handshake that it wanted a certificate, or another one.
        if (is_of_tls(failed)) return self->broken(errc::tls, failed.message());
        if (failed) return self->broken(failed);
        if (!self->listener_) return;
        self->listener_->on_bytes({self->received_.data(), size});
        self->read();
    };
    if (tls_)
        tls_->async_read_some(asio::buffer(received_), std::move(arrived));
    else
        socket_.async_read_some(asio::buffer(received_), std::move(arrived));
}

void connection::broken(base::error_code why, std::string_view words)
{
    if (listener_) listener_->on_broken(why, words);
}

void connection::close() noexcept
{
    listener_ = nullptr;
    resolver_.cancel();
    base::error_code ignored;
    socket_.close(ignored);
}

} // namespace penstock::limiter::redis
