// One request on its way to an upstream, and the answer coming back: picks an endpoint, sends head and body, reads the
// answer's head, hands out its body piece by piece, retries once what is safe to repeat. Knows nothing of limits; writes
// nothing to the client. I/O; lives on the exchange's coroutine frame, on one worker's thread.
#pragma once

#include "proxy/body_decoder.hpp"
#include "proxy/byte_buffer.hpp"
#include "proxy/failure.hpp"
#include "proxy/head_parser.hpp"
#include "proxy/head_scanner.hpp"
#include "proxy/message_head.hpp"
#include "proxy/upload.hpp"
#include "proxy/upstream.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <optional>
#include <string_view>

namespace penstock::proxy {

// What the answer is received into; reused from exchange to exchange.
struct answer_buffers {
    byte_buffer bytes{16 * 1024};
    response_head head;
};

// The request as it is sent. All of it outlives the forwarding.
struct outgoing_request {
    std::string_view head; // whole, with its empty line, framed as `body` says
    std::string_view method;
    std::string_view upgrade;    // the protocol the client may switch to; empty: none
    body_source* body = nullptr; // null: no content
    stream& client;              // whoever asked; when it goes, so does the request
    head_limits const& limits;   // of the answer's head
};

class forwarding final : private closure_listener {
public:
    forwarding(upstream& to, outgoing_request const& request, answer_buffers& buffers) noexcept;
    forwarding(forwarding const&) = delete;
    forwarding& operator=(forwarding const&) = delete;
    ~forwarding() override { request_.client.listen_for_closure(nullptr); }

    // The usual case, without waiting: a request without content leaves whole on an idle connection, and next_head() is to be
    // awaited. False: nothing was sent, start() is needed.
    bool start_now();
    // Sends the request and reads the first head of the answer, which may be an interim one (1xx).
    boost::asio::awaitable<base::result<void, failure>> start();
    // After start_now() or an interim head: the next one.
    boost::asio::awaitable<base::result<void, failure>> next_head();
    // The first head did not come: sends the request again as often as it is safe and allowed; `why` stands if it is not.
    boost::asio::awaitable<base::result<void, failure>> retry(failure why);
    // Views are valid until fetch().
    [[nodiscard]] response_head const& head() const noexcept { return buffers_.head; }

    struct piece {
        std::string_view content; // may be empty
        bool last = false;
        bool at_hand = true; // false: fetch() more first
    };
    // The next part of the answer's body, as far as it has been received; never waits.
    base::result<piece, failure> next_piece();
    // Of the answer, behind what was taken so far.
    [[nodiscard]] std::size_t received_bytes() const noexcept { return buffers_.bytes.unread().size(); }
    // Behind a piece that was not marked as the last one: whether nothing but the end of the body follows, as far as is
    // known without receiving more.
    base::result<bool, failure> peek_end();
    // Receives more. Invalidates the head and every piece.
    boost::asio::awaitable<base::result<void, failure>> fetch();

    // After 101: the connection, now a tunnel; what was received behind the head is in buffers.bytes.
    [[nodiscard]] stream& tunnel() noexcept { return *connection_->link; }

    // Ends the exchange: stops an upload that is no longer wanted, gives the connection back if it is fit for reuse.
    // To be awaited before destruction, however the exchange went, unless finish_now() was enough.
    boost::asio::awaitable<void> finish();
    // The same where nothing has to be waited for; false, and nothing done, if an upload is under way.
    bool finish_now();

    [[nodiscard]] bool upload_complete() const noexcept { return !upload_ || upload_->is_complete(); }
    [[nodiscard]] std::uint64_t uploaded_bytes() const noexcept { return upload_ ? upload_->content_bytes() : 0; }
    [[nodiscard]] std::optional<std::size_t> endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] std::string_view server_label() const noexcept { return to_.spec().servers[endpoint_.value_or(0)].label; }

private:
    boost::asio::awaitable<base::result<void, failure>> attempt(upstream::freshness wanted);
    void on_peer_closed() override;
    void use(upstream::connection made);
    void begin_upload();
    void release();
    base::result<void, failure> use_head(head_scanner::progress const& found);
    [[nodiscard]] failure lost(base::error_code ec) const noexcept;
    [[nodiscard]] bool is_repeatable() const noexcept;

    upstream& to_;
    outgoing_request const& request_;
    answer_buffers& buffers_;
    std::optional<upstream::connection> connection_;
    std::optional<std::size_t> endpoint_;
    std::optional<upload> upload_;
    unsigned tries_ = 0;
    std::optional<boost::asio::steady_timer> upload_over_; // cancelled when the upload has ended
    body_decoder decoder_;
    std::optional<piece> peeked_; // what peek_end() found that is not the end
    bool head_seen_ = false;      // some byte of the answer has arrived
    bool body_done_ = false;
    bool upload_was_cut_ = false; // it was stopped, and may have left half a piece behind
    bool client_gone_ = false;
    bool switched_ = false; // 101: the connection is a tunnel
};

} // namespace penstock::proxy
