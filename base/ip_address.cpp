#include "base/ip_address.hpp"

#include <endian.h>

#include <algorithm>
#include <cstring>

namespace penstock::base {
namespace {

constexpr std::size_t groups_v6 = 8;

// Above 9 if it is no digit.
constexpr unsigned digit_of(char c) noexcept { return static_cast<unsigned char>(c) - unsigned{'0'}; }

// A decimal of at most three digits without sign, blanks or leading zeros (octal to some readers), at most `most`; moves `at`
// behind it.
bool read_decimal(char const*& at, char const* end, unsigned most, unsigned& value) noexcept
{
    if (at == end || digit_of(*at) > 9) return false;
    value = digit_of(*at++);
    for (int more = 0; more < 2; ++more) {
        if (at == end || digit_of(*at) > 9) return value <= most;
        if (value == 0) return false;
        value = value * 10 + digit_of(*at++);
    }
    return value <= most && (at == end || digit_of(*at) > 9);
}

// Four bytes to `out`; moves `at` behind the dotted quad.
bool read_v4(char const*& at, char const* end, std::uint8_t* out) noexcept
{
    auto const* next = at;
    for (int group = 0; group < 4; ++group) {
        if (group > 0 && (next == end || *next++ != '.')) return false;
        unsigned value = 0;
        if (!read_decimal(next, end, 255, value)) return false;
        out[group] = static_cast<std::uint8_t>(value);
    }
    at = next;
    return true;
}

constexpr std::uint8_t no_digit = 0xFF;
constexpr std::array<std::uint8_t, 256> hex_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (std::uint8_t i = 0; i < 10; ++i) values[std::size_t{'0'} + i] = i;
    for (std::uint8_t i = 10; i < 16; ++i) values[std::size_t{'a'} + i - 10] = values[std::size_t{'A'} + i - 10] = i;
    return values;
}();

// Moves what was written behind a gap to the end, and fills the gap with zeros.
void widen_gap(ip_address::bytes_v6& bytes, std::size_t gap, std::size_t filled) noexcept
{
    for (auto to = bytes.size(); filled > gap;) {
        bytes[--to] = bytes[--filled];
        bytes[filled] = 0;
    }
}

// RFC 4291 2.2: groups of one to four hex digits, at most one `::`, a dotted quad in place of the last two groups. `bytes` are
// zeros before.
bool parse_v6(std::string_view text, ip_address::bytes_v6& bytes) noexcept
{
    constexpr std::size_t no_gap = 17;
    std::size_t filled = 0;   // bytes read so far
    std::size_t gap = no_gap; // where `::` stands, in bytes
    auto const* at = text.data();
    auto const* const end = at + text.size();
    if (text.starts_with("::")) {
        gap = 0;
        at += 2;
    }
    while (at != end) {
        if (filled == bytes.size()) return false;
        auto const* const start = at;
        unsigned group = 0;
        do {
            unsigned const digit = hex_values[static_cast<unsigned char>(*at)];
            if (digit == no_digit) break;
            group = group << 4 | digit;
        } while (++at != end);
        if (at - start > 4) return false;
        if (at != end && *at == '.') {
            at = start;
            if (filled > 12 || !read_v4(at, end, bytes.data() + filled) || at != end) return false;
            filled += 4;
            break;
        }
        if (at == start) return false;
        bytes[filled++] = static_cast<std::uint8_t>(group >> 8);
        bytes[filled++] = static_cast<std::uint8_t>(group);
        if (at == end) break;
        if (*at++ != ':' || at == end) return false;
        if (*at == ':') {
            if (gap != no_gap) return false;
            gap = filled;
            ++at;
        }
    }
    if (gap == no_gap) return filled == bytes.size();
    if (filled == bytes.size()) return false; // `::` stands for at least one group
    widen_gap(bytes, gap, filled);
    return true;
}

bool is_mapped_v4(ip_address::bytes_v6 const& bytes) noexcept
{
    static constexpr std::array<std::uint8_t, 12> prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    return std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

char* write_v4(char* out, ip_address::bytes_v6 const& bytes) noexcept
{
    auto const digit = [&out](unsigned value) { *out++ = static_cast<char>('0' + value); };
    for (std::size_t i = 0; i < 4; ++i) {
        unsigned const value = bytes[i];
        if (i > 0) *out++ = '.';
        if (value >= 100) digit(value / 100);
        if (value >= 10) digit(value / 10 % 10);
        digit(value % 10);
    }
    return out;
}

char* write_group(char* out, unsigned group) noexcept
{
    auto const digit = [&out](unsigned value) { *out++ = "0123456789abcdef"[value & 15]; };
    if (group >= 0x1000) digit(group >> 12);
    if (group >= 0x100) digit(group >> 8);
    if (group >= 0x10) digit(group >> 4);
    digit(group);
    return out;
}

// RFC 5952 4: lower case, no leading zeros, the first longest run of two or more zero groups as `::`.
char* write_v6(char* out, ip_address::bytes_v6 const& bytes) noexcept
{
    std::array<unsigned, groups_v6> groups{};
    for (std::size_t i = 0; i < groups_v6; ++i) groups[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);

    std::size_t run_start = groups_v6;
    std::size_t run_length = 1; // a single zero group is written out
    for (std::size_t i = 0, length = 0; i < groups_v6; ++i) {
        length = groups[i] == 0 ? length + 1 : 0;
        if (length > run_length) {
            run_start = i + 1 - length;
            run_length = length;
        }
    }
    for (std::size_t i = 0; i < groups_v6; ++i) {
        if (i == run_start) {
            *out++ = ':';
            *out++ = ':';
            i += run_length - 1;
            continue;
        }
        if (i > 0 && i != run_start + run_length) *out++ = ':';
        out = write_group(out, groups[i]);
    }
    return out;
}

using words_of_address = std::array<std::uint64_t, 2>; // as its bytes lie in memory

words_of_address mask_of(unsigned prefix) noexcept
{
    auto const leading = [](unsigned bits) { return bits == 0 ? 0 : htobe64(~std::uint64_t{0} << (64 - std::min(bits, 64U))); };
    return {leading(prefix), leading(prefix > 64 ? prefix - 64 : 0)};
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
    auto const* at = text.data();
    auto const* const end = at + text.size();
    if (ip_address v4; read_v4(at, end, v4.bytes_.data()) && at == end) return v4;
    bytes_v6 bytes{};
    if (!parse_v6(text, bytes)) return std::nullopt;
    return from_v6(bytes);
}

std::optional<ip_address> ip_address::take_host(std::string_view& text) noexcept
{
    if (text.starts_with('[')) {
        auto const closing = text.find(']');
        bytes_v6 bytes{};
        if (closing == std::string_view::npos || !parse_v6(text.substr(1, closing - 1), bytes)) return std::nullopt;
        text.remove_prefix(closing + 1);
        return from_v6(bytes);
    }
    auto const* at = text.data();
    auto const* const end = at + text.size();
    ip_address v4;
    if (!read_v4(at, end, v4.bytes_.data())) return std::nullopt;
    text = {at, end};
    return v4;
}

ip_address ip_address::masked(unsigned prefix) const noexcept
{
    auto const mask = mask_of(prefix);
    auto const whole = std::bit_cast<words_of_address>(bytes_);
    auto cut = *this;
    cut.bytes_ = std::bit_cast<bytes_v6>(words_of_address{whole[0] & mask[0], whole[1] & mask[1]});
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

bool is_port(std::string_view text) noexcept
{
    if (text.empty() || text.size() > 5) return false;
    unsigned port = 0;
    for (char const c : text) {
        if (digit_of(c) > 9) return false;
        port = port * 10 + digit_of(c);
    }
    return port <= 65535;
}

ip_network::ip_network(ip_address address, unsigned prefix) noexcept
    : address_(address.masked(prefix)), prefix_(std::min(prefix, address.is_v4() ? 32U : 128U)), mask_(mask_of(prefix_))
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
        auto const* at = text.data() + slash + 1;
        auto const* const end = text.data() + text.size();
        unsigned length = 0;
        if (!read_decimal(at, end, prefix, length) || at != end) return std::nullopt;
        prefix = length;
    }
    if (address->is_v4() && !written_as_v4) { // ::ffff:10.0.0.0/104 is 10.0.0.0/8
        if (prefix < 96) return std::nullopt;
        prefix -= 96;
    }
    return ip_network{*address, prefix};
}

std::string ip_network::to_string() const { return address_.to_string() + '/' + std::to_string(prefix_); }

} // namespace penstock::base
