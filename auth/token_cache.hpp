// Tokens that have been verified, by a keyed hash of all their bytes (AK-36), so that a caller's signature is checked once and
// not with each request. Holds no token, only what it said. Bounded: the one that was unused for longest makes room. One
// worker's thread. Pure.
#pragma once

#include "auth/verified_token.hpp"
#include "base/stable_hash.hpp"

#include <array>
#include <cstdint>
#include <list>
#include <string_view>
#include <unordered_map>

namespace penstock::auth {

using cache_key = std::array<std::uint64_t, 2>;

class token_cache {
public:
    // `secret` is random: who does not know it cannot make a token that is taken for another. Two tokens of his own that collide
    // would gain a caller nothing, and one that collides with somebody else's takes that one's hash, so the fewest rounds do.
    token_cache(std::size_t most, base::hash_key secret) : most_(most), secret_(secret) {}
    token_cache(token_cache const&) = delete; // its index holds iterators into its list
    token_cache& operator=(token_cache const&) = delete;

    [[nodiscard]] cache_key key_of(std::string_view token) const noexcept { return base::sip_hash_128<1, 3>(secret_, token); }

    // Null if it is not here. One that has ended, or was verified with keys of another version, is forgotten.
    verified_token_ptr find(cache_key const& key, std::int64_t now_us, std::span<std::uint64_t const> key_set_versions);
    void insert(cache_key const& key, verified_token_ptr token);
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
    struct entry {
        cache_key key;
        verified_token_ptr token;
    };
    struct first_word {
        std::size_t operator()(cache_key const& key) const noexcept { return key[0]; } // it is random already
    };
    using entries = std::list<entry>; // the one used last in front

    std::size_t most_;
    base::hash_key secret_;
    entries entries_;
    std::unordered_map<cache_key, entries::iterator, first_word> index_;
};

} // namespace penstock::auth
