#include "gateway/session.hpp"

#include "gateway/exchange.hpp"
#include "gateway/respond.hpp"
#include "gateway/worker.hpp"
#include "proxy/head_scanner.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace penstock::gateway {
namespace asio = boost::asio;
namespace {

constexpr base::micros linger_for{5'000'000};  // until a client that still sends gives up
constexpr std::size_t linger_bytes = 64 << 20; // that are read from it meanwhile

bool is_would_block(base::error_code const& ec) noexcept
{
    return ec == asio::error::would_block || ec == asio::error::try_again;
}

} // namespace

session::session(worker& owner, proxy::poller& events, session_start start)
    : owner_(owner), link_(std::move(start.socket), events), peer_{.address = start.peer}, preamble_(start.preamble)
{}

void session::drain() noexcept
{
    if (idle_) link_.cancel_reading();
}

asio::awaitable<void> session::run()
{
    std::unique_ptr<workspace> space;
    auto must_linger = false;
    auto open = true;
    if (preamble_ != proxy::proxy_protocol::off) open = co_await read_proxy_header(space);
    while (open) {
        if (!space) {
            idle_ = true;
            auto const keep_alive = owner_.view()->snapshot->settings.timeouts.keep_alive;
            auto const ended =
                co_await link_.readable(owner_.draining() ? std::min(keep_alive, worker::drain_grace) : keep_alive);
            idle_ = false;
            if (ended) break;
            link_.allow_reading(); // a request that came with the drain is served
            space = owner_.workspaces().lend();
        }
        auto const got = co_await read_head(*space);
        if (got == head_result::closed) break;
        if (got != head_result::complete) {
            co_await refuse_head(*space, got);
            must_linger = true;
            break;
        }
        auto const after = co_await space->request_under_way.emplace(owner_, link_, *space, peer_, head_length_).serve();
        space->request_under_way.reset();
        open = after == aftermath::keep_alive;
        must_linger = after == aftermath::linger;
        if (space->received.empty())
            owner_.workspaces().take_back(std::exchange(space, nullptr));
        else
            space->received.make_room(0); // the next request has begun to arrive
    }
    if (space) owner_.workspaces().take_back(std::move(space));
    if (must_linger) co_await linger();
    link_.close();
}

// Whoever opens a connection without the header, or is too slow with it, is told nothing: it may be no speaker of HTTP, and
// what it sent is not to be taken for a request (IP-30, IP-32).
asio::awaitable<bool> session::read_proxy_header(std::unique_ptr<workspace>& space)
{
    auto const by = base::clock::now() + owner_.view()->snapshot->settings.timeouts.proxy_header;
    for (;;) {
        auto const now = base::clock::now();
        idle_ = !space;
        auto const ended = now < by ? co_await link_.readable(by - now) : base::error_code{asio::error::timed_out};
        idle_ = false;
        if (ended == asio::error::timed_out) ++owner_.counts().parse_rejections["proxy_header_timed_out"];
        if (ended) co_return false;
        link_.allow_reading(); // a connection that came with the drain is served
        if (!space) space = owner_.workspaces().lend();
        auto const n = link_.try_read(space->received.room());
        if (!n && is_would_block(n.error())) continue;
        if (!n || *n == 0) co_return false;
        space->received.commit(*n);

        auto const header = proxy::read_proxy_header(space->received.unread(), preamble_);
        if (header.problem != proxy::proxy_header_problem::none) {
            ++owner_.counts().parse_rejections[std::string(name_of(header.problem))];
            co_return false;
        }
        if (header.length == 0) continue;
        if (header.source)
            peer_.address = header.source;
        else
            peer_.is_anonymous = true;
        space->received.consume(header.length);
        if (space->received.empty())
            owner_.workspaces().take_back(std::exchange(space, nullptr)); // the request is yet to come
        else
            space->received.make_room(0);
        co_return true;
    }
}

asio::awaitable<session::head_result> session::read_head(workspace& space)
{
    auto const view = owner_.view(); // its limits must outlive the scan
    proxy::head_scanner scanner(view->head_limits);
    auto& received = space.received;
    std::optional<base::instant> by; // one deadline for the whole head, however slowly it drips (H1-110)
    for (;;) {
        auto const found = scanner.scan(received.unread());
        if (found.problem != proxy::head_problem::none) {
            problem_ = found.problem;
            co_return head_result::refused;
        }
        if (found.length != 0) {
            received.consume(found.skip);
            head_length_ = found.length;
            co_return head_result::complete;
        }
        if (received.room().empty()) received.grow(received.capacity() * 2); // the scanner bounds it
        auto const n = link_.try_read(received.room());
        if (n && *n == 0) co_return head_result::closed;
        if (n) {
            received.commit(*n);
            continue;
        }
        if (!is_would_block(n.error())) co_return head_result::closed;
        auto const now = base::clock::now();
        if (!by) by = now + view->snapshot->settings.timeouts.header;
        auto const ec = now < *by ? co_await link_.readable(*by - now) : base::error_code{asio::error::timed_out};
        if (ec == asio::error::timed_out && !received.empty()) co_return head_result::timed_out;
        if (ec) co_return head_result::closed; // nothing was asked: nothing is answered (H1-115)
    }
}

asio::awaitable<void> session::refuse_head(workspace& space, head_result why)
{
    auto const view = owner_.view();
    response_context const context{.settings = view->snapshot->settings.responses,
                                   .date = owner_.date(),
                                   .now_s = owner_.date_s(),
                                   .connection = persistence::close,
                                   .head_request = false,
                                   .origin = {}};
    if (why == head_result::timed_out)
        respond::timed_out(space.response, context);
    else
        respond::malformed(space.response, context, problem_);
    ++owner_.counts().parse_rejections[why == head_result::timed_out ? "timed_out" : std::string(proxy::name_of(problem_))];
    proxy::gather out;
    out.add(space.response);
    static_cast<void>(co_await link_.write_all(out, view->snapshot->settings.timeouts.body)); // it closes either way
}

// The client may still be sending: closing now would answer with a reset, which can overtake our last answer (H1-53).
asio::awaitable<void> session::linger()
{
    link_.shutdown_write();
    std::array<char, 4096> waste;
    std::size_t read = 0;
    auto const by = base::clock::now() + linger_for;
    while (read < linger_bytes) {
        auto const left = by - base::clock::now();
        if (left <= base::micros{0}) break;
        auto const n = co_await link_.read_some(waste, left);
        if (!n || *n == 0) break;
        read += *n;
    }
}

} // namespace penstock::gateway
