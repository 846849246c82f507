// AK-20, AK-26, AK-27: whatever the bytes of a token, it is refused unless our key has signed them, and looking at one of its
// parts alone says nothing that the whole does not.
#include "auth/base64url.hpp"
#include "auth/compact_token.hpp"
#include "auth/strict_json.hpp"
#include "auth/verify.hpp"
#include "fuzz_targets.hpp"

#include <array>

namespace penstock::fuzz {
namespace {

constexpr std::int64_t now_us = 1'300'819'000'000'000; // before `exp` of the corpus

struct issuer_of_corpus {
    auth::token_settings settings;
    std::array<auth::key_set_ptr, 1> keys{auth::key_set_of_secret("0123456789abcdef0123456789abcdef")};

    issuer_of_corpus()
    {
        auth::issuer one;
        one.name = "joe";
        one.algorithms = {auth::algorithm::hs256};
        settings.issuers.push_back(std::move(one));
        settings.claims = {"a.b", "sub"};
    }
};

} // namespace

void token(std::string_view text)
{
    static issuer_of_corpus const corpus;
    auto const parts = auth::split_token(text);
    auto const seen = auth::verify(corpus.settings, corpus.keys, text, now_us);
    require((seen.why == auth::refusal::none) == (seen.token != nullptr), "a token is accepted or refused");
    require(parts.has_value() || seen.why == auth::refusal::format || seen.why == auth::refusal::too_long,
            "what is no token is refused as such");
    if (seen.token) {
        auto const key = corpus.keys[0]->find(nullptr, auth::algorithm::hs256);
        auto const mac = auth::decode_base64url(parts->signature);
        require(mac && auth::verify_signature(*key, parts->signed_text, *mac), "what is accepted is signed");
        for (auto const& each : seen.token->claims)
            require(!each.value.empty() && each.value.size() <= auth::longest_claim_value, "a claim has 1 to 256 bytes");
    }
    if (auto const bytes = auth::decode_base64url(text)) {
        require(bytes->size() == text.size() * 3 / 4, "base64url says how many bytes it is");
        if (auto const parsed = auth::parse_strict(*bytes, 8)) require(!parsed->is_discarded(), "JSON is whole");
    }
    if (auto const parsed = auth::parse_strict(text, 8))
        require(auth::parse_strict(parsed->dump(), 8) == parsed, "what is read as JSON is read again as the same");
}

} // namespace penstock::fuzz
