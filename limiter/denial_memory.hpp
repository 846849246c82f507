// Refusals that still stand: who was refused until T need not ask again before T, and is told what the store would say. T
// counts from the sending of the question, which was before the store looked at its clock; nothing that happens meanwhile
// opens room earlier (a charge that is given back may: then a caller waits as long as it was told). Not for concurrency,
// whose permits may come back at any time. Bounded. Knows no store and no clock; owned by fleet_front. Pure.
#pragma once

#include "limiter/claim.hpp"
#include "limiter/counter_table.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace penstock::limiter {

class denial_memory {
public:
    static constexpr std::size_t usual_bound = 65'536; // 24 bytes each

    // Throws std::bad_alloc; so does clear().
    explicit denial_memory(std::size_t bound = usual_bound) : bound_(bound) {}

    // Whether refusals of this claim may be remembered: its limit is enforced, and such that none ends early.
    [[nodiscard]] static bool remembers(claim const& asked) noexcept;

    [[nodiscard]] bool empty() const noexcept { return table_.size() == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }

    // The refusal that stands for this question at `now`, counted down. `fingerprint` is that of `asked`. What remains, less
    // than the cost, is told as it was, or for a bucket as it has become.
    [[nodiscard]] std::optional<decision> find(std::uint64_t fingerprint, claim const& asked, base::instant now) noexcept;

    // `said` answered what was sent at `sent_at`. Keeps nothing of what was allowed or can never pass.
    void remember(std::uint64_t fingerprint, decision const& said, base::instant sent_at, base::instant now) noexcept;

    void clear() { table_ = {}; }

private:
    std::size_t bound_;
    counter_table<counter_state> table_; // until_us: denied until then; extra: what else was answered, see the source
};

} // namespace penstock::limiter
