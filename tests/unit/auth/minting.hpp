// Keys and tokens made on the spot, with OpenSSL and without any code of auth/: good ones, and whatever else a test wants to
// say and to sign. Used by the tests of auth/ and gateway/.
#pragma once

#include "auth/algorithm.hpp"

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

namespace penstock::minting {

std::string base64url(std::string_view bytes);

class signing_key {
public:
    // Makes a new key. `rsa_bits` only of RSA.
    explicit signing_key(auth::algorithm use, std::string id, int rsa_bits = 2048);

    [[nodiscard]] std::string jwk(std::string_view more = {}) const;      // `more`: further members, `,"use":"sig"`
    [[nodiscard]] std::string signature(std::string_view text) const;     // as JWS has it
    [[nodiscard]] std::string der_signature(std::string_view text) const; // of ECDSA as DER has it
    [[nodiscard]] std::string pem() const;                                // of the public half
    [[nodiscard]] std::string const& id() const noexcept { return id_; }
    [[nodiscard]] auth::algorithm use() const noexcept { return use_; }

    // A token with exactly this header and payload.
    [[nodiscard]] std::string token(std::string_view header, std::string_view payload) const;
    // With the header that belongs to this key.
    [[nodiscard]] std::string token(std::string_view payload) const;

private:
    auth::algorithm use_;
    std::string id_;
    std::shared_ptr<EVP_PKEY> key_;
};

// A key of each algorithm but HS256, made once in this process. `of_whom` tells several apart.
signing_key const& key_of(auth::algorithm use, std::string_view of_whom = "issuer");

std::string hs256(std::string_view secret, std::string_view header, std::string_view payload);

std::string jwks(std::string_view first, std::string_view second = {}); // of JWKs

} // namespace penstock::minting
