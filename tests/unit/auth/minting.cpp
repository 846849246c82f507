#include "tests/unit/auth/minting.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <map>
#include <stdexcept>

namespace penstock::minting {
namespace {

void require(bool holds)
{
    if (!holds) throw std::runtime_error("OpenSSL refused");
}

unsigned char const* bytes_of(std::string_view text) { return reinterpret_cast<unsigned char const*>(text.data()); }

std::string number(EVP_PKEY* key, char const* name, std::size_t size = 0)
{
    BIGNUM* value = nullptr;
    require(EVP_PKEY_get_bn_param(key, name, &value) == 1);
    auto const length = size != 0 ? size : static_cast<std::size_t>(BN_num_bytes(value));
    std::string bytes(length, '\0');
    require(BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(length)) >= 0);
    BN_free(value);
    return bytes;
}

std::size_t coordinate(auth::algorithm use) { return use == auth::algorithm::es384 ? 48 : 32; }

std::string raw_of(std::string const& der, std::size_t half)
{
    auto const* at = bytes_of(der);
    std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> const pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())),
                                                                     &ECDSA_SIG_free);
    require(pair != nullptr);
    std::string raw(2 * half, '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    require(BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, static_cast<int>(half)) >= 0);
    require(BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + half, static_cast<int>(half)) >= 0);
    return raw;
}

} // namespace

std::string base64url(std::string_view bytes)
{
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    auto const size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    while (text.ends_with('=')) text.pop_back();
    for (auto& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
}

signing_key::signing_key(auth::algorithm use, std::string id, int rsa_bits) : use_(use), id_(std::move(id))
{
    using auth::algorithm;
    EVP_PKEY* made = nullptr;
    switch (use_) {
    case algorithm::rs256:
    case algorithm::ps256: made = EVP_RSA_gen(static_cast<unsigned>(rsa_bits)); break;
    case algorithm::es256: made = EVP_EC_gen("P-256"); break;
    case algorithm::es384: made = EVP_EC_gen("P-384"); break;
    case algorithm::eddsa:
    case algorithm::ed25519: made = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"); break;
    case algorithm::hs256: break;
    }
    require(made != nullptr);
    key_ = {made, &EVP_PKEY_free};
}

std::string signing_key::jwk(std::string_view more) const
{
    using auth::algorithm;
    std::string text = R"({"kid":")" + id_ + '"';
    auto const member = [&](char const* name, std::string const& bytes) {
        text += std::string(",\"") + name + "\":\"" + base64url(bytes) + '"';
    };
    if (use_ == algorithm::rs256 || use_ == algorithm::ps256) {
        text += R"(,"kty":"RSA")";
        member("n", number(key_.get(), OSSL_PKEY_PARAM_RSA_N));
        member("e", number(key_.get(), OSSL_PKEY_PARAM_RSA_E));
    } else if (use_ == algorithm::es256 || use_ == algorithm::es384) {
        text += use_ == algorithm::es256 ? R"(,"kty":"EC","crv":"P-256")" : R"(,"kty":"EC","crv":"P-384")";
        member("x", number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, coordinate(use_)));
        member("y", number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, coordinate(use_)));
    } else {
        std::array<unsigned char, 32> raw;
        std::size_t size = raw.size();
        require(EVP_PKEY_get_raw_public_key(key_.get(), raw.data(), &size) == 1);
        text += R"(,"kty":"OKP","crv":"Ed25519")";
        member("x", {reinterpret_cast<char const*>(raw.data()), size});
    }
    return text.append(more).append("}");
}

std::string signing_key::der_signature(std::string_view text) const
{
    using auth::algorithm;
    char const* digest = use_ == algorithm::es384 ? "SHA384" : "SHA256";
    if (use_ == algorithm::eddsa || use_ == algorithm::ed25519) digest = nullptr;
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    EVP_PKEY_CTX* options = nullptr;
    require(EVP_DigestSignInit_ex(context.get(), &options, digest, nullptr, nullptr, key_.get(), nullptr) == 1);
    if (use_ == algorithm::ps256) {
        require(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1);
        require(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1);
    }
    std::string made(1024, '\0');
    auto size = made.size();
    require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(made.data()), &size, bytes_of(text), text.size()) ==
            1);
    made.resize(size);
    return made;
}

std::string signing_key::signature(std::string_view text) const
{
    auto made = der_signature(text);
    if (use_ == auth::algorithm::es256 || use_ == auth::algorithm::es384) return raw_of(made, coordinate(use_));
    return made;
}

std::string signing_key::pem() const
{
    std::unique_ptr<BIO, decltype(&BIO_free)> const out(BIO_new(BIO_s_mem()), &BIO_free);
    require(PEM_write_bio_PUBKEY(out.get(), key_.get()) == 1);
    char* text = nullptr;
    auto const size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

std::string signing_key::token(std::string_view header, std::string_view payload) const
{
    auto const text = base64url(header) + '.' + base64url(payload);
    return text + '.' + base64url(signature(text));
}

std::string signing_key::token(std::string_view payload) const
{
    return token(R"({"alg":")" + std::string(auth::name_of(use_)) + R"(","kid":")" + id_ + R"("})", payload);
}

signing_key const& key_of(auth::algorithm use, std::string_view of_whom)
{
    static std::map<std::string, signing_key> made;
    auto const id = std::string(of_whom) + '-' + std::string(auth::name_of(use));
    auto const found = made.find(id);
    return found != made.end() ? found->second : made.emplace(id, signing_key(use, id)).first->second;
}

std::string hs256(std::string_view secret, std::string_view header, std::string_view payload)
{
    auto const text = base64url(header) + '.' + base64url(payload);
    std::array<unsigned char, 32> mac;
    unsigned size = 0;
    require(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes_of(text), text.size(), mac.data(),
                 &size) != nullptr);
    return text + '.' + base64url({reinterpret_cast<char const*>(mac.data()), size});
}

std::string jwks(std::string_view first, std::string_view second)
{
    std::string text = R"({"keys":[)";
    text.append(first);
    if (!second.empty()) text.append(",").append(second);
    return text + "]}";
}

} // namespace penstock::minting
