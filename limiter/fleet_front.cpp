#include "limiter/fleet_front.hpp"

#include "limiter/error.hpp"
#include "limiter/fingerprint.hpp"
#include "limiter/redis/suspended.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace penstock::limiter {
namespace asio = boost::asio;
namespace {

// Only requests that differ in nothing may share a call: one charge for each of them is then as good as one for all.
bool may_share(std::span<claim const> asked) noexcept
{
    if (asked.size() != 1) return false;
    auto const& only = asked.front();
    auto const& limit = *only.policy;
    return limit.enforce == enforcement::enforce && limit.precision == precision::exact && limit.queue.limit == 0 &&
           only.cost > 0 && !is_sharded(only) && !std::holds_alternative<concurrency>(only.algorithm());
}

bool may_be_leased(claim const& asked) noexcept
{
    auto const& limit = *asked.policy;
    return limit.precision == precision::leased && limit.enforce == enforcement::enforce && asked.cost > 0;
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
      leases_(most_leases, secret),
      flights_({buckets_.data(), buckets_.size()}),
      counts_(counts)
{}

fleet_front::~fleet_front() = default;

asio::awaitable<base::result<verdict>> fleet_front::acquire(std::span<claim const> asked, base::instant deadline)
{
    spending spent;
    if (std::ranges::any_of(asked, may_be_leased)) {
        auto const now = base::clock::now();
        spent = spend(asked, now);
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
                ++counts_of(*rest[final->place].policy).denials_from_memory;
                if (spent.part) {
                    unspend(asked, *spent.part, now);
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
std::optional<fleet_front::known_answer> fleet_front::recall(std::span<claim const> asked, base::instant now) noexcept
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
std::optional<fleet_front::known_answer> fleet_front::recall_all_shards(shard_tour& tour, known_answer first, base::instant now)
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

fleet_limit_counts& fleet_front::counts_of(policy const& limit)
{
    auto found = counts_.find(limit.name);
    if (found == counts_.end()) found = counts_.emplace(limit.name, fleet_limit_counts{}).first;
    return found->second;
}

// ---- calls

void fleet_front::begin(fleet_request& who)
{
    if (!may_share(who.asked)) return send(who);
    who.fingerprint = fingerprint_of(who.asked.front(), secret_);
    auto const [at, first] = flights_.insert(who);
    if (first) return send(who);
    // Whoever has less time than the call under way would be kept waiting past its deadline.
    if (waiting_ == most_waiting || who.deadline < at->deadline) return send(who);
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

void fleet_front::answered(fleet_request& who, redis::resumption when)
{
    auto const& got = who.answered();
    if (got && !got->allowed) {
        remember(who.asks_now(), *got, who.sent_at);
        note_refusals(who.asks_now(), *got, base::clock::now());
        if (try_next_shard(who)) return;
    }
    if (who.fleet_request::leads::is_linked()) return land(who, when);
    if (who.leased) complete(who, base::clock::now());
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
    if (denied) counts_of(*waiting.front().asked.front().policy).denials_from_memory += waiting.size();
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

// ---- leases

// All leased claims are tried on permits at hand, before anything else is asked: what they take is taken back by a word.
fleet_front::spending fleet_front::spend(std::span<claim const> asked, base::instant now)
{
    boost::container::static_vector<known_answer, max_claims> at_hand;
    std::optional<known_answer> refused;
    for (std::size_t i = 0; i < asked.size() && !refused; ++i) {
        if (!may_be_leased(asked[i])) continue;
        auto const ruling = leases_.spend(asked[i], now);
        if (ruling.renew) send(leases_.renew(asked[i], now));
        if (ruling.way == lease_way::spent) at_hand.push_back({.place = i, .said = ruling.decision});
        if (ruling.way == lease_way::refused) refused = known_answer{.place = i, .said = ruling.decision};
    }
    if (refused) {
        for (auto const& each : at_hand) static_cast<void>(leases_.unspend(asked[each.place], now));
        ++counts_of(*asked[refused->place].policy).denials_from_memory;
        return {.known = refused, .part = nullptr};
    }
    if (at_hand.empty()) return {};
    for (auto const& each : at_hand) ++counts_of(*asked[each.place].policy).admissions_on_lease;
    if (asked.size() == 1) return {.known = at_hand.front(), .part = nullptr};

    auto part = std::make_unique<split>();
    decision unknown;
    unknown.known = false;
    part->at_hand = {.allowed = true, .granted = 1, .now = now, .decisions = {}};
    part->at_hand.decisions.resize(asked.size(), unknown);
    for (auto const& each : at_hand) part->at_hand.decisions[each.place] = each.said;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (part->at_hand.decisions[i].known) continue;
        part->rest.push_back(asked[i]);
        part->places.push_back(i);
    }
    return {.known = std::nullopt, .part = std::move(part)};
}

// What is not taken back stays spent, as a permit does that lapses.
void fleet_front::unspend(std::span<claim const> asked, split const& part, base::instant now) noexcept
{
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (!part.at_hand.decisions[i].known) continue;
        static_cast<void>(leases_.unspend(asked[i], now));
        --counts_of(*asked[i].policy).admissions_on_lease;
    }
}

asio::awaitable<base::result<verdict>> fleet_front::hand_over(std::unique_ptr<split> all) { co_return all->at_hand; }

void fleet_front::note_refusals(std::span<claim const> asked, verdict const& said, base::instant now) noexcept
{
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (may_be_leased(asked[i]) && said.decisions[i].known && !said.decisions[i].allowed)
            leases_.refused_by_store(asked[i], now);
    }
}

// The store has answered for the rest of a request: what was at hand joins the answer, or goes back.
void fleet_front::complete(fleet_request& who, base::instant now)
{
    auto const& got = who.answered();
    if (!got || !got->allowed) unspend(who.asked, *who.leased, now);
    if (!got) return;
    auto all = who.leased->at_hand;
    all.allowed = got->allowed;
    all.granted = got->granted;
    all.now = got->now;
    for (std::size_t i = 0; i < got->decisions.size(); ++i) all.decisions[who.leased->places[i]] = got->decisions[i];
    who.answer(all);
}

void fleet_front::send(lease_request const& wanted)
{
    auto const sent_at = base::clock::now();
    behind_.lease(wanted, [this, wanted, sent_at](base::result<lease_answer> const& got) {
        auto const now = base::clock::now();
        if (got)
            leases_.answered(wanted, sent_at, *got, now);
        else
            leases_.lost(wanted, now);
    });
}

void fleet_front::tick(base::instant now)
{
    if (now < next_sweep_) return;
    next_sweep_ = now + lease_account::sweep_interval;
    std::vector<lease_request> to_send;
    leases_.sweep(now, to_send);
    for (auto const& each : to_send) send(each);
}

void fleet_front::close_leases()
{
    std::vector<lease_request> to_send;
    leases_.close(base::clock::now(), to_send);
    for (auto const& each : to_send) send(each);
}

} // namespace penstock::limiter
