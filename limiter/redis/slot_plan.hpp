// One request's claims as the calls that a cluster needs: a call has the keys of one slot, and while that slot is on its way
// to another node only one key. And what the answers of these calls come to: everything charged or nothing. Knows no node and
// no connection; called by cluster_request. Pure.
#pragma once

#include "base/result.hpp"
#include "limiter/claim.hpp"
#include "limiter/redis/cluster_slot.hpp"

#include <cstddef>
#include <optional>
#include <span>

namespace penstock::limiter::redis {

// The slot of all these claims, if there is one. At least one claim.
std::optional<cluster_slot> only_slot_of(std::span<claim const> asked) noexcept;

class slot_plan {
public:
    struct part {
        cluster_slot slot = 0;
        std::uint8_t first = 0; // among claims()
        std::uint8_t count = 0;
    };
    using part_list = boost::container::static_vector<part, max_claims>;

    // One part for each slot, in the order of the slots' first claims.
    void split_by_slot(std::span<claim const> asked);
    // The claims of one part in parts of one key each. Claims that share a key stay together.
    part_list split_by_key(part const& whole);

    [[nodiscard]] part_list const& parts() const noexcept { return parts_; }
    [[nodiscard]] std::span<claim const> claims_of(part const& one) const noexcept
    {
        return std::span<claim const>(claims_).subspan(one.first, one.count);
    }
    // Where a part's claims stand in the request.
    [[nodiscard]] std::span<std::uint8_t const> places_of(part const& one) const noexcept
    {
        return std::span<std::uint8_t const>(places_).subspan(one.first, one.count);
    }

private:
    limiter::claims claims_; // the request's, those of a part side by side
    boost::container::static_vector<std::uint8_t, max_claims> places_;
    part_list parts_;
};

// What one part was told.
struct part_answer {
    std::span<claim const> asked;
    std::span<std::uint8_t const> places;
    base::result<verdict> const* said = nullptr;
};

// The answer to the whole of `claims` claims. Refused if any part is, though others could not be asked: theirs are not known
// then. Otherwise the first failure, if there is one. Of a refusal, and of nothing else, decisions are told as they are
// without the charges that are being given back.
base::result<verdict> merge(std::size_t claims, std::span<part_answer const> parts);

// Whether what this part has charged is to be given back, because of `whole`.
bool is_charged_in_vain(part_answer const& part, base::result<verdict> const& whole) noexcept;

// What is to be given back of claim `index` of a part; nothing if it was not charged.
std::optional<charge> charge_of(part_answer const& part, std::size_t index) noexcept;

} // namespace penstock::limiter::redis
