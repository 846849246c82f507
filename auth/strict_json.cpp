#include "auth/strict_json.hpp"

#include <set>
#include <string>
#include <vector>

namespace penstock::auth {

using nlohmann::json;

std::optional<json> parse_strict(std::string_view text, int most_depth)
{
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    // The parser takes a NUL for the end of its input, and skips a mark.
    if (text.find('\0') != std::string_view::npos || text.starts_with(byte_order_mark)) return std::nullopt;

    bool is_strict = true;
    std::vector<std::set<std::string>> names; // of the objects that are open
    auto const watch = [&](int depth, json::parse_event_t event, json& value) {
        switch (event) {
        case json::parse_event_t::object_start:
            is_strict = is_strict && depth < most_depth;
            names.emplace_back();
            break;
        case json::parse_event_t::array_start: is_strict = is_strict && depth < most_depth; break;
        case json::parse_event_t::key:
            is_strict = names.back().insert(value.get_ref<std::string const&>()).second && is_strict;
            break;
        case json::parse_event_t::object_end: names.pop_back(); break;
        case json::parse_event_t::array_end:
        case json::parse_event_t::value: break;
        }
        return true;
    };
    auto parsed = json::parse(text.begin(), text.end(), watch, /*allow_exceptions=*/false);
    if (parsed.is_discarded() || !is_strict) return std::nullopt;
    return parsed;
}

std::string const* find_text(json const& object, char const* name)
{
    auto const found = object.find(name);
    return found != object.end() && found->is_string() ? found->get_ptr<std::string const*>() : nullptr;
}

} // namespace penstock::auth
