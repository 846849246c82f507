#include "auth/claim_text.hpp"

#include "auth/token_settings.hpp"

#include <nlohmann/json.hpp>

namespace penstock::auth {
namespace {

using nlohmann::json;

std::string text_of(json const& value)
{
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_integer()) return value.dump();
    return {};
}

// How often `path` leads somewhere below `object`, whether or not what is there counts; `found` is the last such place. A name
// may itself hold dots (`https://example.com/tenant`), so every way to cut the path is tried.
unsigned follow(json const& object, std::string_view path, json const*& found)
{
    unsigned ways = 0;
    if (auto const whole = object.find(std::string(path)); whole != object.end()) {
        found = &*whole;
        ++ways;
    }
    for (auto dot = path.find('.'); dot != std::string_view::npos && ways < 2; dot = path.find('.', dot + 1)) {
        auto const inner = object.find(std::string(path.substr(0, dot)));
        if (inner != object.end() && inner->is_object()) ways += follow(*inner, path.substr(dot + 1), found);
    }
    return ways;
}

} // namespace

void gather_claims(json const& payload, std::span<std::string const> wanted, verified_token& into)
{
    struct piece {
        std::string_view path;
        std::size_t begin;
        std::size_t size;
    };
    std::vector<piece> pieces;
    for (auto const& path : wanted) {
        json const* found = nullptr;
        if (follow(payload, path, found) != 1) continue;
        auto const text = text_of(*found);
        if (text.empty() || text.size() > longest_claim_value) continue;
        pieces.push_back({path, into.text.size(), text.size()});
        into.text += text;
    }
    into.text.shrink_to_fit();
    into.claims.reserve(pieces.size()); // views only once the text stays where it is
    for (auto const& each : pieces)
        into.claims.push_back({each.path, std::string_view(into.text).substr(each.begin, each.size)});
}

} // namespace penstock::auth
