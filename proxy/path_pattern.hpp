// A path pattern of a route: `/a` exactly, `/a/*` one further segment, `/a/**` any number of further segments (also none:
// `/a` and `/a/` match too), `/users/{id}/orders` with a capture that takes one whole segment. Compiled once. Pure.
#pragma once

#include "base/request_facts.hpp"
#include "base/result.hpp"

#include <boost/container/static_vector.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::proxy {

using path_captures = boost::container::static_vector<base::path_capture, 8>;

class path_pattern {
public:
    path_pattern() = default; // matches every path, as "/**" does

    // Why a text is no pattern, in words for a configuration error; empty if it is one.
    static std::string problem_with(std::string_view text);
    explicit path_pattern(std::string_view text); // `text` must have no problem

    // `path` is normalised. On a match `captures` holds what was named (views into `path` and this pattern).
    bool match(std::string_view path, path_captures& captures) const noexcept;

    [[nodiscard]] std::string const& text() const noexcept { return text_; }

private:
    struct segment {
        enum class kind : std::uint8_t { literal, any_one, any_rest, capture };
        kind matches = kind::literal;
        std::string text; // the literal, or the capture's name
    };
    std::string text_ = "/**";
    std::vector<segment> segments_{{segment::kind::any_rest, {}}};
};

} // namespace penstock::proxy
