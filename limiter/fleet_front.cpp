#include "limiter/fleet_front.hpp"

#include "limiter/error.hpp"
#include "limiter/fingerprint.hpp"
#include "limiter/redis/suspended.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace penstock::limiter {
namespace asio = boost::asio;
namespace {

// Only requests that differ in nothing may share a call: one charge for each of them is then as good as one for all. Those of a
// leased limit come here when no permit is at hand, all of them at once.
bool may_share(std::span<claim const> asked) noexcept
{
    if (asked.size() != 1) return false;
    auto const& only = asked.front();
    auto const& limit = *only.policy;
    return limit.enforce == enforcement::enforce && limit.queue.limit == 0 && only.cost > 0 && !is_sharded(only) &&
           !std::holds_alternative<concurrency>(only.algorithm());
}

} // namespace

void fleet_request::wake(redis::resumption when) { front_.answered(*this, when); }

bool fleet_front::flight_equal::operator()(fleet_request const& a, fleet_request const& b) const noexcept
{
    auto const& one = a.asked.front();
    auto const& other = b.asked.front();
    return a.fingerprint == b.fingerprint && one.cost == other.cost && one.key == other.key &&
           one.algorithm() == other.algorithm();
}

fleet_front::fleet_front(asio::io_context& worker, asked_store& behind, base::hash_key secret, fleet_counts& counts)
    : worker_(worker),
      behind_(behind),
      secret_(secret),
      leases_(behind, most_leases, secret, counts),
      flights_({buckets_.data(), buckets_.size()}),
      counts_(counts)
{}

fleet_front::~fleet_front() = default;

asio::awaitable<base::result<verdict>> fleet_front::acquire(std::span<claim const> asked, base::instant deadline)
{
    if (handover_ && handover_->is_due()) handover_->before(asked, base::clock::now());
    lease_front::spending spent;
    if (std::ranges::any_of(asked, lease_front::may_be_leased)) {
        auto const now = base::clock::now();
        spent = leases_.spend(asked, now);
        if (spent.known) return tell(asked.size(), *spent.known, now);
        if (spent.part && spent.part->rest.empty()) return hand_over(std::move(spent.part));
    }
    std::unique_ptr<shard_tour> elsewhere;
    if (!denials_.empty()) {
        auto const now = base::clock::now();
        auto const rest = spent.part ? std::span<claim const>(spent.part->rest) : asked;
        if (auto const denied = recall(rest, now)) {
            shard_tour tour(rest);
            if (auto final = recall_all_shards(tour, *denied, now)) {
                ++counts_of(counts_, rest[final->place].policy->name).denials_from_memory;
                if (spent.part) {
                    leases_.withdraw(asked, *spent.part, now);
                    final->place = spent.part->places[final->place];
                }
                return tell(asked.size(), *final, now);
            }
            elsewhere = std::make_unique<shard_tour>(tour);
        }
    }
    auto wait = [this, asked, deadline, part = std::move(spent.part), elsewhere = std::move(elsewhere)](auto handler) mutable {
        using suspended = redis::suspended<fleet_request, decltype(handler)>;
        begin(suspended::make(std::move(handler), worker_.get_executor(), *this, asked, deadline, std::move(part),
                              std::move(elsewhere)));
    };
    // Not a coroutine of its own: one frame less on the way of each request.
    return asio::async_initiate<asio::use_awaitable_t<> const, void(base::result<verdict>)>(std::move(wait),
                                                                                            asio::use_awaitable);
}

// To where it was taken from.
void fleet_front::give_back(claim const& what, charge const& taken) noexcept
{
    if (taken.lease_until == base::instant{})
        behind_.give_back(what, taken);
    else
        leases_.give_back(what, taken, base::clock::now());
}

asio::awaitable<base::result<verdict>> fleet_front::hand_over(std::unique_ptr<leased_part> all) { co_return all->at_hand; }

// ---- denials

// Takes what makes a small frame: Asio keeps those for the next.
asio::awaitable<base::result<verdict>> fleet_front::tell(std::size_t of, known_answer told, base::instant now)
{
    co_return verdict_of(of, told, now);
}

