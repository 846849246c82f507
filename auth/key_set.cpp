#include "auth/key_set.hpp"

#include "auth/base64url.hpp"
#include "auth/strict_json.hpp"

#include <algorithm>
#include <array>

namespace penstock::auth {
namespace {

using nlohmann::json;

constexpr int most_depth = 8;

// Which algorithms a key of this type and curve can serve.
std::vector<algorithm> fitting(std::string const& type, std::string const* curve)
{
    if (type == "RSA") return {algorithm::rs256, algorithm::ps256};
    if (type == "EC" && curve && *curve == "P-256") return {algorithm::es256};
    if (type == "EC" && curve && *curve == "P-384") return {algorithm::es384};
    if (type == "OKP" && curve && *curve == "Ed25519") return {algorithm::ed25519};
    return {};
}

// What makes the private half of any kind of key here (RFC 7518 6.2.2, 6.3.2; RFC 8037 2).
bool is_private(json const& jwk)
{
    return std::ranges::any_of(std::array{"d", "p", "q", "dp", "dq", "qi", "oth"},
                               [&](char const* each) { return jwk.contains(each); });
}

bool lets_verify(json const& operations)
{
    return operations.is_array() && std::ranges::any_of(operations, [](json const& each) { return each == "verify"; });
}

class jwk_reader {
public:
    jwk_reader(json const& jwk, std::span<algorithm const> accepted, key_note& note)
        : jwk_(jwk), accepted_(accepted), note_(note)
    {}

    std::optional<verification_key> read()
    {
        auto const* type = jwk_.is_object() ? find_text(jwk_, "kty") : nullptr;
        if (!type) return refuse("it is no key with a kty");
        if (*type == "oct") return leave_out("a secret has no place in a set of public keys");
        // Whoever sees the set can sign with it, so it vouches for nobody, whatever it was meant for.
        if ((*type == "RSA" || *type == "EC" || *type == "OKP") && is_private(jwk_))
            return refuse("it holds its private half, with which whoever reads it can sign; publish public keys only");
        auto const fits = fitting(*type, find_text(jwk_, "crv"));
        if (fits.empty()) return leave_out("its kty and crv are not supported");
        if (auto const use = jwk_.find("use"); use != jwk_.end() && *use != "sig") return leave_out("its use is not sig");
        if (auto const operations = jwk_.find("key_ops"); operations != jwk_.end() && !lets_verify(*operations))
            return leave_out("its key_ops do not say verify");
        auto const use = choose(fits);
        if (!use) return std::nullopt;
        verification_key made{.id = {}, .use = *use, .public_key = {}, .secret = {}};
        if (auto const id = jwk_.find("kid"); id != jwk_.end()) {
            if (!id->is_string() || id->get_ref<std::string const&>().size() > longest_key_id)
                return refuse("its kid is no string of at most 256 bytes");
            made.id = id->get<std::string>();
        }
        made.public_key = *type == "RSA"  ? make_rsa(member("n"), member("e"), note_.why)
                          : *type == "EC" ? make_ec(*use, member("x"), member("y"), note_.why)
                                          : make_ed25519(member("x"), note_.why);
        if (!made.public_key) return refuse(note_.why);
        return made;
    }

private:
    std::optional<verification_key> leave_out(std::string why) { return note(key_note::kind::left_out, std::move(why)); }
    std::optional<verification_key> refuse(std::string why) { return note(key_note::kind::refused, std::move(why)); }
    std::optional<verification_key> note(key_note::kind what, std::string why)
    {
        note_.what = what;
        note_.why = std::move(why);
        return std::nullopt;
    }

    // The one algorithm that this key will serve.
    std::optional<algorithm> choose(std::vector<algorithm> const& fits)
    {
        auto const is_fitting = [&](algorithm each) { return std::ranges::find(fits, without_alias(each)) != fits.end(); };
        if (auto const named = jwk_.find("alg"); named != jwk_.end()) {
            auto const which = named->is_string() ? parse_algorithm(named->get_ref<std::string const&>()) : std::nullopt;
            auto const is_accepted = which && std::ranges::any_of(accepted_, [&](algorithm each) {
                                         return without_alias(each) == without_alias(*which);
                                     });
            if (!is_accepted)
                leave_out("its alg is not among the issuer's algorithms");
            else if (!is_fitting(*which))
                refuse("its alg does not go with its kty and crv");
            else
                return without_alias(*which);
            return std::nullopt;
        }
        auto const first = std::ranges::find_if(accepted_, is_fitting);
        if (first != accepted_.end()) return without_alias(*first);
        leave_out("none of the issuer's algorithms goes with it");
        return std::nullopt;
    }

    [[nodiscard]] std::string member(char const* name) const
    {
        auto const* text = find_text(jwk_, name);
        return text ? decode_base64url(*text).value_or(std::string{}) : std::string{};
    }

    json const& jwk_;
    std::span<algorithm const> accepted_;
    key_note& note_;
};

bool is_taken(std::vector<verification_key> const& keys, verification_key const& made)
{
    return std::ranges::any_of(keys, [&](auto const& each) { return each.id == made.id && each.use == made.use && made.id; });
}

read_key_set unusable(std::string problem, std::vector<key_note> notes = {})
{
    return {.keys = nullptr, .problem = std::move(problem), .notes = std::move(notes)};
}

} // namespace

verification_key const* key_set::find(std::string const* id, algorithm use) const noexcept
{
    verification_key const* found = nullptr;
    for (auto const& each : keys_) {
        if (each.use != without_alias(use) || (id && each.id && *each.id != *id)) continue;
        if (id && each.id) return &each;
        if (id && each.use != algorithm::hs256) continue; // a shared secret has no name, whatever the issuer calls it
        if (found) return nullptr;
        found = &each;
    }
    return found;
}

bool same_keys(key_set const& a, key_set const& b) noexcept { return std::ranges::equal(a.keys(), b.keys(), same_key); }

read_key_set parse_key_set(std::string_view text, std::span<algorithm const> accepted)
{
    if (text.size() > most_key_set_bytes) return unusable("is larger than 256 KiB");
    auto const document = parse_strict(text, most_depth);
    if (!document || !document->is_object()) return unusable("is no JSON object in which every name stands once");
    auto const list = document->find("keys");
    if (list == document->end() || !list->is_array()) return unusable("has no list of keys");
    if (list->size() > most_keys) return unusable("has more than 100 keys");
    std::vector<verification_key> keys;
    std::vector<key_note> notes;
    for (std::size_t i = 0; i < list->size(); ++i) {
        key_note note{.what = key_note::kind::left_out, .index = i, .why = {}};
        auto made = jwk_reader((*list)[i], accepted, note).read();
        if (made && is_taken(keys, *made)) {
            note.what = key_note::kind::refused;
            note.why = "its kid is that of another key for the same algorithm";
            made.reset();
        }
        if (made)
            keys.push_back(std::move(*made));
        else
            notes.push_back(std::move(note));
    }
    if (keys.empty()) return unusable("has no key that can verify a token of this issuer", std::move(notes));
    return {.keys = std::make_shared<key_set const>(std::move(keys)), .problem = {}, .notes = std::move(notes)};
}

key_set_ptr key_set_of_secret(std::string secret)
{
    std::vector<verification_key> keys;
    keys.push_back({.id = {}, .use = algorithm::hs256, .public_key = {}, .secret = std::move(secret)});
    return std::make_shared<key_set const>(std::move(keys));
}

} // namespace penstock::auth
