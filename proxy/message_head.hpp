// The head of a request or response as received: views into the connection's buffer (or into `spelled_anew`, where it had to
// be changed before it could be read), field lines in order, and what the fields say about the body (RFC 9112 section 6). Reused from message to message, so that its list keeps its memory.
// Plain values; pure.
#pragma once

#include "base/request_facts.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::proxy {

struct body_framing {
    enum class kind : std::uint8_t {
        none,
        length, // `length` bytes
        chunked,
        until_close, // responses only
    };
    kind how = kind::none;
    std::uint64_t length = 0; // of kind::length

    // Content may follow the head.
    [[nodiscard]] bool has_content() const noexcept { return how != kind::none && (how != kind::length || length != 0); }
};

struct request_head {
    std::string_view method;
    std::string_view target;
    unsigned minor_version = 1; // HTTP/1.x
    std::vector<base::field> fields;
    body_framing body;
    bool keep_alive = true; // what the client asked for (RFC 9112 section 9.3)
    bool expects_continue = false;
    std::string_view upgrade; // the protocol asked for with `Connection: upgrade`; empty: none
    std::string spelled_anew;
};

struct response_head {
    unsigned status = 0;
    std::string_view reason;
    unsigned minor_version = 1;
    std::vector<base::field> fields;
    body_framing body;
    bool keep_alive = true; // the connection may carry another exchange
    std::string_view upgrade;
    std::string spelled_anew;
};

} // namespace penstock::proxy
