#include "gateway/logged_query.hpp"

#include "base/credential_names.hpp"
#include "gateway/query_keys.hpp"

#include <algorithm>

namespace penstock::gateway {
namespace {

std::optional<unsigned> digit_of(char c) noexcept
{
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    auto const lower = static_cast<char>(c | 0x20);
    if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a' + 10);
    return std::nullopt;
}

std::optional<unsigned> byte_at(std::string_view digits) noexcept
{
    if (digits.size() < 2) return std::nullopt;
    auto const high = digit_of(digits[0]);
    auto const low = digit_of(digits[1]);
    if (!high || !low) return std::nullopt;
    return *high * 16 + *low;
}

struct escape {
    std::size_t size; // of the text
    char byte;
};

// The escape at the front of `text`, which begins with a '%', however often it has been escaped itself: `%253D` is a '='.
escape read_escape(std::string_view text) noexcept
{
    std::size_t size = 1;
    unsigned byte = '%';
    while (auto const next = byte == '%' ? byte_at(text.substr(size)) : std::nullopt) {
        byte = *next;
        size += 2;
    }
    return {size, static_cast<char>(byte)};
}

// Where the authority of a URL begins, while its bytes go by: user name and password stand in front of its `@` (RFC 3986 3.2.1).
// One slash is enough behind a colon, for paths have theirs merged; a backslash is a slash to browsers, and escapes one in JSON.
class authority_search {
public:
    // True for the `@` of an authority, from whose beginning on nothing is to be shown.
    bool ends_userinfo(char byte, std::size_t behind) noexcept
    {
        auto const is_slash = [](char c) { return c == '/' || c == '\\'; };
        if (is_slash(byte))
            is_inside_ = before_ == ':' || is_slash(before_);
        else if (byte == '?' || byte == '#')
            is_inside_ = false;
        if (is_slash(byte) && is_inside_) begin_ = behind;
        before_ = byte;
        return byte == '@' && is_inside_;
    }
    [[nodiscard]] std::size_t begin() const noexcept { return begin_; }

private:
    std::size_t begin_ = 0;
    bool is_inside_ = false;
    char before_ = '\0';
};

} // namespace

std::optional<std::size_t> hidden_from(std::string_view parameter, std::span<conf::credential_source const> keys) noexcept
{
    auto const is_hidden = [keys](std::string_view name) {
        return base::is_credential_name(name) || is_key_parameter(name, keys);
    };
    authority_search authority;
    std::size_t name = 0;    // where it begins
    bool is_outer = true;    // a parameter of the request itself,
    bool has_escape = false; // which could spell the name of a secret one in another way
    for (std::size_t i = 0; i < parameter.size();) {
        auto const found = parameter[i] == '%' ? read_escape(parameter.substr(i)) : escape{1, parameter[i]};
        auto const behind = i + found.size;
        has_escape = has_escape || found.size > 1;
        if (authority.ends_userinfo(found.byte, behind)) return authority.begin();
        if (found.byte == '=') {
            auto const ends_outer = is_outer && found.size == 1;
            if (is_hidden(parameter.substr(name, i - name)) || (ends_outer && has_escape)) return behind;
            if (ends_outer) is_outer = false;
            name = behind;
        } else if (found.size > 1) {
            name = behind;
        } else if (found.byte == ';' || found.byte == '?') { // some applications separate by it; some values are URLs
            is_outer = true;
            has_escape = false;
            name = behind;
        }
        i = behind;
    }
    return std::nullopt;
}

std::optional<std::size_t> hidden_from(std::string_view segment, base::request_facts const& facts,
                                       std::span<conf::credential_source const> keys) noexcept
{
    if (std::ranges::any_of(facts.captures, [segment](base::path_capture const& each) {
            return each.value.data() == segment.data() && !segment.empty() && hides(each);
        }))
        return 0;
    auto const begin = static_cast<std::size_t>(segment.data() - facts.path.data());
    auto const before = facts.path.substr(0, begin);
    auto const is_host = before.ends_with(":/") || before.ends_with("//"); // of a URL, `/fetch/https:/user:password@host`
    std::size_t const lead = is_host ? 2 : 0;
    auto const hidden = hidden_from(facts.path.substr(begin - lead, lead + segment.size()), keys);
    if (!hidden) return std::nullopt;
    return *hidden - lead;
}

bool hides(base::path_capture const& capture) noexcept { return base::may_be_credential_name(capture.name); }

} // namespace penstock::gateway
