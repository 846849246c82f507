#include "conf/credential_source.hpp"

#include "conf/key_language.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace penstock::conf {
namespace {

using place = credential_source::place;

constexpr std::array<std::pair<std::string_view, place>, 4> words{{{"header ", place::header},
                                                                   {"authorization ", place::authorization},
                                                                   {"query ", place::query},
                                                                   {"cookie ", place::cookie}}};
constexpr std::array<std::string_view, 3> schemes{"apikey", "bearer", "basic"};

} // namespace

std::optional<credential_source> parse_credential_source(std::string_view text)
{
    for (auto const& [word, where] : words) {
        if (!text.starts_with(word)) continue;
        auto const name = text.substr(word.size());
        if (!is_field_name(name)) return std::nullopt; // of a cookie (RFC 6265 4.1.1) and a scheme, too, a token
        if (where == place::query && name.find_first_of("&+%") != std::string_view::npos)
            return std::nullopt; // of no parameter
        if (where == place::query || where == place::cookie) return credential_source{where, std::string{name}};
        credential_source made{where, lower_case(name)};
        if (where == place::authorization && std::find(schemes.begin(), schemes.end(), made.name) == schemes.end())
            return std::nullopt;
        return made;
    }
    return std::nullopt;
}

} // namespace penstock::conf
