// Reads a List of Strings with parameters as RFC 9651 has it (the shape of RateLimit and RateLimit-Policy), strictly: a client
// ignores a whole field for one bad member, so a member that we pass on must be one that every parser accepts. Used by
// limit_fields on what an upstream sent. Pure; allocates nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock::gateway {

// A parameter's value, as far as somebody here asks for it.
struct bare_item {
    enum class kind : std::uint8_t { integer, decimal, string, token, bytes, boolean, date, display_string };
    kind what = kind::boolean;
    std::int64_t number = 1; // of an integer; `;key` alone is the boolean true
};

// One member: `text` is between its quotes, escapes as they were sent.
struct list_member {
    std::string_view text;
    std::string_view parameters; // well-formed, with the first semicolon; may be empty

    // The last of this name counts (section 4.2.3.2).
    [[nodiscard]] std::optional<bare_item> parameter(std::string_view key) const noexcept;
};

class list_reader {
public:
    explicit list_reader(std::string_view list) noexcept;

    enum class found : std::uint8_t { member, end, malformed };
    found next(list_member& into) noexcept;

private:
    std::string_view left_;
    bool expects_member_ = true; // at the beginning, and behind a comma
};

} // namespace penstock::gateway
