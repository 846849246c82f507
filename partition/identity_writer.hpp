// The text between the braces of a partition key: entries `name=value` joined by `,`, every other byte that is not plain
// escaped, so that the text can be read back in one way only. Beyond 64 bytes it becomes a hash of the whole text.
// Lives on the stack, allocates nothing. Used by partition_key only. Pure.
#pragma once

#include "partition/keyed_hasher.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock::partition {

// clear: shown as it is. secret: a keyed hash in its place.
enum class visibility : std::uint8_t { clear, secret };

class identity_writer {
public:
    static constexpr std::size_t longest = 64;

    explicit identity_writer(hash_secret const& secret) noexcept : secret_(secret) {}

    // One entry: its name (a word of ours, and what the configuration called it), then its value in pieces.
    void begin(std::string_view word, std::string_view name, visibility of_value) noexcept;
    void value(std::string_view bytes) noexcept { escaped(bytes); }
    void plain_value(std::string_view bytes) noexcept { raw(bytes); }           // has no byte that would be escaped
    void separator(char between_values) noexcept { raw({&between_values, 1}); } // as it is: one that escaping never leaves
    void end() noexcept;

    void lone_word(std::string_view word) noexcept; // an entry without a value

    void append_to(partition_key& key) noexcept; // `{...}`

private:
    void escaped(std::string_view bytes) noexcept;
    void raw(std::string_view bytes) noexcept;
    void next_entry() noexcept;

    hash_secret const& secret_;
    std::array<char, longest> text_; // the text, or the part of it that is not hashed yet; size_ bytes of it are valid
    std::size_t size_ = 0;
    bool first_ = true;
    std::optional<keyed_hasher> hidden_value_; // while a secret value is being written
    std::optional<keyed_hasher> long_text_;    // once the text has become too long
};

} // namespace penstock::partition
