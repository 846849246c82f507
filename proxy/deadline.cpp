#include "proxy/deadline.hpp"

#include <algorithm>

namespace penstock::proxy {

void deadline::expires_at(base::instant due) noexcept
{
    due_ = due;
    // Later than when the wheel looks next: it will see the new time then. Only an earlier deadline has to move now.
    if (is_linked() && filed_ <= due) return;
    if (is_linked()) unlink();
    wheel_->file(*this);
}

void deadline::expires_after(base::micros wait) noexcept { expires_at(wheel_->now() + deadline_wheel::tick + wait); }

void deadline_wheel::file(deadline& item) noexcept
{
    auto const wait = std::max(item.due_ - now_, base::micros{0});
    auto const ticks = std::clamp<std::int64_t>(wait / tick + 1, 1, static_cast<std::int64_t>(slots) - 1);
    item.filed_ = now_ + ticks * tick;
    ring_[(hand_ + static_cast<std::size_t>(ticks)) % slots].push_back(item);
}

void deadline_wheel::advance(base::instant now) noexcept
{
    while (now_ + tick <= now) {
        now_ += tick;
        hand_ = (hand_ + 1) % slots;
        list due;
        due.swap(ring_[hand_]); // on_deadline() may unlink others of this slot: they leave `due`
        while (!due.empty()) {
            auto& item = due.front();
            due.pop_front();
            if (item.due_ == base::instant::max()) continue;
            if (item.due_ > now_) {
                file(item);
                continue;
            }
            item.due_ = base::instant::max();
            item.on_deadline();
        }
    }
}

} // namespace penstock::proxy
