#include "limiter/redis/permit_keeper.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace penstock::limiter::redis {
namespace {

// What is due but found no room on the line is tried again when some replies have come.
constexpr base::micros breath{10'000};

// Of the whole fleet, no two connections may have the same: drawn from the machine's randomness, as long as Lua is exact.
std::int64_t new_holder()
{
    std::random_device random;
    std::uniform_int_distribution<std::int64_t> any(1, exact_bound - 1);
    return any(random);
}

bool is_concurrency(claim const& asked) noexcept { return std::holds_alternative<concurrency>(asked.algorithm()); }

} // namespace

void permit_keeper::connected()
{
    connected_ = true;
    if (!paused_) begin();
}

void permit_keeper::begin()
{
    // The first word must arrive: were it turned away because the script is unknown, what is given back or acquired meanwhile
    // would overtake it, and be counted from nothing.
    first_ = true;
    book_.begin(new_holder(), base::clock::now());
    tell();
    first_ = false;
}

void permit_keeper::lost(std::span<permits const> in_doubt)
{
    connected_ = false;
    end();
    auto const now = base::clock::now();
    for (auto const& each : in_doubt) book_.owe(each, now);
}

void permit_keeper::end()
{
    book_.end();
    renewal_.cancel();
    renewal_at_ = base::instant::max();
}

void permit_keeper::pause()
{
    paused_ = true;
    end();
}

// What ended meanwhile has lapsed or is cleared with the number that it was held under.
void permit_keeper::resume()
{
    if (std::exchange(paused_, false) && connected_) begin();
}

holdings permit_keeper::holdings_for(std::span<claim const> asked) const noexcept
{
    holdings found;
    if (std::ranges::none_of(asked, is_concurrency)) return found;
    for (auto const& one : asked) found.push_back(is_concurrency(one) ? book_.holding_of(one.key.view()) : holding{});
    return found;
}

void permit_keeper::answered(std::span<claim const> asked, base::result<verdict> const& with)
{
    if (!with || !with->allowed || std::ranges::none_of(asked, is_concurrency)) return;
    auto const now = base::clock::now();
    for (auto const& each : permits_asked_by(asked))
        if (with->decisions[each.place].allowed) book_.take(each.what, now);
    await_renewal();
}

void permit_keeper::granted_late(std::span<permits const> granted)
{
    if (granted.empty()) return;
    auto const now = base::clock::now();
    for (auto const& each : granted) book_.owe(each, now);
    tell();
}

void permit_keeper::give_back(permits const& taken)
{
    book_.give_back(taken);
    tell();
}

void permit_keeper::hold(permits const& granted)
{
    book_.hold(granted, base::clock::now());
    await_renewal();
}

// Everything that is due leaves in one write.
void permit_keeper::tell()
{
    auto const now = base::clock::now();
    while (connected_ && !paused_ && line_.has_room_for_call()) {
        auto const next = book_.next(now);
        if (!next) break;
        tell(*next);
    }
    await_renewal();
}

void permit_keeper::tell(permit_book::notice const& what)
{
    background_call told{.what = &scripts::acquire,
                         .key = std::string(what.what.key.view()),
                         .arguments = pack_permits(what.what.limit, what.holder, -what.what.count),
                         .how = std::exchange(first_, false) ? calling::by_text : calling::by_digest};
    if (what.what.count == 0) {
        // Sent again behind what was given back meanwhile, it must not claim that too.
        told.packed_anew = [this, what] { return pack_permits(what.what.limit, book_.holding_of(what.what.key.view()), 0); };
    }
    told.done = [this, what](base::result<reply> const& answer) {
        if (!answer) return book_.failed(what, base::clock::now());
        if (!decode_verdict(*answer, 1)) line_.out_of_step();
    };
    line_.call(std::move(told));
}

void permit_keeper::await_renewal()
{
    auto const due = book_.next_due();
    if (!due || !connected_ || paused_) return;
    auto const at = std::max(*due, base::clock::now() + breath);
    if (at >= renewal_at_) return;
    renewal_at_ = at;
    renewal_.expires_at(at);
    renewal_.async_wait([this, alive = line_.lifeline()](base::error_code cancelled) {
        auto const self = alive.lock();
        if (!self || cancelled) return;
        renewal_at_ = base::instant::max();
        tell();
    });
}

} // namespace penstock::limiter::redis
