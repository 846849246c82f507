#include "auth/compact_token.hpp"

#include "auth/base64url.hpp"

namespace penstock::auth {

std::optional<compact_token> split_token(std::string_view token) noexcept
{
    if (token.size() > longest_token) return std::nullopt;
    auto const first = token.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    auto const second = token.find('.', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    compact_token const parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
                              token.substr(0, second)};
    for (auto const part : {parts.header, parts.payload, parts.signature}) {
        if (part.empty() || part.size() % 4 == 1 || !is_base64url(part)) return std::nullopt; // a third dot is foreign
    }
    return parts;
}

} // namespace penstock::auth
