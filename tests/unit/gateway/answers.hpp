// What the tests of the gateway's answers look at them with.
#pragma once

#include "gateway/response_context.hpp"
#include "proxy/head_parser.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace penstock::gateway {

inline constexpr std::string_view date = "Sun, 06 Nov 1994 08:49:37 GMT";
// A response taken apart by the parser that reads upstreams.
struct answer {
    explicit answer(std::string text) : bytes(std::move(text))
    {
        auto const end = bytes.find("\r\n\r\n");
        REQUIRE(end != std::string::npos);
        REQUIRE(proxy::parse_response_head(std::string_view(bytes).substr(0, end + 4), proxy::answers::other, head) ==
                proxy::head_problem::none);
        body = std::string_view(bytes).substr(end + 4);
    }
    answer(answer const&) = delete;
    answer& operator=(answer const&) = delete;

    // All values of a field, joined by '|'.
    [[nodiscard]] std::string field(std::string_view name) const
    {
        std::string values;
        for (auto const& each : head.fields) {
            if (each.name == name) values.append(values.empty() ? "" : "|").append(each.value);
        }
        return values;
    }
    [[nodiscard]] nlohmann::json problem() const { return nlohmann::json::parse(body); }

    std::string bytes;
    proxy::response_head head;
    std::string_view body;
};

inline response_context context_of(conf::response_settings const& settings)
{
    return {.settings = settings,
            .date = date,
            .now_s = 784'111'777,
            .connection = persistence::keep_alive,
            .head_request = false,
            .origin = {}};
}

} // namespace penstock::gateway
