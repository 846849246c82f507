// Asks the stores for all claims of one request together: what lives in this process first, so that what it refuses never
// reaches Redis; what lives in the fleet next; and gives back what one took when the other refuses, so that a refused
// request has charged nothing. Applies the failure modes when the fleet's store cannot answer. Called by
// gateway/exchange on its worker's thread.
#pragma once

#include "limiter/admit.hpp"
#include "limiter/claim.hpp"
#include "limiter/memory_store.hpp"
#include "limiter/stand_in.hpp"
#include "limiter/store.hpp"
#include "limiter/waiting_room.hpp"

#include <boost/asio/awaitable.hpp>

#include <span>

namespace penstock::limiter {

// Whether every claim is counted in this process, so that acquire_in_memory() answers without waiting.
bool all_in_memory(std::span<claim const> asked) noexcept;

admission_ruling acquire_in_memory(memory_store& memory, std::span<claim const> asked, base::instant now) noexcept;

struct stores {
    memory_store& memory;
    store* fleet = nullptr;          // null: everything is counted in this process
    waiting_room* waiting = nullptr; // told of each permit that is given back; null: nobody waits
    stand_in* local = nullptr;       // counts where `fleet` does not answer; never null beside one
};

// For claims of which some are the fleet's. `deadline`: when the fleet's store has had its time. `asked` stays alive and unchanged, and `gate` alive, until the answer
// is in `gate`: returned by value it would make each frame on its way too large for Asio's cache of frames.
boost::asio::awaitable<void> acquire(stores from, std::span<claim const> asked, base::instant deadline, admission_ruling& gate);

// Undoes an admission, where it was charged: its concurrency permits only, or everything (the request does not go on).
enum class extent : std::uint8_t { permits, everything };
void give_back(stores const& from, std::span<claim const> asked, admission_ruling const& gate, extent what) noexcept;

} // namespace penstock::limiter
