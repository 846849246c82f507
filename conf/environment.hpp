// Puts the environment into a document's values: ${NAME}, ${NAME:-default} (for an unset or empty variable), and $${ for
// a plain ${. Works on parsed scalars, so that no value of a variable can become YAML. Pure but for the function given.
#pragma once

#include "conf/document.hpp"

#include <functional>
#include <optional>
#include <string>

namespace penstock::conf {

using environment = std::function<std::optional<std::string>(std::string const& name)>;

// Changes the `text` of scalars and leaves `written` alone. Keys are not touched.
void expand_environment(node& root, environment const& env, problem_list& problems);

} // namespace penstock::conf
