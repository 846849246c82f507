// What we send to Redis, as frames, and the verdict that comes back. Knows the calling convention of the scripts in lua/; knows no
// socket and no clock. Called by link and pipeline. Pure.
#pragma once

#include "limiter/claim.hpp"
#include "limiter/error.hpp"
#include "limiter/redis/reply_reader.hpp"
#include "limiter/redis/scripts.hpp"

#include <span>
#include <string>
#include <string_view>

namespace penstock::limiter::redis {

enum class calling : std::uint8_t { by_digest, by_text }; // EVALSHA, or EVAL which also loads

// Permits of a concurrency limit as their holder, one connection of a worker, knows them: see lua/lib/concurrency.lua.
struct holding {
    std::int64_t holder = 0; // 1 to 2^53 - 1
    std::int64_t held = 0;   // by all replies seen, less what was given back; without the cost that is asked for now
};
// For how long permits stay held that nobody renews.
inline constexpr base::micros permit_lapse = std::chrono::seconds(5);

// One call of lua/acquire.lua. Beyond acquiring: a concurrency claim of cost -n gives n permits back, and one of cost 0
// renews what is held.
struct acquire_call {
    std::span<claim const> asked; // 1 to max_claims, no two with the same key
    base::instant now;            // ours: says which days, weeks and months are near; the script picks by its own clock
    std::span<holding const> holdings = {};  // one for each claim, read for concurrency limits only; empty if there is none
    base::instant const* test_now = nullptr; // replaces both clocks, for tests
};
void append_acquire(std::string& out, calling how, acquire_call const& what);

// Where a claim is counted in Redis: its own key, or the one that its packed limit shares.
partition::partition_key counter_key(claim const& of) noexcept;

// One call of any script that works on one key, with its arguments packed already.
struct script_call {
    script const* what = nullptr;
    std::string_view key;
    std::string_view arguments;
    base::instant const* test_now = nullptr;
};
void append_script(std::string& out, calling how, script_call const& call);
// The arguments of lua/refund.lua for one charge of any limit but concurrency (its reply is an integer, or an error), and of
// lua/acquire.lua for one concurrency limit.
std::string pack_refund(claim const& of, charge const& taken);
std::string pack_permits(std::int64_t limit, holding const& by, std::int64_t cost);

void append_auth(std::string& out, std::string_view user, std::string_view password); // user may be empty
void append_select(std::string& out, unsigned database);
void append_ping(std::string& out);
void append_role(std::string& out);
void append_asking(std::string& out);
void append_cluster_slots(std::string& out);

// The reply to append_acquire() of so many claims, or why it is none: errc::protocol for what no script of ours answers.
base::result<verdict> decode_verdict(reply const& answer, std::size_t claims) noexcept;
} // namespace penstock::limiter::redis
