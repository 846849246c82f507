// IP-30..IP-39: however a PROXY header arrives, it is read in one way only, never beyond its bounds, and never guessed.
#include "fuzz_targets.hpp"
#include "proxy/proxy_header.hpp"

#include <algorithm>

namespace penstock::fuzz {
namespace {

using proxy::proxy_header_problem;

bool same(proxy::proxy_header const& a, proxy::proxy_header const& b)
{
    return a.source == b.source && a.length == b.length && a.problem == b.problem;
}

bool is_decided(proxy::proxy_header const& header) { return header.length > 0 || header.problem != proxy_header_problem::none; }

proxy::proxy_header check_arrival(std::string_view bytes, proxy::proxy_protocol accepted)
{
    constexpr std::size_t looked_at_closely = 300;
    auto const whole = proxy::read_proxy_header(bytes, accepted);
    require(whole.length <= bytes.size() && whole.length <= proxy::largest_proxy_header, "a header ends within what arrived");
    require(whole.problem == proxy_header_problem::none || (whole.length == 0 && !whole.source), "a problem is all there is");
    require(name_of(whole.problem).empty() == (whole.problem == proxy_header_problem::none), "every problem has a name");
    require(is_decided(whole) || bytes.size() < proxy::largest_proxy_header, "4 KiB decide");
    for (std::size_t arrived = 0; arrived < std::min(bytes.size(), looked_at_closely); ++arrived) {
        auto const early = proxy::read_proxy_header(bytes.substr(0, arrived), accepted);
        require(!is_decided(early) || same(early, whole), "what is decided stays so");
        require(whole.length == 0 || arrived >= whole.length || !is_decided(early), "nothing is decided early");
    }
    if (whole.length > 0)
        require(same(proxy::read_proxy_header(bytes.substr(0, whole.length), accepted), whole),
                "what follows is not looked at");
    return whole;
}

} // namespace

void proxy_header(std::string_view bytes)
{
    auto const v1 = check_arrival(bytes, proxy::proxy_protocol::v1);
    auto const v2 = check_arrival(bytes, proxy::proxy_protocol::v2);
    auto const any = check_arrival(bytes, proxy::proxy_protocol::any);
    if (bytes.empty()) return;
    require(v1.problem == proxy_header_problem::missing || v2.problem == proxy_header_problem::missing,
            "no bytes begin both versions");
    require(same(any, v1.problem == proxy_header_problem::missing ? v2 : v1), "any is one or the other");
}

} // namespace penstock::fuzz
