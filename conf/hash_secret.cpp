#include "conf/hash_secret.hpp"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include <stdexcept>

namespace penstock::conf {

partition::hash_secret hash_secret_from(std::string_view text)
{
    partition::hash_secret secret{};
    static_assert(secret.size() == SHA256_DIGEST_LENGTH);
    SHA256(reinterpret_cast<unsigned char const*>(text.data()), text.size(), secret.data());
    return secret;
}

partition::hash_secret public_hash_secret() { return hash_secret_from("penstock without redis.hash_secret"); }

partition::hash_secret process_hash_secret()
{
    static auto const drawn = [] {
        partition::hash_secret secret{};
        if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1)
            throw std::runtime_error("the system has no random numbers to give");
        return secret;
    }();
    return drawn;
}

} // namespace penstock::conf
