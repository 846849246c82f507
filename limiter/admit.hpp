// From what the stores said (or could not say) to an admission or a rejection: verdict, failure modes, shadow. Pure.
#pragma once

#include "limiter/claim.hpp"

#include <boost/container/static_vector.hpp>

#include <cstdint>
#include <span>

namespace penstock::limiter {

// What one claim came to; the label `decision` of penstock_decisions_total.
enum class outcome : std::uint8_t {
    allowed,
    refused,            // this claim refused the request
    shadow_refused,     // would have refused, were it enforced
    skipped,            // would have been allowed, but the request may not pass for another limit: not charged
    unanswered_allowed, // the store could not answer; the failure mode let it pass
    unanswered_denied,  // the store could not answer; the failure mode refused it
};

enum class answerer : std::uint8_t { nobody, memory, fleet }; // memory: also where it stood in for the fleet's store

struct ruling {
    limiter::policy const* policy = nullptr;
    limiter::algorithm const* numbers = nullptr; // that the decision was made by, never null
    outcome result = outcome::allowed;
    answerer by = answerer::memory; // nobody: `decision` says nothing
    limiter::decision decision;
    base::instant at{}; // the store's clock as it decided

    [[nodiscard]] bool answered() const noexcept { return by != answerer::nobody; }
};

// The ruling on a whole request, claim by claim, in the order of the claims.
struct admission_ruling {
    enum class kind : std::uint8_t { admitted, refused, store_unavailable };
    kind verdict = kind::admitted;
    base::micros retry_after{0}; // refused: longest wait among the limits that refused, or `never`
    boost::container::static_vector<ruling, max_claims> rulings;
};

struct answer {
    answerer by = answerer::nobody;
    limiter::decision const* said = nullptr; // null exactly if nobody answered
    base::instant at{};
    bool asked = true; // false: another limit had refused the request before
};

// `answers[i]` is the answer for `asked[i]`. A refusal outweighs a store that cannot answer. Unless the request is admitted,
// whatever some store had charged for it must be given back by the caller.
admission_ruling admit(std::span<claim const> asked, std::span<answer const> answers) noexcept;

// The ruling on a request whose limits were asked in two stages: `granted` is that of the first, which admitted it, `then` that
// of the second. Unless the second admits it, too, whatever was charged for the first must be given back by the caller.
admission_ruling join(admission_ruling const& granted, admission_ruling const& then) noexcept;

} // namespace penstock::limiter
