// Whether a query parameter's name says that it carries a credential, so that a log must not show its value (OP-33, AK-4). Goes
// by whole words: `x-api-key`, `accessToken` and `PHPSESSID` do, `monkey` and `author` do not. Pure; called by
// gateway/access_record.
#pragma once

#include <string_view>

namespace penstock::gateway {

// `name` as it is written, not percent-decoded: an escape ends a word.
bool is_credential_name(std::string_view name) noexcept;

} // namespace penstock::gateway
