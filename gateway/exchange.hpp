// One request and its answer, in the order of docs/life-of-a-request.md: extract, match, classify, acquire, admit, relay,
// respond, record. The order is visible in serve(). I/O; lives on its session's coroutine frame, one worker's thread.
#pragma once

#include "base/ip_address.hpp"
#include "gateway/access_record.hpp"
#include "gateway/configuration_view.hpp"
#include "gateway/extract.hpp"
#include "gateway/respond.hpp"
#include "gateway/workspace.hpp"
#include "limiter/admit.hpp"
#include "limiter/classify.hpp"
#include "proxy/forwarding.hpp"
#include "proxy/stream.hpp"
#include "proxy/upload.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>

namespace penstock::gateway {

class worker;

enum class aftermath : std::uint8_t {
    keep_alive, // the connection is ready for the next request
    close,
    linger,     // close, but the client may still be sending
};

class exchange {
public:
    // `space.received` begins with a whole head of `head_length` bytes.
    exchange(worker& owner, proxy::stream& client, workspace& space, std::optional<base::ip_address> const& peer, std::size_t head_length);

    boost::asio::awaitable<aftermath> serve();

private:
    boost::asio::awaitable<aftermath> answer();
    boost::asio::awaitable<limiter::admission_ruling> ask(limiter::claims const& asked);
    boost::asio::awaitable<aftermath> relay(limiter::admission admitted, proxy::route const& route);
    boost::asio::awaitable<aftermath> relay_answer(proxy::forwarding& under_way);
    boost::asio::awaitable<base::result<void, proxy::failure>> relay_body(proxy::forwarding& under_way, proxy::body_framing framing);
    boost::asio::awaitable<aftermath> run_tunnel(proxy::forwarding& under_way);
    boost::asio::awaitable<base::result<void, proxy::failure>> relay_interim(proxy::forwarding& under_way);
    boost::asio::awaitable<aftermath> respond_failed(proxy::failure why);

    // Sends space_.response, which holds a whole answer of the gateway's own.
    boost::asio::awaitable<aftermath> send_own(unsigned status);
    boost::asio::awaitable<bool> discard_body();
    [[nodiscard]] bool body_can_be_discarded() const noexcept;
    [[nodiscard]] response_context context(persistence connection) noexcept; // of the answer that will be sent
    [[nodiscard]] response_context own_context() noexcept;                   // of one of our own
    [[nodiscard]] bool is_preflight() const noexcept;
    [[nodiscard]] proxy::body_framing downstream_framing(proxy::response_head const& head) const noexcept;
    void begin_forwarding(proxy::route const& route);
    void record();

    worker& owner_;
    proxy::stream& client_;
    workspace& space_;
    configuration_view_ptr view_;
    std::size_t head_end_;                 // offset of the body in the block of space_.received
    proxy::head_problem head_problem_;
    std::optional<base::ip_address> peer_;
    extracted seen_;
    proxy::path_captures captures_;
    proxy::body_source body_;
    limit_report limits_;
    persistence persistence_ = persistence::close; // as the answer says
    access_record record_;
};

// Serves one request on a frame of its own, so that a connection between two requests stays small.
boost::asio::awaitable<aftermath> serve_exchange(worker& owner, proxy::stream& client, workspace& space,
                                                 std::optional<base::ip_address> const& peer, std::size_t head_length);

} // namespace penstock::gateway
