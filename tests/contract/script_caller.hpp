// Calls the scripts of lua/ on a server by the frames of the codec, one at a time, with nothing between: for tests of what
// the scripts answer, whoever asks. Not for tests of pipeline, connection or time-out.
#pragma once

#include "limiter/redis/codec.hpp"
#include "limiter/redis/error_reply.hpp"
#include "tests/support/redis_server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace penstock::tests {

class script_caller {
public:
    explicit script_caller(redis_server const& server) : socket_(io_)
    {
        socket_.connect({boost::asio::ip::address_v4::loopback(), server.port()});
        socket_.set_option(boost::asio::ip::tcp::no_delay(true));
    }

    // Decides by `now`, unless it is null.
    limiter::verdict acquire(std::span<limiter::claim const> asked, base::instant now,
                             std::span<limiter::redis::holding const> holdings = {})
    {
        return acquire({.asked = asked, .now = now, .holdings = holdings, .test_now = &now});
    }
    limiter::verdict acquire(limiter::redis::acquire_call const& what)
    {
        auto const got = call([&](std::string& frame, auto how) { append_acquire(frame, how, what); });
        auto const verdict = decode_verdict(got, what.asked.size());
        if (!verdict) throw std::runtime_error("acquire: " + std::string(got.text));
        return *verdict;
    }
    void give_back(limiter::claim const& of, limiter::charge const& taken, base::instant now)
    {
        auto const arguments = limiter::redis::pack_refund(of, taken);
        auto const key = limiter::redis::counter_key(of);
        auto const got = call([&](std::string& frame, auto how) {
            append_script(frame, how, {&limiter::redis::scripts::refund, key.view(), arguments, &now});
        });
        if (got.kind != limiter::redis::reply::type::other) throw std::runtime_error("refund: " + std::string(got.text));
    }

private:
    template <class Append>
    limiter::redis::reply call(Append const& append)
    {
        using limiter::redis::calling;
        auto const got = exchange(append, calling::by_digest);
        return is_noscript(got) ? exchange(append, calling::by_text) : got;
    }
    template <class Append>
    limiter::redis::reply exchange(Append const& append, limiter::redis::calling how)
    {
        std::string frame;
        append(frame, how);
        boost::asio::write(socket_, boost::asio::buffer(frame));
        for (;;) {
            auto const next = reader_.next();
            if (!next) throw std::runtime_error("not RESP");
            if (*next) return **next;
            auto const size = socket_.read_some(boost::asio::buffer(bytes_));
            if (reader_.feed({bytes_.data(), size})) throw std::runtime_error("not RESP");
        }
    }

    boost::asio::io_context io_;
    boost::asio::ip::tcp::socket socket_;
    limiter::redis::reply_reader reader_;
    std::array<char, 8192> bytes_;
};

// The same as one worker of a gateway calls them: it remembers which concurrency permits it holds.
class script_store {
public:
    explicit script_store(redis_server const& server, std::int64_t holder = 1) : caller_(server), holder_(holder) {}

    limiter::verdict acquire(std::span<limiter::claim const> asked, base::instant now)
    {
        std::vector<limiter::redis::holding> holdings;
        for (auto const& claim : asked) holdings.push_back({holder_, held_[std::string(claim.key.view())]});
        auto const verdict = caller_.acquire(asked, now, holdings);
        for (std::size_t i = 0; i < asked.size(); ++i)
            if (verdict.allowed && verdict.decisions[i].allowed) held_[std::string(asked[i].key.view())] += asked[i].cost;
        return verdict;
    }
    void give_back(limiter::claim const& what, limiter::charge const& taken, base::instant now)
    {
        if (!std::holds_alternative<limiter::concurrency>(what.algorithm())) return caller_.give_back(what, taken, now);
        auto back = what;
        back.cost = -std::min(taken.cost, held_[std::string(what.key.view())]);
        acquire({&back, 1}, now);
    }

private:
    script_caller caller_;
    std::int64_t holder_;
    std::map<std::string, std::int64_t> held_;
};

} // namespace penstock::tests
