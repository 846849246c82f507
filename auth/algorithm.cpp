#include "auth/algorithm.hpp"

namespace penstock::auth {

std::string_view name_of(algorithm which) noexcept
{
    switch (which) {
    case algorithm::rs256: return "RS256";
    case algorithm::ps256: return "PS256";
    case algorithm::es256: return "ES256";
    case algorithm::es384: return "ES384";
    case algorithm::eddsa: return "EdDSA";
    case algorithm::ed25519: return "Ed25519";
    case algorithm::hs256: return "HS256";
    }
    return {};
}

std::optional<algorithm> parse_algorithm(std::string_view name) noexcept
{
    for (auto const each : all_algorithms) {
        if (name_of(each) == name) return each;
    }
    return std::nullopt;
}

} // namespace penstock::auth
