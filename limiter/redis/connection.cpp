#include "limiter/redis/connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <vector>

namespace penstock::limiter::redis {

namespace asio = boost::asio;
using asio::ip::tcp;

void connection::open(redis_settings const& target)
{
    if (target.host.empty()) {
        connect({asio::local::stream_protocol::endpoint(target.unix_path)});
        return;
    }
    resolver_.async_resolve(target.host, std::to_string(target.port),
                            [self = shared_from_this()](base::error_code failed, tcp::resolver::results_type const& found) {
                                if (failed) return self->broken(failed);
                                if (!self->listener_) return;
                                endpoints to;
                                for (auto const& one : found) to.emplace_back(one.endpoint());
                                self->connect(to);
                            });
}

void connection::connect(endpoints const& to)
{
    asio::async_connect(socket_, to, [self = shared_from_this()](base::error_code failed, auto const& endpoint) {
        if (failed) return self->broken(failed);
        if (!self->listener_) return;
        if (endpoint.protocol().family() != AF_UNIX) {
            // A connection without them still works: an error here changes nothing.
            base::error_code ignored;
            self->socket_.set_option(tcp::no_delay(true), ignored);
            self->socket_.set_option(asio::socket_base::keep_alive(true), ignored);
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
    asio::async_write(socket_, asio::buffer(writing_), [self = shared_from_this()](base::error_code failed, std::size_t) {
        if (failed) return self->broken(failed);
        if (!self->waiting_.empty()) return self->write();
        self->write_ahead_ = false;
    });
}

void connection::read()
{
    if (!listener_) return;
    socket_.async_read_some(asio::buffer(received_), [self = shared_from_this()](base::error_code failed, std::size_t size) {
        if (failed) return self->broken(failed);
        if (!self->listener_) return;
        self->listener_->on_bytes({self->received_.data(), size});
        self->read();
    });
}

void connection::broken(base::error_code why)
{
    if (listener_) listener_->on_broken(why);
}

void connection::close() noexcept
{
    listener_ = nullptr;
    resolver_.cancel();
    base::error_code ignored;
    socket_.close(ignored);
}

} // namespace penstock::limiter::redis
