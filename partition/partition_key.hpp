// The bytes that name one counter, the same in memory and in Redis: PREFIX{IDENTITY}:LIMIT, with IDENTITY readable
// (`ip=203.0.113.9`, `route=products`) where it is no credential, percent-escaped so that two descriptors can never meet
// (AK-11) and no caller can choose a cluster slot, and replaced by a keyed 128-bit hash where it may be a credential
// or is longer than 64 bytes. Lives on the stack: no allocation. Pure.
#pragma once

#include "partition/descriptor.hpp"
#include "partition/hash_secret.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace penstock::partition {

class digest_cache;

// Bytes of one key, at most `capacity` of them. Trivially copyable.
class partition_key {
public:
    static constexpr std::size_t capacity = 222;

    partition_key() noexcept : size_(0) {}
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    // Appends; what would not fit is cut (the compiler of the configuration keeps every key under `capacity`).
    void append(std::string_view text) noexcept
    {
        auto const room = capacity - size_;
        auto const n = text.size() < room ? text.size() : room;
        std::memcpy(bytes_.data() + size_, text.data(), n);
        size_ = static_cast<std::uint8_t>(size_ + n);
    }
    void push_back(char c) noexcept
    {
        if (size_ < capacity) bytes_[size_++] = c;
    }
    void clear() noexcept { size_ = 0; }
    // Keeps the first `size` bytes.
    void truncate(std::size_t size) noexcept { size_ = static_cast<std::uint8_t>(size); }
    // Replaces bytes that are there.
    void overwrite(std::size_t at, std::string_view text) noexcept
    {
        std::memcpy(bytes_.data() + at, text.data(), text.size());
    }

    friend bool operator==(partition_key const& a, partition_key const& b) noexcept { return a.view() == b.view(); }

private:
    std::array<char, capacity> bytes_; // only the first size_ bytes are ever read
    std::uint8_t size_;
};

// Digits of a hash that stands in an identity.
inline constexpr std::size_t hash_digits = 32;

// Whether a keyed hash stands for the entry's value, because that may be a credential.
bool is_hidden(entry const& what) noexcept;

// Appends `{IDENTITY}` for `what` to `key`. False, with `key` unchanged, if the request lacks one of the entries. `lately` may
// be null; else it belongs to `secret`.
bool append_identity(partition_key& key, descriptor const& what, base::request_facts const& facts, hash_secret const& secret,
                     digest_cache* lately = nullptr) noexcept;

} // namespace penstock::partition
