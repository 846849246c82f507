// The one error-or-value type of the code base: Boost.System's result, which carries an error_code.
// Knows nothing of what can fail; each room has its own errc enum and category. Used by every room.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace penstock::base {

using error_code = boost::system::error_code;

// `T` or `E`. In Boost 1.81 there is no value_or and no pipe: write `if (!r) return r.error();`.
template <class T, class E = error_code>
using result = boost::system::result<T, E>;

} // namespace penstock::base
