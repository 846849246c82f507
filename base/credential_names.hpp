// Whether the name of a field, a query parameter, a cookie, a claim or a capture says that its value is a credential, so that the
// value must stand in no log and no store (OP-33, AK-4, AK-5). Pure; used by partition for keys and by gateway for the log.
#pragma once

#include <string_view>

namespace penstock::base {

// Goes by words: `x-api-key`, `accessToken` and `PHPSESSID` do, `monkey` and `author` do not. `name` as it is written, not
// percent-decoded: an escape ends a word.
bool is_credential_name(std::string_view name) noexcept;

// Also goes by letters that a credential's name has somewhere: true of all that is_credential_name is true of, and of `keyboard`.
// For where hiding too much costs only readability.
bool may_be_credential_name(std::string_view name) noexcept;

} // namespace penstock::base
