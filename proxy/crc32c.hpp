// CRC-32C (Castagnoli), as the PROXY protocol and iSCSI use it. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::proxy {

// The checksum of what comes before, continued over `bytes`; 0 to begin with.
std::uint32_t crc32c(std::uint32_t before, std::string_view bytes) noexcept;

} // namespace penstock::proxy
