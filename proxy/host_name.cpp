#include "proxy/host_name.hpp"

#include "base/field_name.hpp"
#include "base/ip_address.hpp"

#include <algorithm>
#include <charconv>

namespace penstock::proxy {
namespace {

constexpr std::size_t longest_host = 253; // RFC 1035 2.3.4, as text

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }

// Letters, digits and what names in use hold: '_' is no host name by RFC 952 but common among containers.
constexpr bool is_host_byte(char c) noexcept
{
    auto const lower = base::ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '-' || c == '.' || c == '_';
}

// `text` is what follows the host: nothing, or a colon and a number. `:` alone names no port (RFC 3986 3.2.3).
bool parse_port(std::string_view text, std::optional<std::uint16_t>& port) noexcept
{
    if (text.empty()) return true;
    if (text.front() != ':') return false;
    text.remove_prefix(1);
    if (text.empty()) return true;
    if (!std::all_of(text.begin(), text.end(), is_digit)) return false;
    std::uint16_t number = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{} || number == 0) return false;
    port = number;
    return true;
}

std::optional<authority> bracketed(std::string_view raw, std::string& scratch)
{
    authority result;
    auto const address = base::ip_address::take_host(raw);
    if (!address || !parse_port(raw, result.port)) return std::nullopt;
    scratch = address->to_string();
    if (address->is_v6()) scratch = '[' + scratch + ']'; // a mapped address is the IPv4 address that it maps
    result.host = scratch;
    return result;
}

// Labels between dots, none empty; all digits in the last one means an address, which has one spelling.
bool is_host(std::string_view host) noexcept
{
    if (host.empty() || host.size() > longest_host || host.front() == '.' || host.back() == '.') return false;
    if (host.find("..") != std::string_view::npos || !std::all_of(host.begin(), host.end(), is_host_byte)) return false;
    auto const last = host.substr(host.rfind('.') + 1);
    return !std::all_of(last.begin(), last.end(), is_digit) || base::ip_address::parse(host);
}

} // namespace

std::optional<authority> normalise_authority(std::string_view raw, std::string& scratch)
{
    if (raw.starts_with('[')) return bracketed(raw, scratch);
    auto const colon = std::min(raw.find(':'), raw.size());
    authority result;
    if (!parse_port(raw.substr(colon), result.port)) return std::nullopt;
    auto host = raw.substr(0, colon);
    if (host.ends_with('.')) host.remove_suffix(1);
    if (!is_host(host)) return std::nullopt;
    if (std::any_of(host.begin(), host.end(), is_upper)) {
        scratch.resize(host.size());
        std::transform(host.begin(), host.end(), scratch.begin(), base::ascii_lower);
        host = scratch;
    }
    result.host = host;
    return result;
}

} // namespace penstock::proxy
