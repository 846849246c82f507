// Keyed hashes of short values that came lately, so that an API key costs two blocks of SHA-256 once and not with each request of
// its caller: those are most of what its counter's name costs, and several times more where the processor has no instructions for
// them (docs/adr/0005-partition-keys.md). Holds no value: one is found by a SipHash of all its bytes, under a key that nobody
// knows. Belongs to one hash_secret. Of fixed size; a new value takes the place of an older one. One thread. Pure.
#pragma once

#include "base/stable_hash.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace penstock::partition {

class digest_cache {
public:
    using digest = std::array<std::uint8_t, 16>;
    static constexpr std::size_t capacity = 4096;

    // `random`: who does not know it cannot make a value that is taken for another.
    explicit digest_cache(base::hash_key random) : random_(random), entries_(capacity) {}

    struct place {
        digest& value;
        bool is_known; // else the caller writes it
    };
    place find_or_add(std::string_view bytes) noexcept
    {
        auto const tag = base::sip_hash_128<1, 3>(random_, bytes);
        auto& found = entries_[tag[0] % capacity];
        auto const is_known = found.tag == tag;
        found.tag = tag;
        return {found.value, is_known};
    }

private:
    struct entry {
        std::array<std::uint64_t, 2> tag{}; // no value has this one: one chance in 2^128
        digest value{};
    };

    base::hash_key random_;
    std::vector<entry> entries_;
};

} // namespace penstock::partition
