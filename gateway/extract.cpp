#include "gateway/extract.hpp"

#include "partition/client_address.hpp"
#include "proxy/host_name.hpp"
#include "proxy/normal_path.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <charconv>

namespace penstock::gateway {
namespace {

bool same(std::string_view a, std::string_view b) noexcept { return boost::beast::iequals(a, b); }

extracted& fail(extracted& result, extract_problem problem, std::string_view why) noexcept
{
    result.problem = problem;
    result.why = why;
    return result;
}

bool is_visible(std::string_view text) noexcept
{
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

// Takes `http://authority` off the front of an absolute-form target (H1-23). False if it is no http or https URL.
bool take_authority(std::string_view& target, std::string_view& authority) noexcept
{
    auto const scheme_end = target.find("://");
    auto const scheme = target.substr(0, scheme_end);
    if (!same(scheme, "http") && !same(scheme, "https")) return false;
    auto const rest = target.substr(scheme_end + 3);
    auto const path_at = rest.find_first_of("/?");
    authority = rest.substr(0, path_at);
    target = path_at == std::string_view::npos ? std::string_view{} : rest.substr(path_at);
    return !authority.empty();
}

// Splits the target into facts.path (raw as yet) and facts.query, and finds the authority. False: refused.
bool read_target(extracted& result, proxy::request_head const& head)
{
    auto& facts = result.facts;
    auto target = head.target;
    for (auto const& field : head.fields) {
        if (same(field.name, "host")) result.authority = field.value;
    }
    if (target == "*") {
        result.asterisk = true;
        facts.path = "/";
        return head.method == "OPTIONS";
    }
    if (!target.starts_with('/')) {
        if (target.find("://") == std::string_view::npos || !take_authority(target, result.authority)) return false;
        if (target.empty() || target.front() == '?') facts.path = "/"; // RFC 9112 section 3.2.1
    }
    if (!is_visible(target) || target.find('#') != std::string_view::npos) return false;
    auto const question = target.find('?');
    if (question != 0 && !target.empty()) facts.path = target.substr(0, question);
    if (question != std::string_view::npos) facts.query = target.substr(question + 1);
    return true;
}

// RFC 9110 section 7.6.2: only OPTIONS and TRACE count their hops; TRACE is not served.
void read_max_forwards(extracted& result, proxy::request_head const& head)
{
    if (head.method != "OPTIONS") return;
    for (auto const& field : head.fields) {
        if (!same(field.name, "max-forwards")) continue;
        unsigned hops = 0;
        auto const end = field.value.data() + field.value.size();
        auto const parsed = std::from_chars(field.value.data(), end, hops);
        if (parsed.ec != std::errc{} || parsed.ptr != end || result.max_forwards) {
            fail(result, extract_problem::bad_max_forwards, "Max-Forwards must be one number.");
            return;
        }
        result.max_forwards = hops;
    }
}

// Behind a PROXY header that names nobody there may be anybody, who would choose his own address if the balancer's word counted
// for what he sends: the balancer is the client, and its fields are a stranger's (IP-34, IP-36, IP-37).
partition::client_address find_client(partition::client_settings const& settings, connected_peer const& peer,
                                      std::span<base::field const> fields) noexcept
{
    if (!peer.is_anonymous) return partition::find_client(settings, peer.address, fields);
    auto who = partition::find_client(settings, peer.address, {});
    who.peer_trusted = false;
    who.rejected_element = false; // nothing was looked for
    return who;
}

} // namespace

extracted extract(proxy::request_head const& head, connected_peer const& peer, conf::settings const& settings,
                  extract_scratch scratch)
{
    extracted result;
    auto& facts = result.facts;
    facts.method = head.method;
    facts.fields = head.fields;
    facts.peer = peer.address;
    if (!read_target(result, head))
        return fail(result, extract_problem::bad_target, "The request target has no form that HTTP allows here.");

    if (!result.authority.empty() || head.minor_version != 0) { // only a 1.0 client may leave it out
        auto const authority = proxy::normalise_authority(result.authority, scratch.host);
        if (!authority)
            return fail(result, extract_problem::bad_host, "The Host field is empty or no host with an optional port.");
        facts.host = authority->host;
    }

    result.raw_path = facts.path;
    auto const normal = proxy::normalise_path(facts.path, scratch.path);
    if (normal.problem != proxy::path_problem::none)
        return fail(result, extract_problem::bad_path, proxy::describe(normal.problem));
    if (!normal.is_normal) facts.path = scratch.path;

    auto const who = find_client(settings.client, peer, facts.fields);
    facts.client = who.client;
    facts.from_trusted_peer = who.peer_trusted;
    result.trust = who.peer_trusted ? proxy::peer_trust::trusted : proxy::peer_trust::untrusted;
    result.rejected_element = who.rejected_element;
    result.forwarded_proto = who.proto;
    result.forwarded_host = who.host;
    read_max_forwards(result, head);
    return result;
}

} // namespace penstock::gateway
