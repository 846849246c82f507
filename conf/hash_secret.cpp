#include "conf/hash_secret.hpp"

#include "partition/sha256.hpp"

#include <openssl/rand.h>

#include <stdexcept>

namespace penstock::conf {

partition::hash_secret hash_secret_from(std::string_view text) { return partition::hash_secret{partition::digest_of(text)}; }

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
