#include "limiter/redis/circuit.hpp"

#include "limiter/redis/scripts.hpp"

#include <string>
#include <utility>

namespace penstock::limiter::redis {
namespace {

bool is_all_rights(reply const& answer) noexcept { return answer.kind == reply::type::bulk && answer.text == "OK"; }

} // namespace

// The probe of an open breaker: the script itself, on a key of its own, with a charge, so that what would refuse a request
// (a replica, full memory, a missing permission) refuses the probe. It is no user's request.
class circuit::prober final : public waiter {
public:
    prober(circuit& owner, std::string_view key) noexcept : waiter(result_), owner_(owner)
    {
        policy_.quota.algorithm = token_bucket{.capacity = 1'000'000, .interval_us = 1};
        claim_.policy = &policy_;
        claim_.key.append(key);
    }
    [[nodiscard]] std::span<claim const> claims() const noexcept { return {&claim_, 1}; }
    void use(std::string_view key) noexcept
    {
        claim_.key.clear();
        claim_.key.append(key);
    }
    [[nodiscard]] std::string_view key() const noexcept { return claim_.key.view(); }
    void wake(resumption) override { owner_.probed(answered() ? base::error_code{} : answered().error()); }

private:
    base::result<verdict> result_{errc::not_connected};
    circuit& owner_;
    policy policy_;
    claim claim_;
};

circuit::circuit(boost::asio::io_context& worker, redis_settings const& wanted, std::uint64_t seed, line& over)
    : line_(over),
      breaker_(wanted.breaker, seed),
      probe_due_(worker),
      prober_(std::make_unique<prober>(*this, wanted.probe_key))
{}

circuit::~circuit() = default;

void circuit::probe_with(std::string_view key) { prober_->use(key); }

bool circuit::is_probe(waiter const& who) const noexcept { return &who == prober_.get(); }

void circuit::failed(errc why, std::string_view words)
{
    if (!breaker_.failed(why, base::clock::now())) return;
    lacks_right_ = why == errc::refused_login && line_.serving();
    auto told = std::string(words);
    if (lacks_right_) told += "; it closes when the user may use every command that the documentation lists";
    line_.on_opened(why, told);
    await_probe();
}

void circuit::connected(trust how)
{
    if (breaker_.start_probe_on_new_connection() || how == trust::when_proven) probe();
}

void circuit::adopt(redis_terms const& next)
{
    breaker_.adopt(next.breaker, base::clock::now());
    if (breaker_.now_in() == breaker::state::open) await_probe(); // maybe sooner
}

void circuit::probe_at_once()
{
    if (breaker_.now_in() != breaker::state::open) return;
    breaker_.probe_at_once(base::clock::now());
    await_probe();
}

void circuit::stop() { probe_due_.cancel(); }

void circuit::await_probe()
{
    probe_due_.expires_at(breaker_.probe_at());
    probe_due_.async_wait([this, alive = line_.lifeline()](base::error_code cancelled) {
        auto const self = alive.lock();
        if (!self || cancelled || !line_.serving()) return; // a new connection brings its own probe
        if (breaker_.start_probe(base::clock::now())) probe();
    });
}

// Nobody may ask for long, and until then the end of the outage would be told by nobody.
void circuit::await_proof()
{
    probe_due_.expires_at(base::clock::now() + prove_again_after);
    probe_due_.async_wait([this, alive = line_.lifeline()](base::error_code cancelled) {
        auto const self = alive.lock();
        if (self && !cancelled && line_.serving() && may_ask()) probe();
    });
}

void circuit::probe()
{
    if (std::exchange(probing_, true)) return;
    words_.clear();
    if (lacks_right_) return probe_rights();
    line_.send_probe(prober_->claims(), *prober_);
}

// Which right was missing nobody knows, and a charge may not need it: closed by a charge, the breaker would be opened again by
// the next caller whose check does.
void circuit::probe_rights()
{
    auto told = [this](base::result<reply> const& answer) { // only while the line lives
        if (!answer) return probed(answer.error());
        probed(is_all_rights(*answer) ? base::error_code{} : make_error_code(errc::protocol));
    };
    line_.send_probe({.what = &scripts::probe, .key = std::string(prober_->key()), .done = std::move(told), .quiet = true});
}

void circuit::probed(base::error_code failed_with)
{
    probing_ = false;
    if (line_.stopped()) return;
    if (!failed_with) {
        breaker_.probe_succeeded(base::clock::now());
        lacks_right_ = false;
        return line_.on_recovered();
    }
    line_.on_trouble(failed_with);
    if (may_ask()) {
        failed(static_cast<errc>(failed_with.value()), words_);
        return may_ask() ? await_proof() : void();
    }
    breaker_.probe_failed(base::clock::now());
    await_probe();
}

} // namespace penstock::limiter::redis
