// Scenarios of tests/cases: read from JSON, run against anything that answers like a store, compared to the microsecond.
// Knows the file format (tests/cases/README.md) and no store. Used by the unit tests of limiter and the contract tests.
#pragma once

#include "limiter/claim.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace penstock::tests {

struct expected_claim {
    std::string limit;
    std::string identity;
    std::int64_t cost = 1;
    bool shadow = false;
    limiter::decision answer;
};

struct request_step {
    base::micros at{0}; // after the origin
    int repeat = 1;
    bool allowed = true;
    std::vector<expected_claim> claims;
};

// Gives back what a request of this scenario was charged.
struct give_back_step {
    base::micros at{0};
    std::string limit;
    std::string identity;
    base::micros charged_at{0}; // when the request was made; of several at once, the last that is not given back yet
};

using limits_by_name = std::map<std::string, limiter::algorithm>;

struct change_step {
    limits_by_name limits;
};

struct scenario {
    std::string name;
    limits_by_name limits;
    std::vector<std::variant<request_step, give_back_step, change_step>> steps;
    std::vector<std::shared_ptr<limiter::calendar const>> calendars; // of its limits; their starts count from the origin
};

// Every scenario of one file. Throws std::runtime_error saying what is wrong and where.
std::vector<scenario> read_scenarios(std::filesystem::path const& file);
// Those of all files in tests/cases, in the order of their names.
std::vector<scenario> all_scenarios();

// Asks a store. The claims live until it returns; each policy's key_suffix and each claim's key are filled in.
using acquire_function = std::function<limiter::verdict(std::span<limiter::claim const>, base::instant now)>;

// Gives one claim's charge back to it.
using give_back_function = std::function<void(limiter::claim const& what, limiter::charge const& taken, base::instant now)>;

// A whole multiple of 1,000 s, for stores without a clock of their own.
inline constexpr base::instant usual_origin = base::at_epoch_us(1'700'000'000'000'000);

// A store as the scenarios see it.
struct asked_store {
    acquire_function acquire;
    give_back_function give_back;
};

// Runs the steps; returns one line for each answer that is not as expected, and none if all are. `key_prefix` begins
// every key: a store that is not empty needs a new one for each scenario.
std::vector<std::string> run(scenario const& what, asked_store const& store, base::instant origin = usual_origin,
                             std::string const& key_prefix = "case:");

} // namespace penstock::tests
