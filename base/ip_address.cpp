#include "base/ip_address.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace penstock::base {
namespace {

constexpr std::size_t groups_v6 = 8;

// Decimal without sign, blanks or leading zeros, at most `most`; advances `text` behind it.
std::optional<unsigned> take_decimal(std::string_view& text, unsigned most) noexcept
{
    unsigned value = 0;
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
        if (digits > 0 && value == 0) return std::nullopt; // a leading zero: octal to some readers
        value = value * 10 + static_cast<unsigned>(text[digits] - '0');
        if (value > most) return std::nullopt;
        ++digits;
    }
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
    return value;
}

bool parse_v4(std::string_view text, std::uint8_t* out) noexcept
{
    for (int group = 0; group < 4; ++group) {
        if (group > 0) {
            if (text.empty() || text.front() != '.') return false;
            text.remove_prefix(1);
        }
        auto const value = take_decimal(text, 255);
        if (!value) return false;
        out[group] = static_cast<std::uint8_t>(*value);
    }
    return text.empty();
}

constexpr int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// RFC 4291 2.2: groups of one to four hex digits, at most one `::`, a dotted quad in place of the last two groups.
bool parse_v6(std::string_view text, ip_address::bytes_v6& bytes) noexcept
{
    constexpr std::size_t no_gap = 17;
    std::size_t filled = 0;   // bytes read so far
    std::size_t gap = no_gap; // where `::` stands, in bytes
    std::size_t at = 0;
    if (text.starts_with("::")) {
        gap = 0;
        at = 2;
    }
    while (at < text.size()) {
        if (filled == bytes.size()) return false;
        auto const start = at;
        unsigned group = 0;
        for (; at < text.size() && at - start < 4 && hex_value(text[at]) >= 0; ++at)
            group = group << 4 | static_cast<unsigned>(hex_value(text[at]));
        if (at < text.size() && text[at] == '.') {
            if (filled > 12 || !parse_v4(text.substr(start), bytes.data() + filled)) return false;
            filled += 4;
            break;
        }
        if (at == start) return false;
        bytes[filled++] = static_cast<std::uint8_t>(group >> 8);
        bytes[filled++] = static_cast<std::uint8_t>(group);
        if (at == text.size()) break;
        if (text[at++] != ':' || at == text.size()) return false;
        if (text[at] == ':') {
            if (gap != no_gap) return false;
            gap = filled;
            ++at;
        }
    }
    if (gap == no_gap) return filled == bytes.size();
    if (filled == bytes.size()) return false; // `::` stands for at least one group
    auto const tail = filled - gap;
    std::memmove(bytes.data() + bytes.size() - tail, bytes.data() + gap, tail);
    std::fill(bytes.data() + gap, bytes.data() + bytes.size() - tail, std::uint8_t{0});
    return true;
}

bool is_mapped_v4(ip_address::bytes_v6 const& bytes) noexcept
{
    static constexpr std::array<std::uint8_t, 12> prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    return std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

char* write_v4(char* out, ip_address::bytes_v6 const& bytes) noexcept
{
    for (std::size_t i = 0; i < 4; ++i) {
        if (i > 0) *out++ = '.';
        out = std::to_chars(out, out + 3, static_cast<unsigned>(bytes[i])).ptr;
    }
    return out;
}

// RFC 5952 4: lower case, no leading zeros, the first longest run of two or more zero groups as `::`.
char* write_v6(char* out, ip_address::bytes_v6 const& bytes) noexcept
{
    std::array<unsigned, groups_v6> groups{};
    for (std::size_t i = 0; i < groups_v6; ++i) groups[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);

    std::size_t run_start = groups_v6;
    std::size_t run_length = 1; // a single zero group is written out
    for (std::size_t i = 0; i < groups_v6; ++i) {
        std::size_t length = 0;
        while (i + length < groups_v6 && groups[i + length] == 0) ++length;
        if (length > run_length) {
            run_start = i;
            run_length = length;
        }
        i += length;
    }
    for (std::size_t i = 0; i < groups_v6; ++i) {
        if (i == run_start) {
            *out++ = ':';
            *out++ = ':';
            i += run_length - 1;
            continue;
        }
        if (i > 0 && i != run_start + run_length) *out++ = ':';
        out = std::to_chars(out, out + 4, groups[i], 16).ptr;
    }
    return out;
}

} // namespace

