#include "proxy/route_table.hpp"

#include <algorithm>
#include <cassert>

namespace penstock::proxy {
namespace {

bool takes_host(route const& candidate, std::string_view host) noexcept
{
    if (candidate.host.empty()) return true;
    if (!candidate.host.starts_with("*.")) return candidate.host == host;
    auto const suffix = std::string_view{candidate.host}.substr(1); // with its dot
    return host.size() > suffix.size() && host.ends_with(suffix);
}

// Methods have case and stand for nothing but themselves: a list that names GET does not take HEAD (H1-128).
bool takes_method(route const& candidate, std::string_view method) noexcept
{
    return candidate.methods.empty() ||
           std::find(candidate.methods.begin(), candidate.methods.end(), method) != candidate.methods.end();
}

} // namespace

route_table::route_table(std::vector<route> routes) : routes_(std::move(routes))
{
    for (std::size_t i = 0; i < routes_.size(); ++i) assert(routes_[i].id.value() == i);
}

route const* route_table::match(base::request_facts const& facts, path_captures& captures) const noexcept
{
    for (auto const& candidate : routes_)
        if (takes_host(candidate, facts.host) && takes_method(candidate, facts.method) &&
            candidate.path.match(facts.path, captures))
            return &candidate;
    captures.clear();
    return nullptr;
}

} // namespace penstock::proxy
