// A text without a problem compiles, its captures are parts of the path, and a literal pattern matches itself.
#include "fuzz_targets.hpp"
#include "proxy/normal_path.hpp"
#include "proxy/path_pattern.hpp"

#include <string>

namespace penstock::fuzz {
namespace {

bool is_part_of(std::string_view part, std::string_view whole)
{
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

} // namespace

void path_pattern(std::string_view lines)
{
    auto const text = take_line(lines);
    auto const raw = take_line(lines);
    if (!proxy::path_pattern::problem_with(text).empty()) return;
    proxy::path_pattern const pattern{text};
    require(pattern.text() == text, "a pattern keeps its text");

    std::string out;
    proxy::path_captures captures;
    if (text.find_first_of("*{") == std::string_view::npos) {
        auto const itself = proxy::normalise_path(text, out);
        require(pattern.match(itself.is_normal ? text : std::string_view{out}, captures), "a literal pattern matches itself");
        require(captures.empty(), "and captures nothing");
    }
    auto const normal = proxy::normalise_path(raw, out);
    if (normal.problem != proxy::path_problem::none) return;
    std::string_view const path = normal.is_normal ? raw : std::string_view{out};
    if (!pattern.match(path, captures)) return;
    for (auto const& [name, value] : captures) {
        require(!name.empty() && !value.empty(), "a capture has a name and a value");
        require(is_part_of(value, path) && value.find('/') == std::string_view::npos, "a capture is one segment of the path");
    }
}

} // namespace penstock::fuzz
