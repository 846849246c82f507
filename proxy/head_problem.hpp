// What is wrong with the head of a message. gateway/respond gives each its status; metrics count it by name. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::proxy {

enum class head_problem : std::uint8_t {
    none,
    malformed,           // not HTTP/1 as RFC 9112 has it
    unsupported_version, // HTTP/2.0, HTTP/0.9 and the like
    target_too_long,
    fields_too_large,
    bad_framing,         // Content-Length and Transfer-Encoding contradict, repeat, or are no numbers
    unknown_coding,      // a transfer coding other than chunked
    unknown_expectation, // an Expect that is not 100-continue
    bad_host,            // missing, repeated or invalid
    bad_target,
};

// The metric label: "malformed", ...
std::string_view name_of(head_problem problem) noexcept;

} // namespace penstock::proxy
