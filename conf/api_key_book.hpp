// The API keys that are known, by their SHA-256: who they belong to and what they bring along. Never holds a key. Built by
// read_settings; asked by gateway/api_key_check for each request with a key. Immutable, thread safe.
#pragma once

#include "base/request_facts.hpp"
#include "partition/digest_table.hpp"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace penstock::conf {

struct known_api_key {
    std::string name;
    partition::sha256_digest sha256{};
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
    [[nodiscard]] entry const* find(partition::sha256_digest const& presented) const noexcept; // null: not known

private:
    std::vector<known_api_key> keys_;
    std::vector<std::vector<base::field>> fields_; // of each key
    std::vector<entry> entries_;                   // likewise
    partition::digest_table table_;
};

} // namespace penstock::conf
