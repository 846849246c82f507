// The middle of an exchange: who calls, which limits that meets, and what they say. Whose credentials are plain to see asks for
// all limits at once. Whose are refused is charged to the limits before_auth alone (AK-40). Whose token needs signature work
// asks in two stages: the limits before_auth, and, once verified, the others (AK-44).
#include "gateway/exchange.hpp"

#include "gateway/api_key_check.hpp"
#include "gateway/credential_answer.hpp"
#include "gateway/limit_check.hpp"
#include "gateway/queueing.hpp"
#include "gateway/respond.hpp"
#include "gateway/worker.hpp"
#include "gateway/workspace.hpp"
#include "limiter/attempt_refusal.hpp"

#include <array>

namespace penstock::gateway {
namespace asio = boost::asio;

limiter::plan const& exchange::plan() const noexcept { return view_->snapshot->plans[record_.route->id.value()]; }

bool exchange::is_denied(conf::deny_list const& list) const noexcept { return list.denies(seen_.facts.client); }

unsigned exchange::deny(denied_by what, conf::deny_action action)
{
    record_.denied = what;
    ++owner_.counts().denied[static_cast<std::size_t>(what)][static_cast<std::size_t>(action)];
    return respond::denied(space_.response, own_context(), action);
}

// Where no limit is met, an answer that depends on credentials would let anybody try them for nothing: of a preflight and on a
// route without limits none is refused, but those that are denied or that might be, and no signature is verified.
void exchange::look_at_credentials()
{
    auto const is_for_free = plan().terms.empty() || is_preflight();
    look_at_api_key(is_for_free);
    if (!view_->tokens || who_.refused() || is_for_free) return;
    who_.token = view_->tokens->look(seen_.facts, base::wall_clock_us());
    who_.unverified = who_.token.result == token_check::outcome::unverified;
    note_token();
}

void exchange::note_token() noexcept
{
    who_.token.describe_in(seen_.facts);
    if (who_.token.result == token_check::outcome::malformed) who_.why = credential_refusal::token_malformed;
    if (who_.token.result == token_check::outcome::invalid) who_.why = credential_refusal::token_invalid;
}

void exchange::look_at_api_key(bool is_for_free)
{
    auto const& snapshot = *view_->snapshot;
    auto const& settings = snapshot.settings.api_keys;
    if (settings.from.empty()) return;
    std::array const denials{&snapshot.settings.deny, &snapshot.route_denials[record_.route->id.value()]};
    auto const seen = check_api_key(seen_.facts, settings, space_.api_key, denials);
    if (seen.denied_by != nullptr) {
        who_.why = seen.why;
        who_.denial = seen.denied_by->action;
        return;
    }
    if (seen.known != nullptr) record_.api_key_name = seen.known->name;
    if (is_for_free) {
        if (seen.is_undecided) who_.why = credential_refusal::api_key_malformed; // which says nothing of any key
        return;
    }
    who_.why = seen.why;
    if (seen.is_ignored) ++owner_.counts().unknown_keys_ignored;
    seen.describe_in(seen_.facts);
}

// What the credentials say of themselves; of one that must be verified first the limits before_auth alone.
void exchange::choose_limits()
{
    auto const& all = plan();
    space_.granted = 0;
    space_.gate = {};
    record_.asked = &space_.asked.claims;
    if (all.terms.empty() || is_preflight()) return space_.asked.clear();
    auto const stage = who_.refused()    ? limiter::failed_attempt(all)
                       : who_.unverified ? limiter::before_auth(all)
                                         : limiter::plan_part(all);
    classify(stage);
    if (who_.refused() || space_.asked.missing_key == nullptr) return;
    note_missing_key();
    classify(limiter::failed_attempt(all));
}

void exchange::classify(limiter::plan_part const& stage)
{
    limiter::classify(stage, seen_.facts, view_->snapshot->keys, owner_.next_turn(), space_.asked, view_->digests.get());
}

// Who lacks the key that a limit insists on has not signed in.
void exchange::note_missing_key() noexcept
{
    who_.why = credential_refusal::key_missing;
    who_.lacking = space_.asked.missing_key;
}

bool exchange::ask_at_once(base::instant now)
{
    if (space_.asking().empty()) return true; // the gate of nothing is open
    if (space_.asked.may_wait || !is_counted_here(*view_, space_)) return false;
    check_memory(owner_, space_, now);
    return true;
}

asio::awaitable<bool> exchange::ask_stage()
{
    auto const now = base::clock::now();
    if (ask_at_once(now)) co_return true;
    if (space_.asked.may_wait) co_return co_await wait_for_turn();
    record_.check_time += co_await check_fleet(owner_, *view_, space_, now, record_.check_time);
    co_return true;
}

asio::awaitable<bool> exchange::ask_in_stages()
{
    auto const is_there = co_await ask_stage();
    if (!is_there) co_return false;
    if (space_.gate.verdict != limiter::admission_ruling::kind::admitted) co_return true;
    verify_credentials();
    if (space_.asked.claims.empty()) { // no limit stands before: all of them are still to be asked
        choose_limits();
        co_return co_await ask_stage();
    }
    if (who_.refused()) co_return true; // it is charged to the limits before_auth, which have just let it pass
    co_return co_await ask_second_stage();
}

asio::awaitable<bool> exchange::ask_second_stage()
{
    space_.first_gate = space_.gate;
    space_.granted = space_.asked.claims.size();
    auto const first = std::span<limiter::claim const>(space_.asked.claims).first(space_.granted);
    limiter::admission held(view_->stores, first, space_.first_gate); // whatever ends this request before the other has asked

    limiter::classify_further(limiter::after_auth(plan()), seen_.facts, view_->snapshot->keys, owner_.next_turn(), space_.asked,
                              view_->digests.get());
    auto is_there = true;
    if (space_.asked.missing_key != nullptr) {
        note_missing_key();
        space_.asked.claims.resize(space_.granted);
    } else if (!space_.asking().empty()) {
        is_there = co_await ask_stage();
        auto const admitted = is_there && space_.gate.verdict == limiter::admission_ruling::kind::admitted;
        if (!admitted) limiter::give_back(view_->stores, first, space_.first_gate, limiter::extent::everything);
        space_.gate = limiter::join(space_.first_gate, space_.gate);
    }
    held.let_go(); // the permits have been given back, or are those of the whole request
    space_.granted = 0;
    co_return is_there;
}

// Tokens are all that takes signature work. It keeps this thread for some 30 to 100 microseconds.
void exchange::verify_credentials()
{
    view_->tokens->verify(who_.token, base::wall_clock_us());
    who_.unverified = false;
    note_token();
}

asio::awaitable<bool> exchange::wait_for_turn()
{
    queueing turn(owner_, *view_, client_, space_, record_);
    co_return co_await turn.run() == queueing::outcome::ruled;
}

void exchange::report(limiter::admission_ruling const& gate)
{
    space_.limits = report_limits(gate, view_->snapshot->settings.responses.retry_jitter_percent, owner_.dice());
}

// Where the limits on failed attempts refuse, it says the same to good credentials and bad ones.
unsigned exchange::reject()
{
    auto const takes_credentials = view_->tokens || !view_->snapshot->settings.api_keys.from.empty();
    auto const by_attempts = takes_credentials ? limiter::refusal_of_attempt(space_.gate, plan().failed_attempt) : std::nullopt;
    auto const& told = by_attempts ? *by_attempts : space_.gate;
    report(told);
    return respond::rejected(space_.response, own_context(), told, space_.limits);
}

std::optional<unsigned> exchange::note_gate()
{
    record_.gate = &space_.gate;
    record_.credentials = who_.why;
    if (space_.gate.verdict != limiter::admission_ruling::kind::admitted) return reject();
    report(space_.gate);
    if (!who_.refused()) return std::nullopt;
    ++owner_.counts().credentials_refused[static_cast<std::size_t>(who_.why)];
    if (who_.why == credential_refusal::api_key_denied) return deny(denied_by::api_key, who_.denial);
    if (who_.lacking != nullptr)
        return respond::missing_key(space_.response, own_context(), *who_.lacking, seen_.facts, space_.limits);
    if (who_.token.is_refused()) return respond::bad_token(space_.response, own_context(), who_.token, space_.limits);
    return respond::refused_credentials(space_.response, own_context(), who_.why, space_.limits);
}

} // namespace penstock::gateway
