// Dates as text: IMF-fixdate for HTTP (RFC 9110 section 5.6.7) and RFC 3339 with milliseconds for log lines. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace penstock::gateway {

// `Sun, 06 Nov 1994 08:49:37 GMT`
std::string imf_fixdate(std::int64_t epoch_s);
// Appends `1994-11-06T08:49:37.123Z`
void append_rfc3339(std::string& out, std::int64_t epoch_us);

} // namespace penstock::gateway
