#include "conf/hash_secret.hpp"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include <stdexcept>

namespace penstock::conf {

partition::hash_secret hash_secret_from(std::string_view text)
{
    partition::hash_secret::bytes digest{};
    static_assert(digest.size() == SHA256_DIGEST_LENGTH);
    SHA256(reinterpret_cast<unsigned char const*>(text.data()), text.size(), digest.data());
    return partition::hash_secret{digest};
}

partition::hash_secret public_hash_secret() { return hash_secret_from("penstock without redis.hash_secret"); }

partition::hash_secret process_hash_secret()
{
    static auto const drawn = [] {
        partition::hash_secret::bytes random{};
        if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
            throw std::runtime_error("the system has no random numbers to give");
        return partition::hash_secret{random};
    }();
    return drawn;
}

} // namespace penstock::conf
