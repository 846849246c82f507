// The exposition of what the workers have counted, in Prometheus' text format or OpenMetrics (design.md section 9,
// OP-10..OP-16). Pure: from reports to text; prometheus-cpp serializes.
#pragma once

#include "gateway/key_keeper.hpp"
#include "gateway/worker.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::gateway {

// What belongs to the process, not to a worker.
struct process_report {
    limiter::memory_store::counts memory;
    limiter::stand_in::counts local;
    std::uint64_t dropped_log_lines = 0;
    std::vector<key_set_report> key_sets; // by issuer
    std::uint64_t reloads_succeeded = 0;
    std::uint64_t reloads_failed = 0;
    std::int64_t last_reload_success_s = 0; // seconds since the epoch
};

enum class exposition_format : std::uint8_t { prometheus, open_metrics };

// What an Accept field asks for; prometheus unless OpenMetrics is preferred (OP-15).
exposition_format negotiate_format(std::string_view accept);
std::string_view media_type_of(exposition_format format) noexcept;

std::string expose_metrics(std::span<worker_report const> workers, process_report const& process, exposition_format format);

} // namespace penstock::gateway
