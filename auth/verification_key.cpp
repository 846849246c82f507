#include "auth/verification_key.hpp"

#include "auth/edwards_point.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <array>

namespace penstock::auth {
namespace {

struct freed {
    void operator()(EVP_PKEY* p) const noexcept { EVP_PKEY_free(p); }
    void operator()(EVP_PKEY_CTX* p) const noexcept { EVP_PKEY_CTX_free(p); }
    void operator()(EVP_MD_CTX* p) const noexcept { EVP_MD_CTX_free(p); }
    void operator()(BIGNUM* p) const noexcept { BN_free(p); }
    void operator()(OSSL_PARAM_BLD* p) const noexcept { OSSL_PARAM_BLD_free(p); }
    void operator()(OSSL_PARAM* p) const noexcept { OSSL_PARAM_free(p); }
    void operator()(ECDSA_SIG* p) const noexcept { ECDSA_SIG_free(p); }
};
template <class T>
using owned = std::unique_ptr<T, freed>;

unsigned char const* bytes_of(std::string_view text) noexcept { return reinterpret_cast<unsigned char const*>(text.data()); }

owned<BIGNUM> number_from(std::string_view bytes)
{
    return owned<BIGNUM>(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

// What a failed call leaves in the thread's queue would be taken for the reason of a later one.
struct quiet_errors {
    quiet_errors() = default;
    quiet_errors(quiet_errors const&) = delete;
    quiet_errors& operator=(quiet_errors const&) = delete;
    ~quiet_errors() { ERR_clear_error(); }
};

std::shared_ptr<EVP_PKEY> make_key(char const* type, OSSL_PARAM_BLD* parts)
{
    owned<OSSL_PARAM> const parameters(OSSL_PARAM_BLD_to_param(parts));
    owned<EVP_PKEY_CTX> const context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* made = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) <= 0)
        return nullptr;
    return {made, freed{}};
}

// Whether a point lies on its curve, and is none that every signature fits.
bool is_sound(EVP_PKEY* key)
{
    owned<EVP_PKEY_CTX> const context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    return context && EVP_PKEY_public_check(context.get()) == 1;
}

constexpr std::size_t coordinate_bytes(algorithm which) noexcept { return which == algorithm::es384 ? 48 : 32; }

// DER, as OpenSSL wants it, of R and S one behind the other. Empty if the length is another (AK-25).
std::string to_der(std::string_view signature, std::size_t half)
{
    if (signature.size() != 2 * half) return {};
    auto r = number_from(signature.substr(0, half));
    auto s = number_from(signature.substr(half));
    owned<ECDSA_SIG> const pair(ECDSA_SIG_new());
    if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
    static_cast<void>(r.release()); // the pair owns them now
    static_cast<void>(s.release());
    std::array<unsigned char, 128> der; // two numbers of 48 bytes and what DER adds
    auto* end = der.data();
    if (i2d_ECDSA_SIG(pair.get(), nullptr) > static_cast<int>(der.size())) return {};
    auto const size = i2d_ECDSA_SIG(pair.get(), &end);
    return size > 0 ? std::string(reinterpret_cast<char const*>(der.data()), static_cast<std::size_t>(size)) : std::string{};
}

bool has_mac(std::string const& secret, std::string_view text, std::string_view mac)
{
    std::array<unsigned char, 32> own;
    unsigned size = 0;
    return HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes_of(text), text.size(), own.data(), &size) !=
               nullptr &&
           size == own.size() && mac.size() == own.size() && CRYPTO_memcmp(own.data(), mac.data(), own.size()) == 0;
}

bool is_signed(verification_key const& key, std::string_view text, std::string_view signature)
{
    char const* digest = nullptr;
    switch (key.use) {
    case algorithm::rs256:
    case algorithm::ps256:
    case algorithm::es256: digest = "SHA256"; break;
    case algorithm::es384: digest = "SHA384"; break;
    case algorithm::eddsa:
    case algorithm::ed25519:
    case algorithm::hs256: break;
    }
    owned<EVP_MD_CTX> const context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;
    if (!context ||
        EVP_DigestVerifyInit_ex(context.get(), &options, digest, nullptr, nullptr, key.public_key.get(), nullptr) != 1)
        return false;
    // The salt is as long as the digest (RFC 7518 section 3.5).
    if (key.use == algorithm::ps256 && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) <= 0 ||
                                        EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) <= 0))
        return false;
    return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) == 1;
}

} // namespace

