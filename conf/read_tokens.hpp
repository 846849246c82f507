// `auth.jwt` as settings, with the key sets and secrets that its files hold; says which files cannot be read and which keys are
// no good. I/O: files only. Called by load, before the checks: what could not be read keeps its default.
#pragma once

#include "auth/token_settings.hpp"
#include "conf/document.hpp"

#include <optional>
#include <string>

namespace penstock::conf {

// Nothing if the document says nothing of tokens. Relative paths are looked up in `folder`.
std::optional<auth::token_settings> read_tokens(node const& root, std::string const& folder, problem_list& problems);

} // namespace penstock::conf
