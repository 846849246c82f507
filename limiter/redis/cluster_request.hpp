// One request on its way through a cluster: the calls that it takes, one for each slot, and what they have answered so far.
// Kept by cluster_store when it is done, for the next: a request allocates nothing. Worker's thread.
#pragma once

#include "limiter/redis/pipeline.hpp"
#include "limiter/redis/slot_plan.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace penstock::limiter::redis {

class cluster_node;
class cluster_call;
class cluster_request;

// Who carries the calls.
class call_carrier {
public:
    call_carrier() = default;
    call_carrier(call_carrier const&) = delete;
    call_carrier& operator=(call_carrier const&) = delete;
    // A node has answered the call with this error. True: the call is elsewhere now.
    virtual bool redirect(cluster_call& which, std::string_view error) = 0;
    virtual void answered(cluster_call& which, resumption when) = 0;

protected:
    ~call_carrier() = default;
};

// One of its calls.
class cluster_call final : public waiter {
public:
    cluster_call(cluster_request& of, call_carrier& by) noexcept : waiter(said_), request(of), carrier_(by) {}

    void begin(std::span<claim const> claims, slot_plan::part const& of) noexcept
    {
        asked = claims;
        part = of;
        node = nullptr;
        redirections = 0;
        tried_again = false;
        answer(errc::not_connected);
    }
    bool redirected(std::string_view error) override { return carrier_.redirect(*this, error); }
    [[nodiscard]] bool is_of_a_caller() const noexcept override;
    void wake(resumption when) override { carrier_.answered(*this, when); }
    [[nodiscard]] base::result<verdict>& said() noexcept { return said_; }

    cluster_request& request;
    std::span<claim const> asked;
    slot_plan::part part;
    cluster_node* node = nullptr; // the one that is asked; valid while it is
    std::uint8_t redirections = 0;
    bool tried_again = false;

private:
    base::result<verdict> said_{errc::not_connected};
    call_carrier& carrier_;
};

class cluster_request {
public:
    explicit cluster_request(call_carrier& by) : carrier_(by) { add_call(); }

    void begin(std::span<claim const> claims, base::instant until, waiter& whose)
    {
        asked = claims;
        deadline = until;
        who = &whose;
        due = 0;
        used_ = 0;
        split_ = false;
        if (auto const slot = only_slot_of(claims))
            next_call().begin(claims, {*slot, 0, static_cast<std::uint8_t>(claims.size())});
        else
            split();
    }

    [[nodiscard]] std::size_t calls() const noexcept { return used_; }
    [[nodiscard]] cluster_call& call(std::size_t index) noexcept { return *calls_[index]; }
    // Whether there have ever been several calls.
    [[nodiscard]] bool is_split() const noexcept { return split_; }

    // A call whose keys are on their way becomes one for each key: itself the first of them, then those returned. Less than
    // two keys: false.
    bool split_by_key(cluster_call& whole)
    {
        if (!split_) {
            split();
            whole.part = plan_->parts().front();
        }
        auto const parts = plan_->split_by_key(whole.part);
        if (parts.size() < 2) return false;
        whole.begin(plan_->claims_of(parts.front()), parts.front());
        for (std::size_t i = 1; i < parts.size(); ++i) next_call().begin(plan_->claims_of(parts[i]), parts[i]);
        return true;
    }

    [[nodiscard]] boost::container::static_vector<part_answer, max_claims> answers() noexcept
    {
        boost::container::static_vector<part_answer, max_claims> all;
        for (std::size_t i = 0; i < used_; ++i) all.push_back({call(i).asked, plan_->places_of(call(i).part), &call(i).said()});
        return all;
    }

    std::span<claim const> asked;
    base::instant deadline{};
    waiter* who = nullptr;
    unsigned due = 0; // answers

private:
    void add_call() { calls_.push_back(std::make_unique<cluster_call>(*this, carrier_)); }
    cluster_call& next_call()
    {
        if (used_ == calls_.size()) add_call();
        return *calls_[used_++];
    }
    void split()
    {
        split_ = true;
        if (!plan_) plan_ = std::make_unique<slot_plan>();
        plan_->split_by_slot(asked);
        if (used_ > 0) return; // the only call stands for the only part
        for (auto const& part : plan_->parts()) next_call().begin(plan_->claims_of(part), part);
    }

    call_carrier& carrier_;
    std::vector<std::unique_ptr<cluster_call>> calls_; // the first used_ are this request's
    std::size_t used_ = 0;
    std::unique_ptr<slot_plan> plan_; // once a request has been split
    bool split_ = false;
};

inline bool cluster_call::is_of_a_caller() const noexcept { return request.who->is_of_a_caller(); }

} // namespace penstock::limiter::redis
