#include "conf/api_key_book.hpp"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include <stdexcept>

namespace penstock::conf {

api_key_book::api_key_book(std::vector<known_api_key> keys) : keys_(std::move(keys))
{
    if (RAND_bytes(secret_.data(), static_cast<int>(secret_.size())) != 1)
        throw std::runtime_error("the system has no random numbers to give");
    fields_.reserve(keys_.size());
    for (auto const& key : keys_) {
        auto& fields = fields_.emplace_back();
        for (auto const& [name, value] : key.attributes) fields.push_back({name, value});
        entries_.emplace(keyed(key.sha256), entry{key.name, fields});
    }
}

api_key_book::entry const* api_key_book::find(std::string_view presented) const noexcept
{
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
    SHA256(reinterpret_cast<unsigned char const*>(presented.data()), presented.size(), digest.data());
    auto const found = entries_.find(keyed(digest));
    return found == entries_.end() ? nullptr : &found->second;
}

api_key_book::keyed_digest api_key_book::keyed(std::array<std::uint8_t, 32> const& digest) const noexcept
{
    return partition::keyed_hash(secret_, {reinterpret_cast<char const*>(digest.data()), digest.size()});
}

} // namespace penstock::conf
