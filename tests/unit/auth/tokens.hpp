// An issuer, its keys and its settings as most tests of auth/ want them: https://id.example.com/ with audience `api`, every
// algorithm with public keys, and a moment at which its tokens are good.
#pragma once

#include "auth/verify.hpp"
#include "tests/unit/auth/minting.hpp"

#include <array>
#include <string>
#include <vector>

namespace penstock::auth {

inline constexpr std::int64_t now_s = 1'800'000'000;
inline constexpr std::int64_t now_us = now_s * 1'000'000;

inline std::vector<algorithm> const& public_algorithms()
{
    static std::vector const all{algorithm::rs256, algorithm::ps256, algorithm::es256,
                                 algorithm::es384, algorithm::eddsa, algorithm::ed25519};
    return all;
}

// Of one issuer: one key for each of its algorithms, each saying which.
inline std::string jwks_of(std::string_view issuer_name, std::vector<algorithm> const& algorithms)
{
    std::string text = R"({"keys":[)";
    for (auto const use : algorithms) {
        if (text.back() != '[') text += ',';
        text += minting::key_of(use, issuer_name).jwk(R"(,"use":"sig","alg":")" + std::string(name_of(use)) + '"');
    }
    return text + "]}";
}

struct world {
    token_settings settings;
    std::vector<key_set_ptr> keys;

    world()
    {
        add("https://id.example.com/", "issuer");
        settings.claims = {"plan", "realm.tenant", "sub"};
    }

    issuer& add(std::string name, std::string_view keys_of)
    {
        settings.issuers.push_back({.name = std::move(name),
                                    .audiences = {"api"},
                                    .algorithms = public_algorithms(),
                                    .type = {},
                                    .scopes = {},
                                    .source = {},
                                    .keys = {}});
        keys.push_back(parse_key_set(jwks_of(keys_of, public_algorithms()), public_algorithms()).keys);
        return settings.issuers.back();
    }

    [[nodiscard]] verification look_at(std::string_view token, std::int64_t at_us = now_us) const
    {
        return verify(settings, keys, token, at_us);
    }
    [[nodiscard]] std::string_view refusal_of(std::string_view token, std::int64_t at_us = now_us) const
    {
        return name_of(look_at(token, at_us).why);
    }
};

// The payload of a good token; `more` begins with a comma.
inline std::string good_payload(std::string_view more = R"(,"sub":"acme")")
{
    return R"({"iss":"https://id.example.com/","aud":"api","exp":)" + std::to_string(now_s + 300) + std::string(more) + '}';
}

} // namespace penstock::auth
