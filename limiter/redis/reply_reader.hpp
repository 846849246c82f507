// From the bytes that Redis sends to the replies in them, each in a form that costs no memory of its own. Pure.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace penstock::limiter::redis {

// One reply. `text` is valid until the reader is next used, and cut at reply_reader::longest.
struct reply {
    // array: `text` holds its strings, not those of arrays inside it, each ended by a line break.
    enum class type : std::uint8_t { bulk, status, error, array, other };
    type kind = type::other;
    std::string_view text;
    std::size_t size = 0; // in bytes, before the cut
};

// Takes the bytes of a connection apart into replies. Bounded: a reply that we could not use is an error before it is whole.
class reply_reader {
public:
    // More than any reply to what we send: a verdict of max_claims, or the text of an error.
    static constexpr std::size_t longest = 1024;

    reply_reader();
    ~reply_reader();
    reply_reader(reply_reader const&) = delete;
    reply_reader& operator=(reply_reader const&) = delete;

    // errc::protocol: the connection cannot be used any more.
    base::error_code feed(std::span<char const> bytes) noexcept;
    // The next whole reply, nothing if more bytes are needed, or errc::protocol.
    base::result<std::optional<reply>> next() noexcept;

private:
    struct parser;
    std::unique_ptr<parser> parser_;
};

} // namespace penstock::limiter::redis
