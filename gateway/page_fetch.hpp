// One GET of a small page, over TLS or, on this machine, without: no redirect is followed, nothing larger than asked is read,
// and everything is over at the deadline: a look-up of the name that takes longer ends unheard. Knows nothing of keys. I/O; runs on the caller's loop, called by key_keeper.
#pragma once

#include "auth/web_address.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

namespace penstock::gateway {

struct page_request {
    auth::web_address from;
    std::string ca_file; // empty: the system's authorities
    base::micros timeout{0};
    std::size_t most_bytes = 0;
};

struct page {
    std::string body;
    std::string cache_control;
};

struct page_problem {
    std::string what; // for the operator
};

boost::asio::awaitable<base::result<page, page_problem>> fetch_page(page_request asked);

} // namespace penstock::gateway
