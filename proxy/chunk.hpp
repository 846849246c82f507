// Chunked framing of content that is passed on (RFC 9112 section 7.1). Pure.
#pragma once

#include "proxy/stream.hpp"

#include <array>
#include <charconv>
#include <string>
#include <string_view>

namespace penstock::proxy {

inline constexpr std::string_view last_chunk = "0\r\n\r\n";

// Adds `content` (not empty) as one chunk; `size_line` holds its first line until it is written.
inline void add_chunk(gather& out, std::string_view content, std::string& size_line)
{
    std::array<char, 16> digits;
    auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), content.size(), 16).ptr;
    size_line.assign(digits.data(), end);
    size_line.append("\r\n");
    out.add(size_line);
    out.add(content);
    out.add("\r\n");
}

} // namespace penstock::proxy
