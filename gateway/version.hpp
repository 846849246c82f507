// The version of the program, written once: CMakeLists.txt. Used by commands and metrics.
#pragma once

#include <string>
#include <string_view>

namespace penstock::gateway {

inline constexpr std::string_view program_version = PENSTOCK_VERSION;

// Version, libraries and build, for `penstock version`.
std::string describe_build();

} // namespace penstock::gateway
