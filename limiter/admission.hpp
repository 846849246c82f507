// The proof that a request may pass, and the hold on its concurrency permits: whoever forwards asks for one, and when it is
// destroyed the permits go back, exactly once, however the exchange ends. One worker's thread.
#pragma once

#include "limiter/acquire.hpp"

#include <span>
#include <utility>

namespace penstock::limiter {

class admission {
public:
    // `gate` must have admitted the request that `asked`; both, and the stores, outlive the admission.
    admission(stores const& from, std::span<claim const> asked, admission_ruling const& gate) noexcept;
    admission(admission&& other) noexcept
        : from_(std::exchange(other.from_, nullptr)), claims_(other.claims_), gate_(other.gate_)
    {}
    admission(admission const&) = delete;
    admission& operator=(admission const&) = delete;
    ~admission();

    // Another holds the permits from here on, or they have been given back.
    void let_go() noexcept { from_ = nullptr; }

private:
    stores const* from_; // null: nothing to give back
    std::span<claim const> claims_;
    admission_ruling const* gate_;
};

} // namespace penstock::limiter
