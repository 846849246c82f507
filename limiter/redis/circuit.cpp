#include "limiter/redis/circuit.hpp"

#include <utility>

namespace penstock::limiter::redis {

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
    void wake(resumption) override { owner_.probed(answered()); }

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
    line_.on_opened(why, words);
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

void circuit::probe()
{
    if (std::exchange(probing_, true)) return;
    words_.clear();
    line_.send_probe(prober_->claims(), *prober_);
}

void circuit::probed(base::result<verdict> const& answer)
{
    probing_ = false;
    if (line_.stopped()) return;
    if (answer) {
        breaker_.probe_succeeded();
        return line_.on_recovered();
    }
    line_.on_trouble(answer.error());
    if (breaker_.now_in() == breaker::state::closed) return failed(static_cast<errc>(answer.error().value()), words_);
    breaker_.probe_failed(base::clock::now());
    await_probe();
}

} // namespace penstock::limiter::redis
