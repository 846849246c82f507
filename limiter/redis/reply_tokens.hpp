// A reply of any shape, such as that of CLUSTER SLOTS, as the sequence of what is in it: an array is its count, then its
// elements. Bounded in bytes and elements. Pure.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace penstock::limiter::redis {

struct reply_token {
    enum class kind : std::uint8_t { array, text, integer, nil, error };
    kind what = kind::nil;
    std::int64_t number = 0; // an integer; the elements of an array
    std::string text;        // text (also of a status) or error
};

// Takes the bytes of one connection apart into such replies.
class token_reader {
public:
    static constexpr std::size_t most_bytes = std::size_t{4} * 1024 * 1024; // every slot a range of its own: 3 MiB
    static constexpr std::size_t most_tokens = 600'000;

    token_reader();
    ~token_reader();
    token_reader(token_reader const&) = delete;
    token_reader& operator=(token_reader const&) = delete;

    // errc::protocol: the connection cannot be used any more.
    base::error_code feed(std::span<char const> bytes) noexcept;
    // The next whole reply; empty if more bytes are needed; or errc::protocol.
    base::result<std::vector<reply_token>> next();

private:
    struct parser;
    std::unique_ptr<parser> parser_;
    std::size_t fed_ = 0; // since the last whole reply
};

} // namespace penstock::limiter::redis
