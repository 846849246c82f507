// The words by which a credential's name is told (`token`, `apikey`, `sessionid`), and how a run of letters is read as them.
// In time that grows with its length, whatever it is: a caller chooses the names in a query. Used by base/credential_names. Pure.
#pragma once

#include <string_view>

namespace penstock::base {

// `word`: letters only, in any case. Whether it holds a word that means nothing else (`csrfmiddlewaretoken`, `newpassword`), ends
// in one that hardly does (`streamkey`, but `monkey`), or is made of words of which one tells, and nothing else (`sessionid`).
bool is_credential_word(std::string_view word) noexcept;

// `before`: what stands before `code`, `link` or `hash` in a name. Whether that lets somebody in: `reset_code`, `magicLink`,
// `login_hash`; not `country_code`.
bool is_before_secret(std::string_view before) noexcept;

// Whether a name that holds such words is known to carry no credential: `max_tokens`, `sessionType`.
bool is_harmless_name(std::string_view name) noexcept;

} // namespace penstock::base
