#include "auth/refusal.hpp"

namespace penstock::auth {

std::string_view name_of(refusal why) noexcept
{
    switch (why) {
    case refusal::none: return "accepted";
    case refusal::request: return "request";
    case refusal::too_long: return "too_long";
    case refusal::format: return "format";
    case refusal::algorithm: return "algorithm";
    case refusal::critical: return "critical";
    case refusal::type: return "type";
    case refusal::issuer: return "issuer";
    case refusal::key: return "key";
    case refusal::no_keys: return "no_keys";
    case refusal::signature: return "signature";
    case refusal::expired: return "expired";
    case refusal::too_early: return "too_early";
    case refusal::claims: return "claims";
    case refusal::audience: return "audience";
    case refusal::scope: return "scope";
    }
    return "unknown";
}

std::string_view describe(refusal why) noexcept
{
    switch (why) {
    case refusal::none: return "The token is accepted.";
    case refusal::request: return "The request must present one token, as Authorization: Bearer TOKEN.";
    case refusal::too_long: return "The token is longer than 8192 bytes.";
    case refusal::format: return "The token is not a signed JSON Web Token.";
    case refusal::algorithm: return "The token's algorithm is not accepted.";
    case refusal::critical: return "The token needs an extension that is not supported.";
    case refusal::type: return "The token is of another type.";
    case refusal::issuer: return "The token's issuer is not accepted.";
    case refusal::key: return "The token's key is not known.";
    case refusal::no_keys: return "The issuer's keys are not known at the moment.";
    case refusal::signature: return "The token's signature is wrong.";
    case refusal::expired: return "The token has expired.";
    case refusal::too_early: return "The token is not valid yet.";
    case refusal::claims: return "The token's claims are incomplete or malformed.";
    case refusal::audience: return "The token is meant for another audience.";
    case refusal::scope: return "The token lacks a scope that is required here.";
    }
    return {};
}

} // namespace penstock::auth
