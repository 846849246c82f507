// A YAML text as a tree of plain structs, each with its line and column. Knows YAML's grammar and the bounds below, nothing
// of what the keys mean. yaml-cpp and its exceptions end in document.cpp. Called by load; read by everything else here. Pure.
//
// Bounds: 1 MiB of text, 32 levels, 100,000 nodes. Anchors, aliases and tags are refused, so a text never grows by parsing.
#pragma once

#include "conf/problem.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::conf {

inline constexpr std::size_t most_document_bytes = std::size_t{1024} * 1024;
inline constexpr int most_document_depth = 32;
inline constexpr std::size_t most_document_nodes = 100'000;

struct member;

struct node {
    enum class kind : std::uint8_t { null, scalar, list, map };

    kind is = kind::null;
    place at;                   // of the value itself; of the key where there is no value
    bool is_unreadable = false; // scalar: the environment lacks what it needs; reported, and nobody looks at it again
    std::string text;           // scalar: its value, after the environment was put in; never in a problem
    std::string written;        // scalar: what to show in problems (before the environment was put in; see conceal.hpp)
    std::vector<node> items;
    std::vector<member> members; // in the order of the file, no key twice

    [[nodiscard]] bool is_scalar() const noexcept { return is == kind::scalar && !is_unreadable; }
    [[nodiscard]] bool is_list() const noexcept { return is == kind::list; }
    [[nodiscard]] bool is_map() const noexcept { return is == kind::map; }

    // The member or what `a.b.c` leads to; null if any step is missing or is not a map.
    [[nodiscard]] member const* find_member(std::string_view key) const noexcept;
    [[nodiscard]] node const* find(std::string_view dotted) const noexcept;
};

struct member {
    std::string key;
    place key_at;
    node value;
};

// The root, or nothing if the text is no single YAML document; what is wrong is in `problems`. A key that stands twice is
// a problem, too, and its second value is dropped.
std::optional<node> parse_document(std::string const& text, problem_list& problems);

} // namespace penstock::conf