verdict fleet_front::verdict_of(std::size_t of, known_answer const& told, base::instant now)
{
    auto const allowed = told.said.allowed;
    verdict said{.allowed = allowed, .granted = allowed ? 1U : 0U, .now = now, .decisions = {}};
    decision unknown;
    unknown.known = false;
    said.decisions.resize(of, unknown);
    said.decisions[told.place] = told.said;
    return said;
}

// Of several refusals the one that stands longest.
std::optional<known_answer> fleet_front::recall(std::span<claim const> asked, base::instant now) noexcept
{
    std::optional<known_answer> longest;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (!denial_memory::remembers(asked[i])) continue;
        auto const said = denials_.find(fingerprint_of(asked[i], secret_), asked[i], now);
        if (said && (!longest || said->retry_after > longest->said.retry_after)) longest = {.place = i, .said = *said};
    }
    return longest;
}

// The refusal, if no shard is left that might not refuse; else `tour` has come to one.
std::optional<known_answer> fleet_front::recall_all_shards(shard_tour& tour, known_answer first, base::instant now)
{
    for (auto denied = first;;) {
        auto said = verdict_of(tour.claims().size(), denied, now);
        if (!tour.move_on(said)) {
            tour.shorten_waits(said);
            return known_answer{.place = denied.place, .said = said.decisions[denied.place]};
        }
        auto const next = recall(tour.claims(), now);
        if (!next) return std::nullopt;
        denied = *next;
    }
}

void fleet_front::remember(std::span<claim const> asked, verdict const& said, base::instant sent_at) noexcept
{
    auto const now = base::clock::now();
    for (std::size_t i = 0; i < asked.size(); ++i) {
        auto const& one = said.decisions[i];
        if (!one.known || one.allowed || !denial_memory::remembers(asked[i])) continue;
        denials_.remember(fingerprint_of(asked[i], secret_), one, sent_at, now);
    }
}

// ---- calls

void fleet_front::begin(fleet_request& who)
{
    if (!may_share(who.asked)) return send(who);
    who.fingerprint = fingerprint_of(who.asked.front(), secret_);
    auto const [at, first] = flights_.insert(who);
    if (first) return send(who);
    // Whoever has less time than the call under way would be kept waiting past its deadline; and behind an open breaker that call
    // may never be answered.
    if (waiting_ == most_waiting || who.deadline < at->deadline || behind_.breaker_is_open(who.asked.front())) return send(who);
    at->behind.push_back(who);
    ++waiting_;
}

void fleet_front::send(fleet_request& who)
{
    who.sent_at = base::clock::now();
    if (who.alike.empty()) return behind_.ask(who.asks_now(), who.deadline, who);
    auto deadline = who.deadline;
    for (auto const& each : who.alike) deadline = std::min(deadline, each.deadline);
    who.for_all = std::make_unique<claim>(who.asked.front());
    who.for_all->times = static_cast<std::uint32_t>(who.alike.size() + 1);
    behind_.ask({who.for_all.get(), 1}, deadline, who);
}

// A call in the background may have taken the last permits just before a request asked for one: then they are at hand.
bool fleet_front::spend_after_all(fleet_request& who)
{
    auto const now = base::clock::now();
    if (who.asked.size() != 1 || !leases_.has_at_hand(who.asked.front(), now)) return false;
    auto const spent = leases_.spend(who.asked, now);
    if (!spent.known || !spent.known->said.allowed) return false;
    who.answer(verdict_of(1, *spent.known, now));
    return true;
}

void fleet_front::answered(fleet_request& who, redis::resumption when)
{
    auto const& got = who.answered();
    if (!got && waiting_ > 0 && got.error() != errc::breaker_open) {
        auto const is_open = [this](claim const& each) { return behind_.breaker_is_open(each); };
        if (std::ranges::any_of(who.asks_now(), is_open)) let_go();
    }
    if (got && local_) local_->note(who.asks_now(), *got, who.sent_at);
    if (got && got->allowed && who.tour) {
        auto said = *got;
        who.tour->say_where(said);
        who.answer(said);
    } else if (got && !got->allowed && !spend_after_all(who)) {
        remember(who.asks_now(), *got, who.sent_at);
        leases_.note_refusals(who.asks_now(), *got, base::clock::now());
        if (try_next_shard(who)) return;
    }
    if (who.fleet_request::leads::is_linked()) return land(who, when);
    if (who.leased) who.answer(leases_.complete(who.asked, *who.leased, got, base::clock::now()));
    who.resume(when);
}

