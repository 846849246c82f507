// Keeps the key sets of the issuers up to date: one loop per issuer, that reads its file when it has changed, or asks its URL
// when auth/key_refresh says so. A set that cannot be had, or is no good, changes nothing: the old keys stay. I/O; on the app's
// thread, away from the workers', which get new sets by a call.
#pragma once

#include "auth/key_set.hpp"
#include "auth/token_settings.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace penstock::gateway {

struct key_set_report {
    std::string issuer;
    std::size_t keys = 0;
    std::uint64_t succeeded = 0; // refreshes
    std::uint64_t failed = 0;
    std::int64_t last_success_s = 0; // seconds since the epoch; 0: never
};

class key_keeper {
public:
    struct calls {
        std::function<void(std::string const&)> inform;
        std::function<void(std::string const&)> warn;
        std::function<void(std::string const& issuer, auth::key_set_ptr)> publish; // null: nothing is known any longer
    };

    key_keeper(boost::asio::io_context& loop, calls tell);
    ~key_keeper();
    key_keeper(key_keeper const&) = delete;
    key_keeper& operator=(key_keeper const&) = delete;

    // The issuers of a configuration, in place of those before; where the keys come from the same place they stay. Null: none.
    void follow(auth::token_settings const* settings);
    // Of each of these issuers, in order, what is known now.
    [[nodiscard]] std::vector<auth::key_set_ptr> current(auth::token_settings const& settings) const;
    void note_unknown_key(std::string const& issuer);

    [[nodiscard]] bool is_complete() const noexcept; // something is known of every issuer
    [[nodiscard]] std::vector<key_set_report> report() const;

private:
    struct kept;
    using kept_ptr = std::shared_ptr<kept>;

    void start(kept_ptr one);
    boost::asio::awaitable<void> tend_url(kept_ptr one);
    boost::asio::awaitable<void> tend_file(kept_ptr one);
    boost::asio::awaitable<void> fetch(kept_ptr one);
    void take(kept& one, std::string const& text);
    void fail(kept& one, std::string const& why);

    boost::asio::io_context& loop_;
    calls tell_;
    std::vector<kept_ptr> all_;
};

} // namespace penstock::gateway
