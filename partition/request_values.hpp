// Finds what a request presents under a name in its query or in its cookies, one value after the other, as it stands there; and
// percent-decoding. Knows no keys and no limits. Used by presented_values, gateway/api_key_check and
// gateway/query_keys. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock::partition {

enum class plus : std::uint8_t { is_plus, is_space };

// Reads text one decoded byte at a time. A `%` that begins no escape stands for itself, as most applications read it.
class decoder {
public:
    decoder(std::string_view text, plus reading) noexcept : rest_(text), plus_(reading) {}
    std::optional<char> next() noexcept;

private:
    std::string_view rest_;
    plus plus_;
};

bool needs_decoding(std::string_view text, plus reading) noexcept;

// Whether a parameter's name, percent-decoded once with `+` read as a space, is `name`. Case counts.
bool is_parameter(std::string_view written, std::string_view name) noexcept;

// Takes parameters off `rest` up to and including the next that is called `name`; its value, still encoded.
std::optional<std::string_view> next_query_value(std::string_view& rest, std::string_view name) noexcept;

// Takes cookies off `rest`, what is left of a Cookie line, up to and including the next that is called `name`; its value without
// surrounding quotes (RFC 6265 4.2). Case counts.
std::optional<std::string_view> next_cookie_value(std::string_view& rest, std::string_view name) noexcept;

} // namespace penstock::partition