// True if the request is under way again; false if its answer stands.
bool fleet_front::try_next_shard(fleet_request& who)
{
    if (!who.tour) {
        if (std::ranges::none_of(who.asks_now(), is_sharded)) return false;
        who.tour = std::make_unique<shard_tour>(who.asks_now());
    }
    auto said = *who.answered();
    if (who.tour->move_on(said)) {
        auto const now = base::clock::now();
        auto const denied = recall(who.tour->claims(), now);
        auto const final = denied ? recall_all_shards(*who.tour, *denied, now) : std::nullopt;
        if (!final) {
            send(who);
            return true;
        }
        said = verdict_of(who.asks_now().size(), *final, now);
    } else {
        who.tour->shorten_waits(said);
    }
    who.answer(said);
    return false;
}

// ---- calls that several share

void fleet_front::land(fleet_request& leader, redis::resumption when)
{
    flights_.erase(flights_.iterator_to(leader));
    if (!leader.alike.empty() || !leader.behind.empty()) {
        fleet_request::line waiting;
        waiting.swap(leader.behind);
        waiting_ -= waiting.size();
        hand_out(leader, waiting);
        lift(std::move(waiting), base::clock::now());
    }
    leader.resume(when); // the last that happens here: it may end the front
}

// The requests of one call, in their order, are answered as if they had asked one after another. Those for which the permits
// did not suffice go in front of `waiting`: the next call says how long they have to wait.
void fleet_front::hand_out(fleet_request& leader, fleet_request::line& waiting)
{
    auto got = leader.answered();
    auto left = got && got->allowed ? got->granted : 0U;
    auto const next = [&got, &left, cost = leader.asked.front().cost] {
        auto one = got;
        if (one && one->allowed) {
            --left;
            one->granted = 1;
            one->decisions.front().remaining += left * cost;
        }
        return one;
    };
    auto const refused = left == 0;
    leader.answer(next());
    while (!leader.alike.empty() && (refused || left > 0)) {
        auto& who = leader.alike.front();
        leader.alike.pop_front();
        who.answer(next());
        who.resume(redis::resumption::later);
    }
    waiting.splice_after(waiting.before_begin(), leader.alike);
}

// Those who waited behind a call that has ended: answered from what it brought, or sent together.
void fleet_front::lift(fleet_request::line waiting, base::instant now)
{
    if (waiting.empty()) return;
    auto const denied = recall(waiting.front().asked, now);
    if (denied) counts_of(counts_, waiting.front().asked.front().policy->name).denials_from_memory += waiting.size();
    fleet_request* leader = nullptr;
    while (!waiting.empty()) {
        auto& who = waiting.front();
        waiting.pop_front();
        if (denied || who.deadline <= now) {
            who.answer(denied ? base::result<verdict>{verdict_of(1, *denied, now)} : base::result<verdict>{errc::timed_out});
            who.resume(redis::resumption::later);
        } else if (!leader) {
            leader = &who;
        } else if (leader->alike.size() + 1 < most_alike) {
            leader->alike.push_back(who);
        } else {
            leader->behind.push_back(who);
            ++waiting_;
        }
    }
    if (!leader) return;
    flights_.insert(*leader);
    send(*leader);
}

// A call has failed, and may have opened the breaker: then whoever waits behind a call that is still under way asks now, and is
// told so.
void fleet_front::let_go()
{
    fleet_request::line freed;
    for (auto& leader : flights_) {
        if (leader.behind.empty() || !behind_.breaker_is_open(leader.asked.front())) continue;
        waiting_ -= leader.behind.size();
        freed.splice_after(freed.before_begin(), leader.behind);
    }
    while (!freed.empty()) {
        auto& who = freed.front();
        freed.pop_front();
        send(who);
    }
}

} // namespace penstock::limiter
