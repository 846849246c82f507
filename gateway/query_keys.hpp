// Query parameters in which API keys come: what a log must not show, and what an upstream need not see (AK-4). Pure; called by
// gateway/access_record and gateway/exchange.
#pragma once

#include "conf/credential_source.hpp"

#include <span>
#include <string>
#include <string_view>

namespace penstock::gateway {

// `written`: a parameter's name as the request has it, percent-encoded or not.
bool is_key_parameter(std::string_view written, std::span<conf::credential_source const> sources) noexcept;

// Appends `?` and `query` without such parameters; nothing if nothing is left of it.
void append_without_keys(std::string& out, std::string_view query, std::span<conf::credential_source const> sources);

} // namespace penstock::gateway
