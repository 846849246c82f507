// Which route a request takes: first match wins, on host, normalised path and method. Compiled once, immutable, owned by
// the snapshot. Knows routes and upstreams by id, never a limit. Pure.
#pragma once

#include "base/request_facts.hpp"
#include "base/strong.hpp"
#include "proxy/path_pattern.hpp"
#include "proxy/upstream_spec.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::proxy {

using route_id = base::strong<struct route_tag>; // index into the snapshot's tables of routes and plans

enum class forward_path : std::uint8_t { normalised, raw };

struct route {
    route_id id;
    std::string name; // unique; what metrics, logs and the key `route` show
    std::string host; // empty: any; "*.example.com": any one or more labels in front; else lower case, exact
    proxy::path_pattern path;
    std::vector<std::string> methods; // empty: any; case-sensitive
    upstream_id upstream;
    proxy::forward_path forward_path = proxy::forward_path::normalised;
};

class route_table {
public:
    route_table() = default;
    explicit route_table(std::vector<route> routes); // in order; ids must be 0, 1, 2, ...

    // First route that matches facts.host, facts.path and facts.method, or null. `captures` receives what the pattern named
    // (views into facts.path and into the table).
    route const* match(base::request_facts const& facts, path_captures& captures) const noexcept;

    [[nodiscard]] std::vector<route> const& routes() const noexcept { return routes_; }

private:
    std::vector<route> routes_;
};

} // namespace penstock::proxy
