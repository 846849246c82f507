#include "partition/keyed_hasher.hpp"

#include <algorithm>

namespace penstock::partition {

keyed_hasher::digest keyed_hasher::finish() noexcept
{
    auto const inner = message_.finish();
    sha256 outer(secret_.outer(), sha256::block_size);
    outer.update({reinterpret_cast<char const*>(inner.data()), inner.size()});
    auto const whole = outer.finish();
    digest truncated;
    std::copy_n(whole.begin(), truncated.size(), truncated.begin());
    return truncated;
}

} // namespace penstock::partition
