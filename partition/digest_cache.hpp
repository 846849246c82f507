// Keyed hashes of values that came lately, so that an API key costs its blocks of SHA-256 once and not with each request of its
// caller: those are most of what its counter's name costs, and several times more where the processor has no instructions for
// them (docs/adr/0005-partition-keys.md). Holds no value: one is found by a SipHash of all its bytes, under a key that nobody
// knows. Belongs to one hash_secret. Of fixed size; a new value takes the place of an older one. One thread. Pure.
#pragma once

#include "base/stable_hash.hpp"
#include "partition/keyed_hasher.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace penstock::partition {

class digest_cache {
public:
    using digest = keyed_hasher::digest;
    static constexpr std::size_t capacity = 4096;

    // `random`: who does not know it cannot make a value that is taken for another.
    explicit digest_cache(base::hash_key random) : random_(random), sets_(capacity / ways) {}

    struct place {
        digest& value; // good until the next call
        bool is_known; // else the caller writes it
    };
    place find_or_add(std::string_view bytes) noexcept
    {
        auto const tag = base::sip_hash_128<1, 3>(random_, bytes);
        auto& set = sets_[tag[0] % sets_.size()];
        for (auto& each : set)
            if (each.tag == tag) return {each.value, true};
        std::shift_right(set.begin(), set.end(), 1); // the one that came first goes
        set.front().tag = tag;
        return {set.front().value, false};
    }

private:
    static constexpr std::size_t ways = 4; // places that a value may stand in, so that busy ones seldom drive each other out

    struct entry {
        std::array<std::uint64_t, 2> tag{}; // no value has this one: one chance in 2^128
        digest value{};
    };

    base::hash_key random_;
    std::vector<std::array<entry, ways>> sets_;
};

} // namespace penstock::partition
