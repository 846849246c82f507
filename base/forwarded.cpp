#include "base/forwarded.hpp"

#include "base/field_name.hpp"

#include <algorithm>
#include <array>
#include <utility>

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

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

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
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

// Keeps the value of a parameter that is known here; false if it stands there already.
bool keep(forwarded_element& element, std::string_view& by, std::string_view name, std::string_view value) noexcept
{
    std::string_view* known = nullptr;
    if (is_field(name, "for"))
        known = &element.node;
    else if (is_field(name, "proto"))
        known = &element.proto;
    else if (is_field(name, "by"))
        known = &by;
    else if (is_field(name, "host"))
        known = &element.host;
    else
        return true;
    if (!known->empty()) return false;
    *known = value;
    return true;
}

// Reads `name=value`; false if it is no pair, or one that stands twice.
bool take_pair(std::string_view& text, forwarded_element& element, std::string_view& by) noexcept
{
    auto const name = take_token(text);
    if (name.empty() || !text.starts_with('=')) return false;
    text.remove_prefix(1);
    auto const value = text.starts_with('"') ? take_quoted(text) : take_token(text);
    return !value.empty() && keep(element, by, name, value);
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

// Where the run of bytes begins that ends at `end` and of which all are in `set`.
char const* start_of_run(std::array<bool, 256> const& set, char const* begin, char const* end) noexcept
{
    while (end != begin && set[static_cast<unsigned char>(end[-1])]) --end;
    return end;
}

// The pair that ends at `end`, read from its end, its value without an escape: where it begins. Null if it is none, or not known
// to be one.
char const* take_plain_pair(char const* begin, char const* end, forwarded_element& element, std::string_view& by) noexcept
{
    bool const quoted = end[-1] == '"';
    auto const* value = quoted ? start_of_run(plain_text, begin, end - 1) : start_of_run(token_chars, begin, end);
    if (quoted && (value == begin || *--value != '"')) return nullptr;
    if (value == end || value == begin || value[-1] != '=') return nullptr;
    auto const* const equals = value - 1;
    auto const* const name = start_of_run(token_chars, begin, equals);
    return name != equals && keep(element, by, {name, equals}, {value, end}) ? name : nullptr;
}

// Reads the last element in one go, from its end, if it is well formed and no value in it has an escape, which is true of
// nearly all. False, with nothing cut off, where there is none or that cannot be told: it then has to be found before it is read.
bool take_plain_element(std::string_view& line, forwarded_element& element) noexcept
{
    auto const* const begin = line.data();
    auto const* end = begin + line.size();
    while (end != begin && (is_blank(end[-1]) || end[-1] == ',')) --end;
    if (end == begin) return false;
    element.well_formed = true;
    std::string_view by;
    auto const* first = end; // byte of the element
    auto const* at = end;
    for (;;) {
        auto is_divided = at == end; // from the pair behind
        for (; at != begin && (is_blank(at[-1]) || at[-1] == ';'); --at) {
            if (at[-1] != ';') continue;
            first = at - 1;
            is_divided = true;
        }
        if (at == begin || at[-1] == ',') break;
        if (!is_divided) return false;
        at = take_plain_pair(begin, at, element, by);
        if (at == nullptr) return false;
        first = at;
    }
    element.text = {first, end};
    line = {begin, at == begin ? begin : at - 1};
    return true;
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
    return is_port(text);
}

// Whatever it is like: finds the last element, then reads it from its beginning.
std::optional<forwarded_element> take_any_element(std::string_view& line) noexcept
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

} // namespace

std::optional<forwarded_element> take_last_element(std::string_view& line) noexcept
{
    std::optional<forwarded_element> element(std::in_place);
    if (!take_plain_element(line, *element)) element = take_any_element(line);
    return element;
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
    auto rest = unquoted(value, scratch);
    if (!rest) return std::nullopt;
    auto const host = ip_address::take_host(*rest);
    auto const ends_well = rest->empty() || (rest->front() == ':' && is_node_port(rest->substr(1)));
    return ends_well ? host : std::nullopt;
}

} // namespace penstock::base
