#include "bench/simulate/strategies.hpp"

#include "limiter/lease_account.hpp"
#include "limiter/lease_ledger.hpp"

#include <optional>
#include <string>
#include <unordered_map>

namespace penstock::simulate {
namespace {

constexpr unsigned shards = 4;

// Of one gateway: until when a counter is known to refuse, counted from when the refused call was sent.
class denials {
public:
    [[nodiscard]] bool refuses(int counter, base::instant now) const
    {
        auto const found = until_.find(counter);
        return found != until_.end() && now < found->second;
    }
    void note(int counter, base::instant until) { until_[counter] = until; }

private:
    std::unordered_map<int, base::instant> until_;
};

// One call for each request, of one of the counters that a key has.
class asking : public strategy {
public:
    asking(world& in, unsigned counters_of_a_key, bool remember)
        : in_(in),
          counters_(counters_of_a_key),
          remember_(remember),
          states_(static_cast<std::size_t>(in.wanted().keys) * counters_of_a_key),
          denials_(static_cast<std::size_t>(in.wanted().gateways)),
          turn_(denials_.size(), 0)
    {
        for (int key = 0; key < in.wanted().keys; ++key)
            for (unsigned i = 0; i < counters_; ++i) limits_.push_back(part_of(in.key(key).bucket, i));
    }
    void arrive(int gateway, int key) override { ask(gateway, key, turn_[static_cast<std::size_t>(gateway)]++, counters_); }

private:
    // A key with fewer permits than shards has one counter.
    [[nodiscard]] std::optional<limiter::algorithm> part_of(limiter::token_bucket const& whole, unsigned index) const
    {
        if (counters_ == 1) return whole;
        if (auto part = limiter::shard_of(whole, index, counters_)) return part;
        if (index == 0) return whole;
        return std::nullopt;
    }
    void ask(int gateway, int key, unsigned turn, unsigned tries)
    {
        if (tries == 0) return;
        auto const counter = key * static_cast<int>(counters_) + static_cast<int>(turn % counters_);
        auto const sent_at = in_.now();
        auto& known = denials_[static_cast<std::size_t>(gateway)];
        if (!limits_[static_cast<std::size_t>(counter)] || (remember_ && known.refuses(counter, sent_at)))
            return ask(gateway, key, turn + 1, tries - 1);
        in_.count_call();
        in_.send([this, gateway, key, turn, tries, counter, sent_at] {
            auto& state = states_[static_cast<std::size_t>(counter)];
            auto const look =
                limiter::advance(*limits_[static_cast<std::size_t>(counter)], state ? &*state : nullptr, 1, in_.now());
            if (look.decision.allowed) {
                state = look.next;
                return in_.admit(key);
            }
            in_.send([this, gateway, key, turn, tries, counter, until = sent_at + look.decision.retry_after] {
                denials_[static_cast<std::size_t>(gateway)].note(counter, until);
                ask(gateway, key, turn + 1, tries - 1);
            });
        });
    }

    world& in_;
    unsigned counters_;
    bool remember_;
    std::vector<std::optional<limiter::algorithm>> limits_;
    std::vector<std::optional<limiter::counter_state>> states_;
    std::vector<denials> denials_;
    std::vector<unsigned> turn_;
};

class leasing : public strategy {
public:
    explicit leasing(world& in) : in_(in), policies_(static_cast<std::size_t>(in.wanted().keys)), states_(policies_.size())
    {
        for (int key = 0; key < in.wanted().keys; ++key) policies_[at(key)].quota.algorithm = in.key(key).bucket;
        for (int i = 0; i < in.wanted().gateways; ++i) {
            gateways_.push_back(std::make_unique<gateway>(static_cast<std::uint64_t>(i) + 1));
            sweep_later(i);
        }
    }

    void arrive(int which, int key) override
    {
        auto& here = *gateways_[at(which)];
        auto const claim = claim_of(key);
        auto const ruling = here.account.spend(claim, in_.now());
        if (ruling.renew) send(which, key, here.account.renew(claim, in_.now()));
        if (ruling.way == limiter::lease_way::spent) return in_.admit(key);
        if (ruling.way == limiter::lease_way::ask && !here.known.refuses(key, in_.now())) ask(which, key);
    }

private:
    struct gateway {
        explicit gateway(std::uint64_t seed) : account(4096, {seed, ~seed}) {}
        limiter::lease_account account;
        denials known;
    };
    [[nodiscard]] static std::size_t at(int which) { return static_cast<std::size_t>(which); }
    [[nodiscard]] limiter::claim claim_of(int key) const
    {
        limiter::claim claim;
        claim.policy = &policies_[at(key)];
        claim.key.append(std::to_string(key));
        return claim;
    }
    [[nodiscard]] limiter::lending_counter const* state_of(int key) const
    {
        return states_[at(key)] ? &*states_[at(key)] : nullptr;
    }
    void ask(int which, int key)
    {
        in_.count_call();
        in_.send([this, which, key, sent_at = in_.now()] {
            auto const result = limiter::advance_lending(in_.key(key).bucket, state_of(key), 1, in_.now());
            if (result.look.decision.allowed) {
                states_[at(key)] = result.next;
                return in_.admit(key);
            }
            in_.send([this, which, key, said = result.look.decision, until = sent_at + result.look.decision.retry_after] {
                auto& here = *gateways_[at(which)];
                here.known.note(key, until);
                here.account.refused_by_store(claim_of(key), said, in_.now());
            });
        });
    }
    void send(int which, int key, limiter::lease_request const& request)
    {
        in_.count_call();
        auto const shared = std::make_shared<limiter::lease_request>(request);
        auto const lost = [this, which, shared] { gateways_[at(which)]->account.lost(*shared, in_.now()); };
        auto const arrived = [this, which, key, shared, lost, sent_at = in_.now()] {
            auto const result = limiter::lend(*shared, state_of(key), in_.now());
            if (result.changed) states_[at(key)] = result.next;
            auto const answered = [this, which, shared, sent_at, got = result.answer] {
                gateways_[at(which)]->account.answered(*shared, sent_at, got, in_.now());
            };
            in_.send(answered, lost);
        };
        in_.send(arrived, lost);
    }
    void sweep_later(int which)
    {
        in_.after(limiter::lease_account::sweep_interval, [this, which] {
            sweep_later(which);
            std::vector<limiter::lease_request> to_send;
            gateways_[at(which)]->account.sweep(in_.now(), to_send);
            for (auto const& request : to_send) send(which, std::stoi(std::string(request.key.view())), request);
        });
    }

    world& in_;
    std::vector<limiter::policy> policies_;
    std::vector<std::optional<limiter::lending_counter>> states_;
    std::vector<std::unique_ptr<gateway>> gateways_;
};

} // namespace

std::unique_ptr<strategy> make_exact(world& in) { return std::make_unique<asking>(in, 1, false); }
std::unique_ptr<strategy> make_remembering(world& in) { return std::make_unique<asking>(in, 1, true); }
std::unique_ptr<strategy> make_leased(world& in) { return std::make_unique<leasing>(in); }
std::unique_ptr<strategy> make_sharded(world& in) { return std::make_unique<asking>(in, shards, true); }

} // namespace penstock::simulate
