#include "gateway/structured_list.hpp"

#include <charconv>

namespace penstock::gateway {
namespace {

// Limits of sections 3.3.1 and 3.3.2.
constexpr std::size_t most_integer_digits = 15;
constexpr std::size_t most_decimal_digits = 12;
constexpr std::size_t most_fraction_digits = 3;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_alpha(char c) noexcept { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool is_visible(char c) noexcept { return c >= ' ' && c <= '~'; }
bool is_one_of(char c, std::string_view set) noexcept { return set.find(c) != std::string_view::npos; }

bool take(std::string_view& text, char c) noexcept
{
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

template <typename Predicate>
std::string_view take_while(std::string_view& text, Predicate belongs) noexcept
{
    std::size_t n = 0;
    while (n < text.size() && belongs(text[n])) ++n;
    auto const taken = text.substr(0, n);
    text.remove_prefix(n);
    return taken;
}

void skip_blanks(std::string_view& text) noexcept
{
    take_while(text, [](char c) { return c == ' ' || c == '\t'; });
}

// Section 4.2.5, behind the opening quote.
bool take_string(std::string_view& text, std::string_view& content) noexcept
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') {
            content = text.substr(0, i);
            text.remove_prefix(i + 1);
            return true;
        }
        if (!is_visible(text[i])) return false;
        if (text[i] == '\\' && (++i == text.size() || !is_one_of(text[i], "\"\\"))) return false;
    }
    return false;
}

// Sections 4.2.4 and 4.2.9: a number, or behind `@` a date, which has no fraction.
bool take_number(std::string_view& text, bare_item& item) noexcept
{
    auto const whole = text;
    take(text, '-');
    auto const digits = take_while(text, is_digit);
    if (digits.empty() || digits.size() > most_integer_digits) return false;
    auto const written = whole.substr(0, whole.size() - text.size());
    item.what = bare_item::kind::integer;
    std::from_chars(written.data(), written.data() + written.size(), item.number);
    if (!take(text, '.')) return true;
    item.what = bare_item::kind::decimal;
    auto const fraction = take_while(text, is_digit);
    return digits.size() <= most_decimal_digits && !fraction.empty() && fraction.size() <= most_fraction_digits;
}

bool take_date(std::string_view& text, bare_item& item) noexcept
{
    if (!take_number(text, item) || item.what != bare_item::kind::integer) return false;
    item.what = bare_item::kind::date;
    return true;
}

// Section 4.2.7: padding may be left out, but not be wrong.
bool take_bytes(std::string_view& text) noexcept
{
    auto const digits = take_while(text, [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/'; }).size();
    auto const padding = take_while(text, [](char c) { return c == '='; }).size();
    auto const is_padded = padding == 0 ? digits % 4 != 1 : padding <= 2 && (digits + padding) % 4 == 0;
    return is_padded && take(text, ':');
}

// Whether the bytes that are fed to it one by one are UTF-8 (RFC 3629: shortest forms, no surrogates, up to U+10FFFF).
class utf8_check {
public:
    bool feed(unsigned byte) noexcept
    {
        if (more_ != 0) {
            if (byte < lowest_ || byte > highest_) return false;
            lowest_ = 0x80, highest_ = 0xbf;
            --more_;
            return true;
        }
        if (byte < 0x80) return true;
        if (byte < 0xc2 || byte > 0xf4) return false;
        more_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
        if (byte == 0xe0) lowest_ = 0xa0;
        if (byte == 0xed) highest_ = 0x9f;
        if (byte == 0xf0) lowest_ = 0x90;
        if (byte == 0xf4) highest_ = 0x8f;
        return true;
    }
    [[nodiscard]] bool is_whole() const noexcept { return more_ == 0; }

private:
    unsigned more_ = 0; // bytes of the character that are still to come
    unsigned lowest_ = 0x80;
    unsigned highest_ = 0xbf;
};

// Section 4.2.10, behind the percent sign.
bool take_display_string(std::string_view& text) noexcept
{
    if (!take(text, '"')) return false;
    utf8_check check;
    while (!text.empty() && is_visible(text.front())) {
        auto byte = static_cast<unsigned>(text.front());
        text.remove_prefix(1);
        if (byte == '"') return check.is_whole();
        if (byte == '%') {
            auto const hex = text.substr(0, 2);
            if (hex.size() != 2 || hex.find_first_not_of("0123456789abcdef") != std::string_view::npos) return false;
            std::from_chars(hex.data(), hex.data() + hex.size(), byte, 16);
            text.remove_prefix(2);
        }
        if (!check.feed(byte)) return false;
    }
    return false;
}

bool take_bare_item(std::string_view& text, bare_item& item) noexcept
{
    using kind = bare_item::kind;
    if (text.empty()) return false;
    auto const first = text.front();
    if (is_digit(first) || first == '-') return take_number(text, item);
    if (is_alpha(first) || first == '*') {
        item.what = kind::token;
        take_while(text, [](char c) { return is_alpha(c) || is_digit(c) || is_one_of(c, "!#$%&'*+-.^_`|~:/"); });
        return true;
    }
    text.remove_prefix(1);
    std::string_view content;
    switch (first) {
    case '"': item.what = kind::string; return take_string(text, content);
    case ':': item.what = kind::bytes; return take_bytes(text);
    case '?': item.what = kind::boolean; return take(text, '0') || take(text, '1');
    case '@': return take_date(text, item);
    case '%': item.what = kind::display_string; return take_display_string(text);
    default: return false;
    }
}

// One parameter behind its semicolon (section 4.2.3.2).
bool take_parameter(std::string_view& text, std::string_view& key, bare_item& item) noexcept
{
    take_while(text, [](char c) { return c == ' '; });
    if (text.empty() || !(is_lower(text.front()) || text.front() == '*')) return false;
    key = take_while(text, [](char c) { return is_lower(c) || is_digit(c) || is_one_of(c, "_-.*"); });
    item = {};
    return !take(text, '=') || take_bare_item(text, item);
}

} // namespace

std::optional<bare_item> list_member::parameter(std::string_view key) const noexcept
{
    std::optional<bare_item> last;
    for (auto left = parameters; take(left, ';');) {
        std::string_view name;
        bare_item item;
        take_parameter(left, name, item);
        if (name == key) last = item;
    }
    return last;
}

list_reader::list_reader(std::string_view list) noexcept : left_(list)
{
    take_while(left_, [](char c) { return c == ' '; }); // section 4.2 step 2: spaces around a field, not tabs
    while (left_.ends_with(' ')) left_.remove_suffix(1);
    expects_member_ = !left_.empty();
}

list_reader::found list_reader::next(list_member& into) noexcept
{
    if (!expects_member_) return found::end;
    if (!take(left_, '"') || !take_string(left_, into.text)) return found::malformed;
    auto const begin = left_;
    while (take(left_, ';')) {
        std::string_view key;
        bare_item item;
        if (!take_parameter(left_, key, item)) return found::malformed;
    }
    into.parameters = begin.substr(0, begin.size() - left_.size());
    skip_blanks(left_);
    expects_member_ = take(left_, ',');
    if (!expects_member_ && !left_.empty()) return found::malformed;
    skip_blanks(left_); // nothing behind a comma is malformed: the next member finds no quote (section 4.2.1)
    return found::member;
}

} // namespace penstock::gateway
