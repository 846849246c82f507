// The memory of one exchange: buffers, heads, claims and strings that keep their capacity from request to request. Lent by the
// worker to a connection that has something to do; a connection that waits holds none. One worker's thread.
#pragma once

#include "gateway/exchange.hpp"
#include "gateway/limit_fields.hpp"
#include "limiter/admit.hpp"
#include "limiter/classify.hpp"
#include "proxy/byte_buffer.hpp"
#include "proxy/forwarding.hpp"
#include "proxy/message_head.hpp"
#include "proxy/path_pattern.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace penstock::gateway {

struct workspace {
    static constexpr std::size_t usual_bytes = 16 * 1024;

    proxy::byte_buffer received{usual_bytes}; // from the client
    proxy::request_head request;
    proxy::answer_buffers answer; // from the upstream
    std::string outgoing;         // head sent to the upstream
    std::string response;         // head (and body of its own) sent to the client
    std::string target;           // as forwarded
    std::string path;             // normalised, where it differs from what was received
    std::string host;             // likewise
    std::string chunk_size;
    std::string api_key;                  // decoded, where it was presented in another spelling
    limiter::classified asked;            // the limits that the request meets
    std::size_t granted = 0;              // so many of these claims were granted in a first stage, as first_gate says
    limiter::admission_ruling first_gate; // says nothing while granted is 0
    limiter::admission_ruling gate;       // what came of the others
    limit_report limits;
    proxy::path_captures captures;
    std::optional<exchange> request_under_way; // refers to the rest

    // The claims that are to be asked now.
    [[nodiscard]] std::span<limiter::claim const> asking() const noexcept
    {
        return std::span<limiter::claim const>(asked.claims).subspan(granted);
    }
};

class workspace_pool {
public:
    static constexpr std::size_t most_idle = 128;

    std::unique_ptr<workspace> lend()
    {
        if (idle_.empty()) return std::make_unique<workspace>();
        auto lent = std::move(idle_.back());
        idle_.pop_back();
        return lent;
    }
    // One that grew for a large head is not kept.
    void take_back(std::unique_ptr<workspace> done)
    {
        auto const usual =
            done->received.capacity() == workspace::usual_bytes && done->answer.bytes.capacity() == workspace::usual_bytes;
        if (!usual || idle_.size() == most_idle) return;
        done->received.clear();
        done->answer.bytes.clear();
        idle_.push_back(std::move(done));
    }

private:
    std::vector<std::unique_ptr<workspace>> idle_;
};

} // namespace penstock::gateway
