#include "partition/identity_writer.hpp"

#include <cstring>

namespace penstock::partition {
namespace {

constexpr std::string_view upper_hex = "0123456789ABCDEF";

constexpr std::array<bool, 256> plain_bytes = [] {
    std::array<bool, 256> plain{};
    for (char const c : std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:/@+-"})
        plain[static_cast<unsigned char>(c)] = true;
    return plain;
}();

constexpr bool is_plain(char c) noexcept { return plain_bytes[static_cast<unsigned char>(c)]; }

// Most values are plain from one end to the other: eight bytes at a time are faster than one after the other.
std::size_t plain_prefix(std::string_view bytes) noexcept
{
    constexpr std::size_t stride = 8;
    std::size_t size = 0;
    for (; bytes.size() - size >= stride; size += stride) {
        bool all = true;
        for (std::size_t i = 0; i < stride; ++i) all &= is_plain(bytes[size + i]);
        if (!all) break;
    }
    while (size < bytes.size() && is_plain(bytes[size])) ++size;
    return size;
}

constexpr std::array<std::array<char, 2>, 256> digits_of_bytes = [] {
    constexpr std::string_view lower_hex = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> digits{};
    for (std::size_t byte = 0; byte < digits.size(); ++byte) digits[byte] = {lower_hex[byte >> 4], lower_hex[byte & 15]};
    return digits;
}();

std::array<char, 32> hex_of(std::array<std::uint8_t, 16> const& hash) noexcept
{
    std::array<char, 32> text;
    for (std::size_t i = 0; i < hash.size(); ++i) std::memcpy(text.data() + 2 * i, digits_of_bytes[hash[i]].data(), 2);
    return text;
}

} // namespace

void identity_writer::begin(std::string_view lead, std::string_view name, visibility of_value) noexcept
{
    begin(lead, visibility::clear);
    value(name);
    raw("=");
    if (of_value == visibility::secret) hidden_value_.emplace(secret_, lately_);
}

void identity_writer::value(std::string_view bytes) noexcept
{
    for (;;) {
        auto const plain = plain_prefix(bytes);
        raw(bytes.substr(0, plain));
        if (plain == bytes.size()) return;
        auto const byte = static_cast<unsigned char>(bytes[plain]);
        std::array<char, 3> const escape{'%', upper_hex[byte >> 4], upper_hex[byte & 15]};
        raw({escape.data(), escape.size()});
        bytes.remove_prefix(plain + 1);
    }
}

void identity_writer::end_hidden() noexcept
{
    auto const hash = hex_of(hidden_value_->finish());
    hidden_value_.reset();
    raw({hash.data(), hash.size()});
}

void identity_writer::lone_word(std::string_view word) noexcept
{
    next_entry();
    raw(word);
}

void identity_writer::append_to(partition_key& key) noexcept
{
    key.push_back('{');
    if (long_text_) {
        auto const hash = hex_of(long_text_->finish());
        key.append("h=");
        key.append({hash.data(), hash.size()});
    } else {
        key.append({text_.data(), size_});
    }
    key.push_back('}');
}

void identity_writer::raw_beyond(std::string_view bytes) noexcept
{
    if (!long_text_) {
        long_text_.emplace(secret_, lately_);
        long_text_->update({text_.data(), size_});
    }
    long_text_->update(bytes);
}

} // namespace penstock::partition
