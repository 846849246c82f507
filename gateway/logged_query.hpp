// A query, a path and other text of a request as the access log shows it: without the values of parameters that carry credentials
// or API keys (OP-33, AK-4), whether they are parameters of the request or of a URL in a value, and without user names and
// passwords of URLs. Pure; called by access_record.
#pragma once

#include "base/request_facts.hpp"
#include "conf/credential_source.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace penstock::gateway {

// `parameter`: what stands between two `&`, or any other text. From where on it is not shown, behind a `=` or in front of who is
// named before an `@`; nothing if all of it is. What follows belongs to it, as far as anybody can know.
std::optional<std::size_t> hidden_from(std::string_view parameter, std::span<conf::credential_source const> keys) noexcept;

// Of a segment of `facts.path`, which it views. What a pattern captures by the name of a credential is not shown.
std::optional<std::size_t> hidden_from(std::string_view segment, base::request_facts const& facts,
                                       std::span<conf::credential_source const> keys) noexcept;

// Whether what was captured may be a credential: what a key has as a hash no log shows.
bool hides(base::path_capture const& capture) noexcept;

} // namespace penstock::gateway
