// The body of one request on its way from the client to the upstream: decoded, held to its size limit, framed anew, never
// more than one buffer of it in memory. I/O; runs beside the wait for the answer, on the same worker's thread.
#pragma once

#include "base/clock.hpp"
#include "proxy/body_decoder.hpp"
#include "proxy/byte_buffer.hpp"
#include "proxy/failure.hpp"
#include "proxy/stream.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace penstock::proxy {

// Where a request body comes from. The referred objects outlive the upload.
struct body_source {
    stream& link;
    byte_buffer& received; // unread() begins with the body
    std::size_t floor = 0; // bytes of the block that stay where they are (the head is still looked at)
    body_decoder decoder;
    body_framing::kind framing = body_framing::kind::none;
    std::uint64_t most_content = 0;   // 0: no limit
    base::micros timeout{60'000'000}; // between two reads
};

class upload {
public:
    explicit upload(body_source& from) noexcept : from_(from) {}

    // The part that has already been received, if any, added to `out` behind the head, so that both leave in one write.
    void add_received(gather& out);

    // Everything was sent. Nothing more will be read from the client for this request.
    [[nodiscard]] bool is_complete() const noexcept { return complete_; }
    // Why it cannot be completed; the fault is the client's. Not set if the upstream stopped reading.
    [[nodiscard]] std::optional<failure> const& problem() const noexcept { return problem_; }
    [[nodiscard]] std::uint64_t content_bytes() const noexcept { return content_; }

    // Sends the rest to `to`; ends when complete, on a problem, or when either side stops.
    boost::asio::awaitable<void> run(stream& to, base::micros write_timeout);

private:
    enum class step : std::uint8_t { piece, need_more, over };
    step next(gather& out);

    body_source& from_;
    std::uint64_t content_ = 0;
    bool complete_ = false;
    std::optional<failure> problem_;
    std::string chunk_size_; // of the chunk being sent
};

} // namespace penstock::proxy
