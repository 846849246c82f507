// Keeps what may be a secret out of problems, which end up on terminals, in logs and in the records of whatever deploys. Of a
// secret in the wrong place (an API key in clear where its digest belongs, a password as the name of a key) no rule sees that
// it is one. So below `admin`, `auth`, `redis`, and in what is about callers (`deny`, `exempt`), all is hidden but what no secret
// looks like: the keys and words of the language and near misses of them, whole numbers, durations and switches where such a
// thing belongs, addresses, and names of environment variables in capitals with '_'. Place, key and remedy must do for the rest. The
// same goes below a top-level key that is not known, which may be one of these misspelt.
//
// Called by load, once in front of every check and once behind, so that no check can forget it. Pure.
#pragma once

#include "conf/document.hpp"

#include <string>
#include <string_view>

namespace penstock::conf {

// Whether what stands below the first step of `path` (auth.api_keys.from) is to be hidden.
bool is_confidential(std::string_view path) noexcept;

// Hides the values there in node::written.
void conceal_values(node& root);

// The path up to the first step that is to be hidden: there, or among the callers of overrides.
std::string shown_path(std::string_view path);

// Whether a variable of this name may be named in a problem at `path`.
bool shows_variable(std::string_view path, std::string_view name) noexcept;

} // namespace penstock::conf