std::shared_ptr<evp_pkey_st> make_rsa(std::string_view modulus, std::string_view exponent, std::string& why)
{
    quiet_errors const quiet;
    constexpr int most_exponent_bits = 32; // 65537 in practice; a long one only costs time
    auto const n = modulus.size() <= most_rsa_bits / 8 ? number_from(modulus) : nullptr;
    auto const e = exponent.size() <= most_exponent_bits / 8 ? number_from(exponent) : nullptr;
    if (!n || BN_num_bits(n.get()) < least_rsa_bits) {
        why = n ? "its RSA modulus has " + std::to_string(BN_num_bits(n.get())) + " bits; 2048 to 8192 are accepted"
                : "its RSA modulus has more than 8192 bits";
        return nullptr;
    }
    if (!e || !BN_is_odd(e.get()) || BN_is_one(e.get())) {
        why = "its RSA exponent is even, 1 or longer than 32 bits; 65537 is usual";
        return nullptr;
    }
    owned<OSSL_PARAM_BLD> const parts(OSSL_PARAM_BLD_new());
    std::shared_ptr<EVP_PKEY> made;
    if (parts && OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
        OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1)
        made = make_key("RSA", parts.get());
    if (!made || !BN_is_odd(n.get())) {
        why = "its numbers make no RSA key";
        return nullptr;
    }
    return made;
}

std::shared_ptr<evp_pkey_st> make_ec(algorithm curve_of, std::string_view x, std::string_view y, std::string& why)
{
    quiet_errors const quiet;
    auto const size = coordinate_bytes(curve_of);
    why = "its coordinates are no point of its curve";
    if (x.size() != size || y.size() != size) return nullptr; // RFC 7518 section 6.2.1.2: full length
    std::string const point = '\x04' + std::string(x) + std::string(y);
    char const* const group = curve_of == algorithm::es384 ? "P-384" : "P-256";
    owned<OSSL_PARAM_BLD> const parts(OSSL_PARAM_BLD_new());
    if (!parts || OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
        return nullptr;
    auto made = make_key("EC", parts.get());
    if (!made || !is_sound(made.get())) return nullptr;
    why.clear();
    return made;
}

std::shared_ptr<evp_pkey_st> make_ed25519(std::string_view x, std::string& why)
{
    quiet_errors const quiet;
    std::shared_ptr<EVP_PKEY> made(
        x.size() == 32 ? EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, bytes_of(x), x.size()) : nullptr, freed{});
    if (!made) why = "its x is no Ed25519 key of 32 bytes";
    if (made && !is_sound_edwards_point(x)) {
        why = "its x is no point of Ed25519's curve, or one under which anybody can sign";
        made.reset();
    }
    return made;
}

bool same_key(verification_key const& a, verification_key const& b) noexcept
{
    quiet_errors const quiet;
    if (a.id != b.id || a.use != b.use || a.secret != b.secret) return false;
    if (!a.public_key || !b.public_key) return a.public_key == b.public_key;
    return EVP_PKEY_eq(a.public_key.get(), b.public_key.get()) == 1;
}

bool verify_signature(verification_key const& key, std::string_view text, std::string_view signature) noexcept
{
    quiet_errors const quiet;
    if (key.use == algorithm::hs256) return has_mac(key.secret, text, signature);
    if (!key.public_key) return false;
    if (key.use != algorithm::es256 && key.use != algorithm::es384) return is_signed(key, text, signature);
    auto const der = to_der(signature, coordinate_bytes(key.use));
    return !der.empty() && is_signed(key, text, der);
}

} // namespace penstock::auth
