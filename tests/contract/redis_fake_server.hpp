// A server that answers what a real Redis cannot be made to: the test writes its script. Runs on the same loop as the store
// under test, so it needs no thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <functional>
#include <list>
#include <string>
#include <string_view>

namespace penstock::tests {

class redis_fake_server {
public:
    using tcp = boost::asio::ip::tcp;
    // What to send for the bytes of one read; the greeting's PING is answered already. Nothing: silence.
    using script = std::function<std::string(std::string_view received)>;
    // As an answer: end the stream instead.
    static constexpr char const* hang_up = "\x04";

    redis_fake_server(boost::asio::io_context& io, script answers)
        : acceptor_(io, {boost::asio::ip::address_v4::loopback(), 0}), answers_(std::move(answers))
    {
        accept();
    }
    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    [[nodiscard]] int accepted() const noexcept { return accepted_; }

private:
    struct peer {
        explicit peer(boost::asio::io_context& io) : socket(io) {}
        tcp::socket socket;
        std::array<char, 65536> bytes;
    };

    void accept()
    {
        auto& next = peers_.emplace_back(static_cast<boost::asio::io_context&>(acceptor_.get_executor().context()));
        acceptor_.async_accept(next.socket, [this, &next](boost::system::error_code failed) {
            if (failed) return;
            ++accepted_;
            read(next);
            accept();
        });
    }
    void read(peer& from)
    {
        from.socket.async_read_some(
            boost::asio::buffer(from.bytes), [this, &from](boost::system::error_code failed, std::size_t size) {
                if (failed) return;
                std::string_view const received(from.bytes.data(), size);
                auto const answer = received.ends_with("PING\r\n") ? "+PONG\r\n" : answers_(received);
                boost::system::error_code ignored;
                if (answer == hang_up) {
                    from.socket.shutdown(tcp::socket::shutdown_send, ignored); // half closed: we still read
                } else if (!answer.empty()) {
                    boost::asio::write(from.socket, boost::asio::buffer(answer), ignored);
                }
                read(from);
            });
    }

    tcp::acceptor acceptor_;
    script answers_;
    std::list<peer> peers_;
    int accepted_ = 0;
};

} // namespace penstock::tests
