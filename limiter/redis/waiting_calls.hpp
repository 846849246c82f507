// The calls of cluster_store that cannot be sent yet, and the timer of the one that is due first. Bounded. Owned by cluster_store's
// core, on the worker's thread. I/O (the timer).
#pragma once

#include "limiter/redis/cluster_request.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <memory>
#include <vector>

namespace penstock::limiter::redis {

struct waiting_call {
    enum class reason : std::uint8_t {
        slots,      // nobody knows yet who has the slot
        connection, // its node is being connected to for the first time
        asking,     // likewise; to be sent behind ASKING
        keys,       // on their way to another node: sent again at `until`
    };

    cluster_call* which;
    base::instant until; // then it is sent once more, or given up
    reason why;
};

class waiting_calls {
public:
    // `of`: told of the calls whose time has come, which no longer wait.
    class owner {
    public:
        virtual void on_due(std::vector<waiting_call> const& due, base::instant now) = 0;
        [[nodiscard]] virtual std::weak_ptr<void> lifeline() noexcept = 0; // ends with the owner

    protected:
        ~owner() = default;
    };

    waiting_calls(boost::asio::io_context& worker, owner& of) : due_(worker), owner_(of) {}

    // False: too many wait already.
    [[nodiscard]] bool add(waiting_call one);
    // Those that `is_chosen` no longer wait.
    template <class Predicate>
    [[nodiscard]] std::vector<waiting_call> take(Predicate const& is_chosen)
    {
        std::vector<waiting_call> taken;
        std::erase_if(waiting_, [&](waiting_call const& each) {
            if (!is_chosen(each)) return false;
            taken.push_back(each);
            return true;
        });
        return taken;
    }
    [[nodiscard]] std::vector<waiting_call> stop();

private:
    static constexpr std::size_t most = 4'096; // others are answered at once

    void await_first();
    void on_time();

    std::vector<waiting_call> waiting_;
    boost::asio::basic_waitable_timer<base::clock> due_;
    base::instant due_at_ = base::instant::max();
    owner& owner_;
};

} // namespace penstock::limiter::redis