ip_address ip_address::from_v4(bytes_v4 bytes) noexcept
{
    ip_address a;
    std::copy(bytes.begin(), bytes.end(), a.bytes_.begin());
    return a;
}

ip_address ip_address::from_v6(bytes_v6 const& bytes) noexcept
{
    if (is_mapped_v4(bytes)) return from_v4({bytes[12], bytes[13], bytes[14], bytes[15]});
    ip_address a;
    a.bytes_ = bytes;
    a.v4_ = false;
    return a;
}

std::optional<ip_address> ip_address::parse(std::string_view text) noexcept
{
    if (text.find(':') == std::string_view::npos) {
        bytes_v4 bytes{};
        if (!parse_v4(text, bytes.data())) return std::nullopt;
        return from_v4(bytes);
    }
    bytes_v6 bytes{};
    if (!parse_v6(text, bytes)) return std::nullopt;
    return from_v6(bytes);
}

ip_address ip_address::masked(unsigned prefix) const noexcept
{
    auto cut = *this;
    std::size_t const whole = prefix / 8;
    std::size_t const size = v4_ ? 4 : 16;
    if (whole >= size) return cut;
    cut.bytes_[whole] = static_cast<std::uint8_t>(cut.bytes_[whole] & (0xFF00U >> prefix % 8));
    std::fill(cut.bytes_.begin() + static_cast<std::ptrdiff_t>(whole) + 1, cut.bytes_.end(), std::uint8_t{0});
    return cut;
}

std::string_view ip_address::write(char* out) const noexcept
{
    auto const* end = v4_ ? write_v4(out, bytes_) : write_v6(out, bytes_);
    return {out, static_cast<std::size_t>(end - out)};
}

std::string ip_address::to_string() const
{
    std::array<char, 46> text;
    return std::string{write(text.data())};
}

ip_network::ip_network(ip_address address, unsigned prefix) noexcept
    : address_(address.masked(prefix)), prefix_(std::min(prefix, address.is_v4() ? 32U : 128U))
{}

std::optional<ip_network> ip_network::parse(std::string_view text) noexcept
{
    auto const slash = text.find('/');
    auto const address_text = text.substr(0, slash);
    auto const address = ip_address::parse(address_text);
    if (!address) return std::nullopt;

    bool const written_as_v4 = address_text.find(':') == std::string_view::npos;
    unsigned prefix = written_as_v4 ? 32 : 128;
    if (slash != std::string_view::npos) {
        auto rest = text.substr(slash + 1);
        auto const number = take_decimal(rest, prefix);
        if (!number || !rest.empty()) return std::nullopt;
        prefix = *number;
    }
    if (address->is_v4() && !written_as_v4) { // ::ffff:10.0.0.0/104 is 10.0.0.0/8
        if (prefix < 96) return std::nullopt;
        prefix -= 96;
    }
    return ip_network{*address, prefix};
}

bool ip_network::contains(ip_address const& address) const noexcept
{
    if (address.is_v4() != address_.is_v4()) return false;
    auto const whole = prefix_ / 8; // bytes
    auto const& theirs = address.bytes();
    auto const& ours = address_.bytes();
    if (std::memcmp(theirs.data(), ours.data(), whole) != 0) return false;
    return prefix_ % 8 == 0 || ((theirs[whole] ^ ours[whole]) & (0xFF00U >> prefix_ % 8) & 0xFFU) == 0;
}

std::string ip_network::to_string() const { return address_.to_string() + '/' + std::to_string(prefix_); }

} // namespace penstock::base
