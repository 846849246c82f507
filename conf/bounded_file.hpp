// Reads a whole file of bounded size. I/O. Called by load and attachments.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <string>

namespace penstock::conf {

// errc::file_too_large beyond `most_bytes`; a folder, a device or a pipe is refused with errc::invalid_argument.
base::result<std::string> read_bounded(std::string const& path, std::size_t most_bytes);

} // namespace penstock::conf
