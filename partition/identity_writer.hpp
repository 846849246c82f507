// The text between the braces of a partition key: entries `name=value` joined by `,`, every other byte that is not plain
// escaped, so that the text can be read back in one way only. Beyond 64 bytes it becomes a hash of the whole text.
// Lives on the stack, allocates nothing. Used by partition_key only. Pure.
#pragma once

#include "partition/partition_key.hpp"
#include "partition/text_hasher.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace penstock::partition {

// clear: shown as it is. secret: a keyed hash in its place.
enum class visibility : std::uint8_t { clear, secret };

class identity_writer {
public:
    static constexpr std::size_t longest = 64;

    // `lately` may be null.
    identity_writer(hash_secret const& secret, digest_cache* lately) noexcept : secret_(secret), lately_(lately) {}

    // One entry, then its value in pieces. `lead` is a word of ours and `=`.
    void begin(std::string_view lead, visibility of_value) noexcept
    {
        next_entry();
        raw(lead);
        if (of_value == visibility::secret) hidden_value_.emplace(secret_, lately_);
    }
    // `lead` is a word of ours and `.`; behind it comes what the configuration called the entry.
    void begin(std::string_view lead, std::string_view name, visibility of_value) noexcept;
    void value(std::string_view bytes) noexcept;
    // One that has no byte that would be escaped, or is hidden and alone.
    void plain_value(std::string_view bytes) noexcept { raw(bytes); }
    // As it is: one that escaping never leaves.
    void separator(char between_values) noexcept { raw({&between_values, 1}); }
    void end() noexcept
    {
        if (hidden_value_) end_hidden();
    }

    void lone_word(std::string_view word) noexcept; // an entry without a value

    void append_to(partition_key& key) noexcept; // `{...}`

private:
    void raw(std::string_view bytes) noexcept
    {
        if (bytes.empty()) return; // it may view nothing
        if (hidden_value_) return hidden_value_->update(bytes);
        if (long_text_ || bytes.size() > longest - size_) return raw_beyond(bytes);
        std::memcpy(text_.data() + size_, bytes.data(), bytes.size());
        size_ += bytes.size();
    }
    void raw_beyond(std::string_view bytes) noexcept;
    void next_entry() noexcept
    {
        if (!first_) raw(",");
        first_ = false;
    }
    void end_hidden() noexcept;

    hash_secret const& secret_;
    digest_cache* lately_;
    std::array<char, longest> text_; // size_ bytes of it are valid
    std::size_t size_ = 0;
    bool first_ = true;
    std::optional<text_hasher> hidden_value_; // while a secret value is being written
    std::optional<text_hasher> long_text_;    // has all of the text once that has become too long to be shown
};

} // namespace penstock::partition
