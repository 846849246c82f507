// A query as the access log shows it: without the values of parameters that carry credentials or API keys (OP-33, AK-4), whether
// they are parameters of the request or of a URL in a value. Pure; called by access_record.
#pragma once

#include "conf/credential_source.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace penstock::gateway {

// `parameter`: what stands between two `&`. From where on it is not shown, behind a `=`; nothing if all of it is. What follows a
// hidden value belongs to it, as far as anybody can know.
std::optional<std::size_t> hidden_from(std::string_view parameter, std::span<conf::credential_source const> keys) noexcept;

} // namespace penstock::gateway
