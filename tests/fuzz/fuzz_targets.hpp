// The fuzzed entry points: each takes any bytes and throws `property_failed` if what it holds of them does not. libFuzzer
// drives one of them per program (fuzz_entry.cpp), fuzz_replay.cpp all of them over the corpus. Pure.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace penstock::fuzz {

class property_failed : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

inline void require(bool holds, char const* property)
{
    if (!holds) throw property_failed{property};
}

// Cuts the first line off `text`.
inline std::string_view take_line(std::string_view& text)
{
    auto const end = text.find('\n');
    auto const line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

void api_key(std::string_view lines);        // a query, a Cookie value, an Authorization value
void bearer(std::string_view lines);         // a query, then values of Authorization
void client_address(std::string_view text);  // each line one X-Forwarded-For
void forwarded(std::string_view text);       // each line one Forwarded
void freshness(std::string_view value);      // Cache-Control of a key set's answer
void host_name(std::string_view raw);        // an authority
void key_set(std::string_view json);         // a JWK set
void logged_query(std::string_view lines);   // a query, a path
void normal_path(std::string_view raw);      // a path
void partition_key(std::string_view lines);  // a query, a Cookie value, then values of fields
void path_pattern(std::string_view lines);   // a pattern, a path
void proxy_header(std::string_view bytes);   // the first bytes of a connection
void structured_list(std::string_view list); // RateLimit or RateLimit-Policy of an upstream
void token(std::string_view text);           // a token, or one of its parts

} // namespace penstock::fuzz
