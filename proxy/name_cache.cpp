#include "proxy/name_cache.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace penstock::proxy {
namespace asio = boost::asio;
namespace {

constexpr base::micros fresh_for{10'000'000};
constexpr base::micros error_for{1'000'000};

} // namespace

name_cache::name_cache(asio::io_context& worker, std::string host, std::uint16_t port)
    : host_(std::move(host)), port_(std::to_string(port)), lookup_(std::make_shared<lookup>(worker))
{}

void name_cache::start()
{
    lookup_->running = true;
    auto const done = [state = lookup_](base::error_code ec, asio::ip::tcp::resolver::results_type const& results) {
        state->running = false;
        state->error = ec;
        state->fresh_until = base::clock::now() + (ec ? error_for : fresh_for);
        if (!ec) {
            state->found.clear();
            for (auto const& result : results) state->found.push_back(result.endpoint());
        }
        for (auto* waiter : state->waiting) waiter->cancel();
        state->waiting.clear();
    };
    lookup_->resolver.async_resolve(host_, port_, done);
}

asio::awaitable<base::result<name_cache::endpoints>> name_cache::addresses(base::micros timeout)
{
    auto const state = lookup_; // outlives this cache if the wait does
    if (!state->running && base::clock::now() >= state->fresh_until) start();
    if (state->found.empty() && state->running) {
        asio::steady_timer timer(co_await asio::this_coro::executor, timeout);
        state->waiting.push_back(&timer);
        auto const [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        std::erase(state->waiting, &timer);
        if (!ec) co_return base::error_code{asio::error::timed_out};
    }
    if (!state->found.empty()) co_return state->found;
    co_return state->error ? state->error : base::error_code{asio::error::host_not_found};
}

void name_cache::suspect() noexcept { lookup_->fresh_until = {}; }

} // namespace penstock::proxy
