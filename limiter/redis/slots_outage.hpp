// What the calls of a cluster do whose slots nobody knows: they wait, until waiting was in vain so often, in a row, that a breaker
// would open; from then on none waits before the slots are known. And what a failed question for the slots says. Knows no
// node and no connection; cluster_store and cluster_nodes ask it. Pure.
#pragma once

#include "base/result.hpp"
#include "limiter/breaker.hpp"
#include "limiter/redis/reply_tokens.hpp"

#include <string>
#include <vector>

namespace penstock::limiter::redis {

struct slots_failure {
    errc why;
    std::string words; // for the operator
};
// Of an answer that gave no owner of any slot. `is_map`: it is that of a cluster all the same.
slots_failure failure_of(base::result<std::vector<reply_token>> const& got, bool is_map);

class slots_outage {
public:
    slots_outage(breaker_settings const& wanted, std::uint64_t seed) noexcept : breaker_(wanted, seed) {}
    void adopt(breaker_settings const& wanted, base::instant now) noexcept { breaker_.adopt(wanted, now); }

    [[nodiscard]] bool may_wait() const noexcept { return breaker_.may_ask(); }
    [[nodiscard]] breaker::state now_in() const noexcept { return breaker_.now_in(); }
    // What was told when it was opened; empty while it is closed.
    [[nodiscard]] std::string const& trouble() const noexcept { return trouble_; }

    // A question for the slots has failed, or a request has waited for them in vain. True: from now on none waits.
    bool failed(errc why, base::instant now);
    // The slots are known: no probe is needed, each node has a breaker of its own.
    void ends(base::instant now) noexcept;

private:
    limiter::breaker breaker_;
    std::string trouble_;
};

} // namespace penstock::limiter::redis
