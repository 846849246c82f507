// libFuzzer's entry point; the build says which target this program is for.
#include "fuzz_targets.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    penstock::fuzz::PENSTOCK_FUZZ_TARGET({reinterpret_cast<char const*>(bytes), size});
    return 0;
}
