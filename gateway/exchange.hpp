// One request and its answer, in the order of docs/life-of-a-request.md: extract, match, classify, acquire, admit, relay,
// respond, record. The order is visible in look() and serve(); exchange_limits.cpp has the middle, exchange_relay.cpp the end. I/O;
// one worker's thread. What is large lives in the workspace: coroutine frames below 1,000 bytes come from Asio's cache.
#pragma once

#include "gateway/access_record.hpp"
#include "gateway/configuration_view.hpp"
#include "gateway/connected_peer.hpp"
#include "gateway/credentials.hpp"
#include "gateway/extract.hpp"
#include "gateway/response_context.hpp"
#include "limiter/admission.hpp"
#include "limiter/classify.hpp"
#include "proxy/forwarding.hpp"
#include "proxy/stream.hpp"
#include "proxy/upload.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>

namespace penstock::gateway {

class worker;
struct workspace;

enum class aftermath : std::uint8_t {
    keep_alive, // the connection is ready for the next request
    close,
    linger, // close, but the client may still be sending
};

class exchange {
public:
    // `space.received` begins with a whole head of `head_length` bytes.
    exchange(worker& owner, proxy::stream& client, workspace& space, connected_peer const& peer, std::size_t head_length);

    boost::asio::awaitable<aftermath> serve();

private:
    // Stages that never wait.
    std::optional<unsigned> look(); // head to claims; the status of our own answer if the request ends here
    unsigned deny(denied_by what, conf::deny_action action);
    void look_at_credentials();
    void look_at_api_key(bool is_for_free); // denied or not is all that counts where it is for free
    void note_token() noexcept;             // what has been found out of it, for the facts and the refusal
    void verify_credentials();              // signature work, if there is any
    void choose_limits();                   // into space_.asked
    void classify(limiter::plan_part const& stage);
    void note_missing_key() noexcept;
    bool ask_at_once(base::instant now); // false: the answer to space_.asking() must be waited for
    std::optional<unsigned> note_gate(); // space_.gate is what the limits say; the status of the refusal, if it is one
    unsigned reject();                   // for a limit
    void report(limiter::admission_ruling const& gate);
    void begin_forwarding(); // writes the head for the upstream
    bool append_short_body(proxy::forwarding& under_way, proxy::body_framing framing);
    void note_answer(proxy::forwarding const& under_way, bool answered);
    aftermath abandon(); // the client has left
    void record();

    // Stages that may wait. False: the client has left, and was charged nothing.
    boost::asio::awaitable<bool> wait_for_turn();
    boost::asio::awaitable<bool> ask_stage();
    boost::asio::awaitable<bool> ask_in_stages();
    boost::asio::awaitable<bool> ask_second_stage();
    boost::asio::awaitable<aftermath> relay(limiter::admission admitted);
    boost::asio::awaitable<aftermath> relay_answer(proxy::forwarding& under_way);
    boost::asio::awaitable<base::result<void, proxy::failure>> relay_body(proxy::forwarding& under_way,
                                                                          proxy::body_framing framing);
    boost::asio::awaitable<aftermath> run_tunnel(proxy::forwarding& under_way);
    boost::asio::awaitable<base::result<void, proxy::failure>> relay_interim(proxy::forwarding& under_way);
    boost::asio::awaitable<aftermath> respond_failed(proxy::failure why);
    boost::asio::awaitable<aftermath> send_own(unsigned status); // space_.response holds a whole answer of our own
    boost::asio::awaitable<bool> discard_body();

    [[nodiscard]] limiter::plan const& plan() const noexcept; // of the route
    [[nodiscard]] bool is_denied(conf::deny_list const& list) const noexcept;
    [[nodiscard]] bool body_can_be_discarded() const noexcept;
    [[nodiscard]] response_context context(persistence connection) noexcept; // of the answer that will be sent
    [[nodiscard]] response_context own_context() noexcept;                   // of one of our own
    [[nodiscard]] bool is_preflight() const noexcept;
    [[nodiscard]] std::string_view upgrade() const noexcept; // the protocol that is asked for and may be
    [[nodiscard]] proxy::body_framing downstream_framing(proxy::response_head const& head) const noexcept;

    worker& owner_;
    proxy::stream& client_;
    workspace& space_;
    configuration_view_ptr view_;
    std::size_t head_end_; // offset of the body in the block of space_.received
    proxy::head_problem head_problem_;
    connected_peer peer_;
    extracted seen_;
    credentials who_;
    proxy::body_source body_;
    persistence persistence_ = persistence::close; // as the answer says
    access_record record_;
};

} // namespace penstock::gateway
