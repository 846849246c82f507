#include "base/forwarded.hpp"

#include "base/field_name.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace penstock::base {
namespace {

constexpr auto none = std::string_view::npos;
constexpr std::size_t longest_node = 64; // an address in brackets and a port have 53 bytes

constexpr bool is_alphanumeric(char c) noexcept
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// RFC 9110 5.6.2
constexpr std::array<bool, 256> token_chars = [] {
    std::array<bool, 256> made{};
    for (char c = '!'; c <= '~'; ++c)
        made[static_cast<unsigned char>(c)] = is_alphanumeric(c) || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != none;
    return made;
}();

constexpr bool is_token_char(char c) noexcept { return token_chars[static_cast<unsigned char>(c)]; }

// What may stand in a quoted-string, escaped or (but for `"` and `\`) by itself (RFC 9110 5.6.4).
constexpr bool is_text(char c) noexcept
{
    auto const byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7F);
}

constexpr std::array<bool, 256> plain_text = [] {
    std::array<bool, 256> made{};
    for (std::size_t byte = 0; byte < made.size(); ++byte)
        made[byte] = is_text(static_cast<char>(byte)) && byte != '"' && byte != '\\';
    return made;
}();

bool is_escaped(std::string_view text, std::size_t at) noexcept
{
    std::size_t backslashes = 0;
    while (backslashes < at && text[at - 1 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 1;
}

// Where the quoted-string that ends at `closing` begins. In a quoted-string every further quote is escaped, and in front of
// one stands `=`: so this needs to know nothing of what is further to the left.
std::size_t opening_quote(std::string_view text, std::size_t closing) noexcept
{
    for (auto at = closing; at-- > 0;)
        if (text[at] == '"' && !is_escaped(text, at)) return at;
    return none;
}

// Where the last element of `line` begins; nothing if a quote in it has no beginning.
std::size_t last_element(std::string_view line) noexcept
{
    auto at = line.size();
    while (at > 0 && line[at - 1] != ',') {
        --at;
        if (line[at] == '"') at = opening_quote(line, at);
        if (at == none) return none;
    }
    return at;
}

std::string_view take_token(std::string_view& text) noexcept
{
    std::size_t end = 0;
    while (end < text.size() && is_token_char(text[end])) ++end;
    auto const token = text.substr(0, end);
    text.remove_prefix(end);
    return token;
}

// With its quotes; empty if it does not end.
std::string_view take_quoted(std::string_view& text) noexcept
{
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (plain_text[static_cast<unsigned char>(text[at])]) continue;
        if (text[at] == '"') {
            auto const quoted = text.substr(0, at + 1);
            text.remove_prefix(at + 1);
            return quoted;
        }
        if (text[at] != '\\' || ++at == text.size() || !is_text(text[at])) break;
    }
    return {};
}

void skip_blanks(std::string_view& text) noexcept
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

// Reads `name=value` and keeps the value of a parameter that is known here; false if it is no pair, or stands twice.
bool take_pair(std::string_view& text, forwarded_element& element, std::string_view& by) noexcept
{
    auto const name = take_token(text);
    if (name.empty() || !text.starts_with('=')) return false;
    text.remove_prefix(1);
    auto const value = text.starts_with('"') ? take_quoted(text) : take_token(text);
    if (value.empty()) return false;
    std::string_view* known = nullptr;
    if (is_field(name, "for"))
        known = &element.node;
    else if (is_field(name, "proto"))
        known = &element.proto;
    else if (is_field(name, "by"))
        known = &by;
    else if (is_field(name, "host"))
        known = &element.host;
    if (known != nullptr && !known->empty()) return false;
    if (known != nullptr) *known = value;
    return true;
}

// Blanks around `;` are not in the grammar, but in what many proxies send, and they make nothing ambiguous.
forwarded_element read_element(std::string_view text) noexcept
{
    forwarded_element element{.text = text, .well_formed = true};
    std::string_view by;
    auto rest = text;
    for (;;) {
        skip_blanks(rest);
        if (!rest.empty() && rest.front() != ';' && !take_pair(rest, element, by)) return {.text = text};
        skip_blanks(rest);
        if (rest.empty()) return element;
        if (rest.front() != ';') return {.text = text};
        rest.remove_prefix(1);
    }
}

// RFC 7239 6: up to five digits, or a name that begins with `_`.
bool is_node_port(std::string_view text) noexcept
{
    if (text.starts_with('_')) {
        text.remove_prefix(1);
        for (char const c : text)
            if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '-') return false;
        return !text.empty();
    }
    std::uint16_t port = 0;
    auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
    return failed == std::errc{} && end == text.data() + text.size() && text.size() <= 5;
}

} // namespace

std::optional<forwarded_element> take_last_element(std::string_view& line) noexcept
{
    while (!line.empty()) {
        auto const begin = last_element(line);
        if (begin == none) {
            forwarded_element const broken{.text = trim_ows(line)};
            line = {};
            return broken;
        }
        auto const text = trim_ows(line.substr(begin));
        line = line.substr(0, begin == 0 ? 0 : begin - 1);
        if (!text.empty()) return read_element(text);
    }
    return std::nullopt;
}

std::optional<forwarded_element> take_first_element(std::string_view& line) noexcept
{
    while (!line.empty()) {
        std::size_t end = 0;
        for (bool quoted = false; end < line.size() && (quoted || line[end] != ','); ++end) {
            if (line[end] == '"') quoted = !quoted;
            if (line[end] == '\\' && quoted) ++end;
        }
        end = std::min(end, line.size());
        auto const text = trim_ows(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
        if (!text.empty()) return read_element(text);
    }
    return std::nullopt;
}

std::optional<std::string_view> unquoted(std::string_view value, std::span<char> scratch) noexcept
{
    if (!value.starts_with('"')) return value;
    auto const inside = value.substr(1, value.size() - 2);
    if (inside.find('\\') == none) return inside;
    std::size_t size = 0;
    for (std::size_t at = 0; at < inside.size(); ++at) {
        if (inside[at] == '\\') ++at; // one stands behind it: see take_quoted
        if (size == scratch.size()) return std::nullopt;
        scratch[size++] = inside[at];
    }
    return std::string_view{scratch.data(), size};
}

std::optional<ip_address> node_address(std::string_view value) noexcept
{
    std::array<char, longest_node> scratch;
    auto const text = unquoted(value, scratch);
    if (!text) return std::nullopt;
    auto const bracket = text->starts_with('[') ? text->find(']') : 0;
    if (bracket == none) return std::nullopt;
    auto const colon = text->find(':', bracket);
    if (colon != none && !is_node_port(text->substr(colon + 1))) return std::nullopt;
    auto name = text->substr(0, colon);
    if (name.starts_with('[')) {
        if (bracket + 1 != name.size()) return std::nullopt;
        name = name.substr(1, bracket - 1);
        if (name.find(':') == none) return std::nullopt; // brackets are for IPv6
    }
    return ip_address::parse(name);
}

} // namespace penstock::base
