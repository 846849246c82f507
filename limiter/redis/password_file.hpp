// Reads a password again, after Redis has refused it: who changes one writes the file and waits for nobody. I/O: one small
// file. Called by dialer.
#pragma once

#include <optional>
#include <string>

namespace penstock::limiter::redis {

// Without the line break at its end; nothing where the file cannot be read, is empty or is longer than a password.
std::optional<std::string> read_password(std::string const& path);

} // namespace penstock::limiter::redis
