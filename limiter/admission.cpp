#include "limiter/admission.hpp"

#include <cassert>

namespace penstock::limiter {

admission::admission(stores const& from, std::span<claim const> asked, admission_ruling const& gate) noexcept
    : from_(&from), claims_(asked), gate_(&gate)
{
    assert(gate.verdict == admission_ruling::kind::admitted);
}

admission::~admission()
{
    if (from_) give_back(*from_, claims_, *gate_, extent::permits);
}

} // namespace penstock::limiter
