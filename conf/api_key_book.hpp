// The API keys that are known, by their SHA-256: who they belong to and what they bring along. Never holds a key. A presented key
// is digested and looked up under a hash that is keyed at random for each book, so that the time of a look-up says nothing
// about the digests (AK-12). Built by read_settings; asked by gateway/extract for each request with a key. Immutable, thread
// safe, no I/O but the drawing of its secret.
#pragma once

#include "base/request_facts.hpp"
#include "partition/partition_key.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::conf {

struct known_api_key {
    std::string name;
    std::array<std::uint8_t, 32> sha256{};
    std::vector<std::pair<std::string, std::string>> attributes;
};

class api_key_book {
public:
    explicit api_key_book(std::vector<known_api_key> keys);
    api_key_book(api_key_book const&) = delete; // its fields view its own strings
    api_key_book& operator=(api_key_book const&) = delete;

    struct entry {
        std::string name;
        std::span<base::field const> attributes; // as long as the book lives
    };
    [[nodiscard]] entry const* find(std::string_view presented) const noexcept; // null: not known

private:
    using keyed_digest = std::array<std::uint8_t, 16>;
    [[nodiscard]] keyed_digest keyed(std::array<std::uint8_t, 32> const& digest) const noexcept;

    partition::hash_secret secret_;
    std::vector<known_api_key> keys_;
    std::vector<std::vector<base::field>> fields_; // of each key
    std::map<keyed_digest, entry> entries_;
};

} // namespace penstock::conf
