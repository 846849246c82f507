#include "proxy/path_pattern.hpp"

#include "proxy/normal_path.hpp"

#include <algorithm>

namespace penstock::proxy {
namespace {

constexpr std::size_t npos = std::string_view::npos;

constexpr bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr int hex_digit(char c) noexcept { return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10; }

// The byte at the front of normal text, one escape counting as the byte that it stands for; cuts it off.
char take_byte(std::string_view& text) noexcept
{
    char byte = text.front();
    std::size_t taken = 1;
    if (byte == '%') {
        byte = static_cast<char>(hex_digit(text[1]) << 4 | hex_digit(text[2]));
        taken = 3;
    }
    text.remove_prefix(taken);
    return byte;
}

// An upstream may read `%3A` as `:`, so that both spellings take the same route.
bool same_segment(std::string_view segment, std::string_view literal) noexcept
{
    if (segment == literal) return true;
    if (segment.find('%') == npos && literal.find('%') == npos) return false;
    while (!segment.empty() && !literal.empty())
        if (take_byte(segment) != take_byte(literal)) return false;
    return segment.empty() && literal.empty();
}

// A literal as requests will spell it: `%6c` is `l`.
std::string normal_segment(std::string_view literal)
{
    auto path = '/' + std::string{literal};
    std::string normal;
    if (!normalise_path(path, normal).is_normal) path = normal;
    return path.substr(1);
}

// Calls `visit(segment, is_last)` for each segment between slashes until it returns words.
template <class Visitor>
std::string first_words(std::string_view text, Visitor visit)
{
    text.remove_prefix(1);
    for (;;) {
        auto const slash = text.find('/');
        auto words = visit(text.substr(0, slash), slash == npos);
        if (!words.empty() || slash == npos) return words;
        text.remove_prefix(slash + 1);
    }
}

std::string problem_with_capture(std::string_view segment)
{
    if (segment.size() < 3 || segment.back() != '}') return "a capture is a whole segment, like {id}";
    auto const name = segment.substr(1, segment.size() - 2);
    bool const good = is_letter(name.front()) &&
                      std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
    return good ? std::string{} : "the name of a capture is a letter or '_', then letters, digits, '_' and '-'";
}

std::string problem_with_segment(std::string_view segment, bool is_last)
{
    if (segment.empty()) return is_last ? std::string{} : "'//' never matches: paths are matched with slashes merged";
    if (segment == "*") return {};
    if (segment == "**") return is_last ? std::string{} : "'**' is the last segment or none";
    if (segment.find('*') != npos) return "'*' and '**' are whole segments, like /a/*";
    if (segment.front() == '{') return problem_with_capture(segment);
    if (segment.find_first_of("{}") != npos) return "a capture is a whole segment, like {id}";
    std::string normal;
    auto const alone = normalise_path('/' + std::string{segment}, normal);
    bool const is_dots = alone.problem != path_problem::none || normal == "/";
    return is_dots ? "dot segments never match: paths are matched without them" : std::string{};
}

} // namespace

std::string path_pattern::problem_with(std::string_view text)
{
    if (text.empty() || text.front() != '/') return "a path pattern begins with '/'";
    std::string normal;
    auto const problem = normalise_path(text, normal).problem;
    if (problem != path_problem::none) return std::string{describe(problem)};

    std::vector<std::string_view> names;
    return first_words(text, [&](std::string_view segment, bool is_last) -> std::string {
        auto words = problem_with_segment(segment, is_last);
        if (!words.empty() || !segment.starts_with('{')) return words;
        if (std::find(names.begin(), names.end(), segment) != names.end()) return "two captures have the same name";
        names.push_back(segment);
        if (names.size() > path_captures::static_capacity) return "more than 8 captures";
        return {};
    });
}

path_pattern::path_pattern(std::string_view text) : text_(text)
{
    segments_.clear();
    first_words(text, [&](std::string_view part, bool) -> std::string {
        using enum segment::kind;
        if (part == "*") {
            segments_.push_back({any_one, {}});
        } else if (part == "**") {
            segments_.push_back({any_rest, {}});
        } else if (part.starts_with('{')) {
            segments_.push_back({capture, std::string{part.substr(1, part.size() - 2)}});
        } else {
            segments_.push_back({literal, normal_segment(part)});
        }
        return {};
    });
}

bool path_pattern::match(std::string_view path, path_captures& captures) const noexcept
{
    captures.clear();
    std::size_t at = 0; // the slash in front of the next segment
    for (auto const& wanted : segments_) {
        if (wanted.matches == segment::kind::any_rest) return true;
        if (at >= path.size()) return false;
        auto const end = std::min(path.find('/', at + 1), path.size());
        auto const part = path.substr(at + 1, end - at - 1);
        if (wanted.matches == segment::kind::literal ? !same_segment(part, wanted.text) : part.empty()) return false;
        if (wanted.matches == segment::kind::capture) captures.push_back({wanted.text, part});
        at = end;
    }
    return at == path.size();
}

} // namespace penstock::proxy
