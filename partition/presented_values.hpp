// Writes what a request presents under a name (field, cookie, query parameter, path) in the one spelling that a key uses.
// Several values of one name all count, in order; empty ones count as missing, so that `X-Tenant:` is no tenant.
// Used by partition_key only. Pure.
#pragma once

#include "base/request_facts.hpp"
#include "partition/identity_writer.hpp"

#include <string_view>

namespace penstock::partition {

// Each returns false, having written nothing, if the request presents no value.

// All lines of the field, joined by a comma as RFC 9110 5.3 joins them. `name` in lower case.
bool write_field_values(identity_writer& out, base::request_facts const& facts, std::string_view name) noexcept;

// All cookies of that name in all Cookie lines, without surrounding quotes (RFC 6265 4.2); names have case.
bool write_cookie_values(identity_writer& out, base::request_facts const& facts, std::string_view name) noexcept;

// All parameters of that name, percent-decoded once, `+` read as a space: `a%41`, `aA` are one value.
bool write_query_values(identity_writer& out, base::request_facts const& facts, std::string_view name) noexcept;

// A path or a part of one, percent-decoded once: `a%3Ab` and `a:b` are one value.
bool write_path_value(identity_writer& out, std::string_view path) noexcept;

} // namespace penstock::partition
