#include "conf/hash_secret.hpp"

#include <openssl/sha.h>

namespace penstock::conf {

partition::hash_secret hash_secret_from(std::string_view text)
{
    partition::hash_secret secret{};
    static_assert(secret.size() == SHA256_DIGEST_LENGTH);
    SHA256(reinterpret_cast<unsigned char const*>(text.data()), text.size(), secret.data());
    return secret;
}

partition::hash_secret public_hash_secret() { return hash_secret_from("penstock without redis.hash_secret"); }

} // namespace penstock::conf
