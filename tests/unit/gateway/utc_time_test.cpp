#include "gateway/utc_time.hpp"

#include <doctest/doctest.h>

using namespace penstock::gateway;

TEST_CASE("RL-57, OP-32: dates are written as HTTP and RFC 3339 have them")
{
    struct row {
        std::string_view name;
        std::int64_t epoch_s;
        std::string_view http;
        std::string_view rfc3339;
    };
    for (auto const& r : {
             row{"epoch", 0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00.007Z"},
             row{"example of RFC 9110", 784'111'777, "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.007Z"},
             row{"leap day", 951'782'400, "Tue, 29 Feb 2000 00:00:00 GMT", "2000-02-29T00:00:00.007Z"},
             row{"last second of a year", 1'735'689'599, "Tue, 31 Dec 2024 23:59:59 GMT", "2024-12-31T23:59:59.007Z"},
             row{"no leap year", 4'107'542'400, "Mon, 01 Mar 2100 00:00:00 GMT", "2100-03-01T00:00:00.007Z"},
             row{"behind 32 bits", 4'294'967'296, "Sun, 07 Feb 2106 06:28:16 GMT", "2106-02-07T06:28:16.007Z"},
         }) {
        CAPTURE(r.name);
        CHECK(imf_fixdate(r.epoch_s) == r.http);
        std::string out = "at ";
        append_rfc3339(out, r.epoch_s * 1'000'000 + 7'999);
        CHECK(out == "at " + std::string(r.rfc3339));
    }
}
