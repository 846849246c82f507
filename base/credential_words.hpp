// The words by which a credential's name is told (`token`, `apikey`, `sessionid`), and how a run of letters is read as them.
// In time that grows with its length, whatever it is: a caller chooses the names in a query. Used by base/credential_names. Pure.
#pragma once

#include <string_view>

namespace penstock::base {

// `word`: letters only, in any case. Whether it holds a word that means nothing else (`csrfmiddlewaretoken`, `newpassword`), ends
// in one that hardly does (`streamkey`, but `monkey`), or is made of words of which one tells, and nothing else (`sessionid`).
bool is_credential_word(std::string_view word) noexcept;

// `before`: what stands before `code` in a name. Whether it is a code that lets somebody in: `reset_code`, `deviceCode`; not
// `country_code`.
bool is_before_secret_code(std::string_view before) noexcept;

} // namespace penstock::base
