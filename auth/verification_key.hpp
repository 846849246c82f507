// One key that tokens are verified with, bound to one algorithm (AK-23), and the check of a signature with it. OpenSSL ends in
// verification_key.cpp, and its numbers in edwards_point.cpp. Immutable; any number of threads may use one at a time. Pure.
#pragma once

#include "auth/algorithm.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace penstock::auth {

inline constexpr int least_rsa_bits = 2048;
inline constexpr int most_rsa_bits = 8192; // beyond that a signature takes a worker's thread for milliseconds
inline constexpr std::size_t least_secret_bytes = 32;

struct verification_key {
    std::optional<std::string> id;           // `kid`
    algorithm use = algorithm::rs256;        // without_alias
    std::shared_ptr<evp_pkey_st> public_key; // of any but hs256
    std::string secret;                      // of hs256
};

// Big-endian unsigned numbers, as JWK has them. Null, with `why` set, if no sound key can be made of them.
std::shared_ptr<evp_pkey_st> make_rsa(std::string_view modulus, std::string_view exponent, std::string& why);
std::shared_ptr<evp_pkey_st> make_ec(algorithm curve_of, std::string_view x, std::string_view y, std::string& why);
std::shared_ptr<evp_pkey_st> make_ed25519(std::string_view x, std::string& why);

// Whether they verify the same signatures under the same name.
bool same_key(verification_key const& a, verification_key const& b) noexcept;

// `signature` as the bytes that JWS has: of ECDSA R and S one behind the other, never DER (AK-25).
bool verify_signature(verification_key const& key, std::string_view text, std::string_view signature) noexcept;

} // namespace penstock::auth
