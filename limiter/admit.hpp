// From what the stores said (or could not say) to an admission or a rejection: verdict, failure modes, shadow. Pure.
// An admission is the proof that a request may pass; gateway/relay cannot be called without one.
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

struct ruling {
    limiter::policy const* policy = nullptr;
    outcome result = outcome::allowed;
    bool answered = true; // `decision` holds what a store said (also one in memory standing in for Redis)
    limiter::decision decision;
};

// The ruling on a whole request, claim by claim, in the order of the claims.
struct admission_ruling {
    enum class kind : std::uint8_t { admitted, refused, store_unavailable };
    kind verdict = kind::admitted;
    base::micros retry_after{0}; // refused: longest wait among the limits that refused, or `never`
    boost::container::static_vector<ruling, max_claims> rulings;
};

// The proof that a request may pass. Whoever forwards asks for one; holds that last as long as the exchange will live in it.
class admission {
public:
    // `gate` must have admitted the request.
    explicit admission(admission_ruling const& gate) noexcept;
    admission(admission&&) noexcept = default;
    admission& operator=(admission&&) noexcept = default;
    admission(admission const&) = delete;
    admission& operator=(admission const&) = delete;
    ~admission() = default;
};

// `answers[i]` is the decision for `asked[i]`, or null where no store could answer. A refusal outweighs a store that cannot
// answer. Unless the request is admitted, whatever some store had charged for it must be given back by the caller.
admission_ruling admit(std::span<claim const> asked, std::span<decision const* const> answers) noexcept;

} // namespace penstock::limiter
