// The keyed hash of a text that comes in pieces: one that came lately is found in a cache, any other is hashed. Lives on the
// stack, allocates nothing. Used by identity_writer only. Pure.
#pragma once

#include "partition/digest_cache.hpp"
#include "partition/keyed_hasher.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

namespace penstock::partition {

class text_hasher {
public:
    // Bytes of the longest text that a cache is asked for. An API key has no more, and nearly nothing else does.
    static constexpr std::size_t longest_kept = 512;

    // Both must outlive it. `lately` may be null.
    text_hasher(hash_secret const& secret, digest_cache* lately) noexcept : secret_(secret), lately_(lately) {}

    void update(std::string_view bytes) noexcept
    {
        if (bytes.empty()) return; // it may view nothing
        if (hasher_ || bytes.size() > longest_kept - size_) return update_longer(bytes);
        std::memcpy(text_.data() + size_, bytes.data(), bytes.size());
        size_ += bytes.size();
    }
    [[nodiscard]] digest_cache::digest finish() noexcept; // once

private:
    void update_longer(std::string_view bytes) noexcept;

    hash_secret const& secret_;
    digest_cache* lately_;
    std::size_t size_ = 0;
    std::array<char, longest_kept> text_; // size_ bytes of it are valid
    std::optional<keyed_hasher> hasher_;  // of a longer text, which is not kept
};

} // namespace penstock::partition
