#include "proxy/normal_path.hpp"

#include <array>

namespace penstock::proxy {
namespace {

enum class byte_class : std::uint8_t {
    forbidden,
    unreserved, // one spelling: as itself (RFC 3986 2.3)
    reserved,   // means something else raw than escaped: kept as it came
    unsafe,     // no URI may hold it raw: always escaped
};

constexpr std::array<byte_class, 256> classes = [] {
    std::array<byte_class, 256> table{};
    auto const mark = [&](std::string_view bytes, byte_class as) {
        for (char const c : bytes) table[static_cast<unsigned char>(c)] = as;
    };
    mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", byte_class::unreserved);
    mark("!$&'()*+,;=:@/", byte_class::reserved);
    mark("\"<>[]^`{|}", byte_class::unsafe);
    return table;
}();

constexpr byte_class class_of(unsigned char byte) noexcept { return classes[byte]; }

constexpr int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Nothing that could need another spelling: no escape, no unsafe byte, no empty segment, no segment that begins with a dot.
bool is_plain(std::string_view raw) noexcept
{
    char previous = 0;
    for (char const c : raw) {
        auto const kind = class_of(static_cast<unsigned char>(c));
        if (kind != byte_class::unreserved && kind != byte_class::reserved) return false;
        if (previous == '/' && (c == '/' || c == '.')) return false;
        previous = c;
    }
    return !raw.empty() && raw.front() == '/';
}

// Follows one UTF-8 sequence byte by byte (RFC 3629 4): no overlong form, no surrogate, nothing above U+10FFFF.
class utf8_check {
public:
    bool accept(unsigned char byte) noexcept
    {
        if (missing_ > 0) {
            if (byte < low_ || byte > high_) return false;
            expect(missing_ - 1, 0x80, 0xBF);
            return true;
        }
        if (byte >= 0xC2 && byte <= 0xDF)
            expect(1, 0x80, 0xBF);
        else if (byte == 0xE0)
            expect(2, 0xA0, 0xBF);
        else if (byte == 0xED)
            expect(2, 0x80, 0x9F);
        else if (byte >= 0xE1 && byte <= 0xEF)
            expect(2, 0x80, 0xBF);
        else if (byte == 0xF0)
            expect(3, 0x90, 0xBF);
        else if (byte >= 0xF1 && byte <= 0xF3)
            expect(3, 0x80, 0xBF);
        else if (byte == 0xF4)
            expect(3, 0x80, 0x8F);
        else
            return false;
        return true;
    }
    [[nodiscard]] bool complete() const noexcept { return missing_ == 0; }

private:
    void expect(int more, unsigned char low, unsigned char high) noexcept
    {
        missing_ = more;
        low_ = low;
        high_ = high;
    }
    int missing_ = 0;
    unsigned char low_ = 0;
    unsigned char high_ = 0;
};

// Builds the normal form segment by segment; dots and slashes are judged after decoding, so that %2e is a dot.
class path_builder {
public:
    explicit path_builder(std::string& out) noexcept : out_(out) {}

    path_problem build(std::string_view raw)
    {
        out_.clear();
        out_.reserve(raw.size());
        if (raw.empty() || raw.front() != '/') return path_problem::not_absolute;
        out_ = '/';
        for (std::size_t at = 1; at < raw.size();) {
            auto const problem = raw[at] == '%' ? take_escape(raw, at) : take_raw(raw[at], at);
            if (problem != path_problem::none) return problem;
        }
        if (!utf8_.complete()) return path_problem::invalid_utf8;
        return end_segment() ? path_problem::none : path_problem::above_root;
    }

private:
    path_problem take_raw(char c, std::size_t& at)
    {
        if (!utf8_.complete()) return path_problem::invalid_utf8;
        ++at;
        switch (class_of(static_cast<unsigned char>(c))) {
        case byte_class::forbidden: return path_problem::forbidden_byte;
        case byte_class::unsafe: append_escape(static_cast<unsigned char>(c)); return path_problem::none;
        case byte_class::unreserved: out_ += c; return path_problem::none;
        case byte_class::reserved: break;
        }
        if (c != '/') {
            out_ += c;
            return path_problem::none;
        }
        if (!end_segment()) return path_problem::above_root;
        if (out_.back() != '/') out_ += '/';
        return path_problem::none;
    }

    path_problem take_escape(std::string_view raw, std::size_t& at)
    {
        int const high = at + 2 < raw.size() ? hex_value(raw[at + 1]) : -1;
        int const low = at + 2 < raw.size() ? hex_value(raw[at + 2]) : -1;
        if (high < 0 || low < 0) return path_problem::malformed_escape;
        at += 3;
        auto const byte = static_cast<unsigned char>(high << 4 | low);
        if (byte >= 0x80 || !utf8_.complete()) {
            if (!utf8_.accept(byte)) return path_problem::invalid_utf8;
        } else if (byte < 0x20 || byte == 0x7F) {
            return path_problem::encoded_control;
        } else if (byte == '/' || byte == '\\') {
            return path_problem::encoded_separator;
        } else if (class_of(byte) == byte_class::unreserved) {
            out_ += static_cast<char>(byte);
            return path_problem::none;
        }
        append_escape(byte);
        return path_problem::none;
    }

    void append_escape(unsigned char byte)
    {
        static constexpr std::string_view hex = "0123456789ABCDEF";
        out_ += '%';
        out_ += hex[byte >> 4];
        out_ += hex[byte & 15];
    }

    // Resolves the last segment if it is `.` or `..`. False if that leads above the root.
    bool end_segment()
    {
        auto const slash = out_.rfind('/');
        auto const last = std::string_view{out_}.substr(slash + 1);
        if (last == ".") {
            out_.resize(slash + 1);
        } else if (last == "..") {
            if (slash == 0) return false;
            out_.resize(out_.rfind('/', slash - 1) + 1);
        }
        return true;
    }

    std::string& out_;
    utf8_check utf8_;
};

} // namespace

normalised normalise_path(std::string_view raw, std::string& out)
{
    out.clear();
    if (is_plain(raw)) return {.is_normal = true};
    auto const problem = path_builder{out}.build(raw);
    bool const is_normal = problem == path_problem::none && out == raw;
    if (problem != path_problem::none || is_normal) out.clear();
    return {problem, is_normal};
}

std::string_view describe(path_problem problem) noexcept
{
    switch (problem) {
    case path_problem::none: break;
    case path_problem::not_absolute: return "the path does not begin with '/'";
    case path_problem::forbidden_byte: return "the path holds a byte that must be escaped";
    case path_problem::malformed_escape: return "the path holds '%' without two hex digits behind it";
    case path_problem::encoded_separator: return "the path holds an escaped slash or backslash";
    case path_problem::encoded_control: return "the path holds an escaped control character";
    case path_problem::invalid_utf8: return "the path holds escapes that are not UTF-8";
    case path_problem::above_root: return "the path leads above '/'";
    }
    return "the path is in order";
}

} // namespace penstock::proxy
