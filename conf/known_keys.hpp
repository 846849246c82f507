// The configuration language as one table: every key that this version understands, the form of its value and its bounds.
// Unknown-key messages, wrong-type messages and the JSON Schema come from it. Knows no meaning beyond a single value.
// Called by check_shape. Pure data.
//
// Paths: `a.b` a member, `a.*` a member of any name, `a[]` an element of a list.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::conf {

enum class value_form : std::uint8_t {
    section,        // a map of the keys listed below it
    names,          // a map of names that the user chooses
    callers,        // a map of what callers present; its problems show none of it
    list,           // `least` to `most` elements
    list_or_one,    // the same; a single value stands for a list of one
    word,           // one of `words`
    boolean,        // on off true false
    integer,        // bounds: the number
    duration,       // bounds: microseconds
    size,           // bounds: bytes
    rate,           // 50/30s
    percentage,     // bounds: percent
    secret,         // never shown; may be empty
    file,           // a path
    name,           // [A-Za-z0-9._-]{1,64}
    time_zone,      // Europe/Berlin
    key_prefix,     // in front of every key in Redis
    media_type,     // text/html; charset=utf-8
    listen_address, // literal address and port, or unix:/path
    endpoint,       // host and port, or unix:/path
    redis_url,
    client_source,     // peer, forwarded, header NAME
    host,              // example.com, 10.0.0.1; no port
    network,           // 10.0.0.0/8
    digest,            // SHA-256, 64 hex digits
    key_entry,         // client.ip, header.NAME, ...
    attribute,         // api_key.NAME, jwt.CLAIM
    visible_text,      // bounds: bytes of visible ASCII without '|' and '"'
    web_url,           // https://host/path
    attribute_value,   // 1 to 64 visible characters
    field_name,        // X-Request-Cost
    credential_source, // header NAME, authorization SCHEME, query NAME, cookie NAME
    host_pattern,      // example.com, *.example.com
    path_pattern,      // /a, /a/*, /a/**, /a/{b}
    method,            // GET
};

enum class presence : std::uint8_t { optional, required };

struct known_key {
    std::string_view path;
    value_form form = value_form::section;
    std::int64_t least = 0;
    std::int64_t most = 0;
    std::string_view words{}; // a|b|c: allowed beside (or, for `word`, instead of) the form
    presence needed = presence::optional;
};

std::span<known_key const> known_keys() noexcept;

// Null if `path` is not in the table.
known_key const* find_known(std::string_view path) noexcept;

// The last steps of every path directly below `path`; empty if it has no members of fixed names.
std::vector<std::string_view> keys_below(std::string_view path);
bool has_members(std::string_view path) noexcept;

} // namespace penstock::conf
