#include "proxy/proxy_header.hpp"

#include "proxy/crc32c.hpp"

#include <algorithm>
#include <array>

namespace penstock::proxy {
namespace {

using namespace std::string_view_literals;
using base::ip_address;

constexpr auto none = std::string_view::npos;
constexpr auto v1_signature = "PROXY "sv;
constexpr auto v2_signature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t longest_v1 = 107; // bytes, CRLF included
constexpr std::size_t v2_fixed = 16;    // bytes in front of the addresses
constexpr std::uint8_t unspecified = 0; // family and transport
constexpr std::uint8_t crc32c_type = 3;

proxy_header failed(proxy_header_problem why) noexcept { return {.source = {}, .length = 0, .problem = why}; }
proxy_header malformed() noexcept { return failed(proxy_header_problem::malformed); }
constexpr proxy_header incomplete{};

std::uint8_t byte_at(std::string_view bytes, std::size_t at) noexcept { return static_cast<std::uint8_t>(bytes[at]); }

std::size_t number_at(std::string_view bytes, std::size_t at) noexcept // two bytes, big-endian
{
    return static_cast<std::size_t>(byte_at(bytes, at)) << 8 | byte_at(bytes, at + 1);
}

// Whether what has arrived is the beginning of `signature`, or begins with all of it.
bool may_begin(std::string_view received, std::string_view signature) noexcept
{
    auto const length = std::min(received.size(), signature.size());
    return received.substr(0, length) == signature.substr(0, length);
}

// 0 to 65535 without sign, blanks or leading zeros.
bool is_port(std::string_view text) noexcept
{
    if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return false;
    unsigned value = 0;
    for (char const c : text) {
        if (c < '0' || c > '9') return false;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value <= 65535;
}

// Cuts the text up to the next single space off `rest`; nothing if there is none.
std::optional<std::string_view> take_word(std::string_view& rest) noexcept
{
    auto const space = rest.find(' ');
    if (space == none) return std::nullopt;
    auto const word = rest.substr(0, space);
    rest.remove_prefix(space + 1);
    return word;
}

// `source destination sport dport`, each in the one spelling that the protocol allows.
std::optional<ip_address> read_v1_addresses(std::string_view rest, bool as_v6) noexcept
{
    std::optional<ip_address> ends[2];
    for (auto& end : ends) {
        auto const word = take_word(rest);
        if (!word || (word->find(':') != none) != as_v6) return std::nullopt;
        end = ip_address::parse(*word);
        if (!end) return std::nullopt;
    }
    auto const source_port = take_word(rest);
    if (!source_port || !is_port(*source_port) || !is_port(rest)) return std::nullopt;
    return ends[0];
}

proxy_header read_v1(std::string_view received) noexcept
{
    auto const head = received.substr(0, longest_v1);
    auto const end = head.find_first_of("\r\n");
    if (end == none) return head.size() < longest_v1 ? incomplete : malformed();
    if (head[end] != '\r') return malformed();
    if (end + 1 == head.size()) return head.size() < longest_v1 ? incomplete : malformed();
    if (head[end + 1] != '\n') return malformed();

    proxy_header header{.source = {}, .length = end + 2};
    auto rest = head.substr(0, end).substr(v1_signature.size());
    if (rest == "UNKNOWN" || rest.starts_with("UNKNOWN ")) return header; // whatever follows is ignored (IP-34)
    auto const as_v6 = rest.starts_with("TCP6 ");
    if (!as_v6 && !rest.starts_with("TCP4 ")) return malformed();
    header.source = read_v1_addresses(rest.substr(5), as_v6);
    return header.source ? header : malformed();
}

// The checksum over the whole header, its own four bytes at `at` taken as zero (IP-39).
bool checksum_holds(std::string_view header, std::size_t at) noexcept
{
    auto const stated = static_cast<std::uint32_t>(number_at(header, at) << 16 | number_at(header, at + 2));
    return crc32c(crc32c(crc32c(0, header.substr(0, at)), "\0\0\0\0"sv), header.substr(at + 4)) == stated;
}

// Type, length, value; one behind the other to the end of the header (IP-38). Types that mean nothing here are skipped.
proxy_header_problem check_extensions(std::string_view header, std::size_t at) noexcept
{
    auto checksum = none;
    while (at < header.size()) {
        if (header.size() - at < 3) return proxy_header_problem::malformed;
        auto const value = at + 3;
        auto const length = number_at(header, at + 1);
        if (length > header.size() - value) return proxy_header_problem::malformed;
        if (byte_at(header, at) == crc32c_type) {
            if (length != 4 || checksum != none) return proxy_header_problem::malformed;
            checksum = value;
        }
        at = value + length;
    }
    return checksum == none || checksum_holds(header, checksum) ? proxy_header_problem::none
                                                                : proxy_header_problem::bad_checksum;
}

// Bytes of the addresses of a family and transport as one byte; nothing if they are no pair of the protocol's.
std::optional<std::size_t> address_bytes(std::uint8_t family_and_transport) noexcept
{
    switch (family_and_transport) {
    case unspecified: return 0;
    case 0x11: // IPv4, stream
    case 0x12: // IPv4, datagram
        return 12;
    case 0x21: // IPv6
    case 0x22: return 36;
    case 0x31: // unix
    case 0x32: return 216;
    default: return std::nullopt;
    }
}

std::optional<ip_address> source_in(std::string_view header) noexcept
{
    auto const* first = header.data() + v2_fixed;
    if (byte_at(header, 13) >> 4 == 1) {
        ip_address::bytes_v4 bytes;
        std::transform(first, first + bytes.size(), bytes.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
        return ip_address::from_v4(bytes);
    }
    if (byte_at(header, 13) >> 4 == 2) {
        ip_address::bytes_v6 bytes;
        std::transform(first, first + bytes.size(), bytes.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
        return ip_address::from_v6(bytes);
    }
    return std::nullopt;
}

proxy_header read_v2(std::string_view received) noexcept
{
    constexpr std::uint8_t local = 0x20; // version 2 in the high half
    constexpr std::uint8_t carried = 0x21;
    if (received.size() > 12 && byte_at(received, 12) != local && byte_at(received, 12) != carried) return malformed();
    if (received.size() < v2_fixed) return incomplete;

    auto const length = v2_fixed + number_at(received, 14);
    if (length > largest_proxy_header) return failed(proxy_header_problem::too_large);
    auto const names_nobody = byte_at(received, 12) == local || byte_at(received, 13) == unspecified;
    auto const addresses = address_bytes(byte_at(received, 13));
    if (!names_nobody && (!addresses || length < v2_fixed + *addresses)) return malformed();
    if (received.size() < length) return incomplete;

    auto const header = received.substr(0, length);
    auto const problem = check_extensions(header, v2_fixed + addresses.value_or(0));
    if (names_nobody && problem == proxy_header_problem::malformed) return {.source = {}, .length = length}; // may hold junk
    if (problem != proxy_header_problem::none) return failed(problem);
    return {.source = names_nobody ? std::nullopt : source_in(header), .length = length};
}

} // namespace

std::string_view name_of(proxy_header_problem problem) noexcept
{
    switch (problem) {
    case proxy_header_problem::none: break;
    case proxy_header_problem::missing: return "proxy_header_missing";
    case proxy_header_problem::malformed: return "proxy_header_malformed";
    case proxy_header_problem::too_large: return "proxy_header_too_large";
    case proxy_header_problem::bad_checksum: return "proxy_header_bad_checksum";
    }
    return {};
}

proxy_header read_proxy_header(std::string_view received, proxy_protocol accepted) noexcept
{
    auto const as_v1 = accepted != proxy_protocol::v2 && may_begin(received, v1_signature);
    auto const as_v2 = accepted != proxy_protocol::v1 && may_begin(received, v2_signature);
    if (!as_v1 && !as_v2) return failed(proxy_header_problem::missing);
    if (as_v1 && received.size() >= v1_signature.size()) return read_v1(received);
    if (as_v2 && received.size() >= v2_signature.size()) return read_v2(received);
    return incomplete;
}

} // namespace penstock::proxy
