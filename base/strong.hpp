// Integers that cannot be mistaken for one another: strong<struct route_tag> is not strong<struct policy_tag>.
// Pure; used for ids that index a table of the snapshot.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace penstock::base {

template <class Tag, class Rep = std::uint32_t>
class strong {
public:
    constexpr strong() noexcept = default;
    constexpr explicit strong(Rep value) noexcept : value_(value) {}
    [[nodiscard]] constexpr Rep value() const noexcept { return value_; }
    friend constexpr auto operator<=>(strong, strong) noexcept = default;

private:
    Rep value_{};
};

} // namespace penstock::base

template <class Tag, class Rep>
struct std::hash<penstock::base::strong<Tag, Rep>> {
    std::size_t operator()(penstock::base::strong<Tag, Rep> id) const noexcept { return std::hash<Rep>{}(id.value()); }
};
