// Spells a head anew, where RFC 9112 lets or asks a recipient to accept what the grammar does not have: a later minor version
// (section 2.3), in a response also blanks before a colon (section 5.1) and a status line that ends behind its number
// (section 4). head_parser reads the result as strictly as anything else. Pure.
#pragma once

#include <string>
#include <string_view>

namespace penstock::proxy {

// True if something was to be changed, which is then in `into`.
bool spell_request_strictly(std::string_view head, std::string& into);
bool spell_response_strictly(std::string_view head, std::string& into);

} // namespace penstock::proxy
