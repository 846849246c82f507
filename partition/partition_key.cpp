#include "partition/partition_key.hpp"

#include "base/credential_names.hpp"
#include "partition/client_address.hpp"
#include "partition/identity_writer.hpp"
#include "partition/nat64.hpp"
#include "partition/presented_values.hpp"

#include <algorithm>
#include <charconv>

namespace penstock::partition {
namespace {

visibility visibility_of(entry const& what) noexcept { return is_hidden(what) ? visibility::secret : visibility::clear; }

// `203.0.113.9`, or with its prefix where bits were cut off: `2001:db8:1:2::/64`.
void write_network(identity_writer& out, base::ip_address const& client, unsigned prefix) noexcept
{
    std::array<char, 50> text;
    auto const address = client.masked(prefix).write(text.data());
    auto* end = text.data() + address.size();
    if (prefix < (client.is_v4() ? 32U : 128U)) {
        *end++ = '/';
        end = std::to_chars(end, text.data() + text.size(), prefix).ptr;
    }
    out.plain_value({text.data(), static_cast<std::size_t>(end - text.data())});
}

void write_client(identity_writer& out, entry const& what, base::request_facts const& facts) noexcept
{
    bool const whole = what.source == entry_source::client_ip;
    if (whole) // two calls, each with a constant: the most frequent of all keys
        out.begin("ip=", visibility::clear);
    else
        out.begin("net=", visibility::clear);
    if (!facts.client) return out.value(nameless_client);
    auto const& client = *facts.client;
    unsigned const v4_prefix = whole ? 32 : what.prefix;
    if (client.is_v4())
        write_network(out, client, v4_prefix);
    else if (embedded_v4(client)) // a prefix made for subscribers would throw the whole IPv4 Internet together (IP-11)
        write_network(out, client, nat64_prefix + v4_prefix);
    else
        write_network(out, client, whole ? what.prefix : what.ipv6_prefix);
}

bool write_capture(identity_writer& out, entry const& what, base::request_facts const& facts) noexcept
{
    auto const capture = std::find_if(facts.captures.begin(), facts.captures.end(),
                                      [&](base::path_capture const& c) { return c.name == what.name; });
    out.begin("path.", what.name, visibility_of(what));
    return capture != facts.captures.end() && write_path_value(out, capture->value);
}

bool write_text(identity_writer& out, std::string_view lead, std::string_view text) noexcept
{
    out.begin(lead, visibility::clear);
    out.value(text);
    return !text.empty();
}

// HTTP/1.0 knows requests without a host (RFC 9112 3.2): they share a counter, that of the empty name, which no host has.
void write_host(identity_writer& out, std::string_view host) noexcept
{
    out.begin("host=", visibility::clear);
    out.value(host);
}

// Not escaped: a hash needs none, and an operator who holds the key can tell its counter.
bool write_api_key(identity_writer& out, base::request_facts const& facts) noexcept
{
    out.begin("key=", visibility::secret);
    out.plain_value(facts.api_key);
    return !facts.api_key.empty();
}

bool write_attribute(identity_writer& out, entry const& what, base::request_facts const& facts) noexcept
{
    auto const& attributes = facts.api_key_attributes;
    auto const found =
        std::find_if(attributes.begin(), attributes.end(), [&](base::field const& each) { return each.name == what.name; });
    if (found == attributes.end()) return false;
    out.begin("key.", what.name, visibility_of(what));
    out.value(found->value);
    return true;
}

// All claims of a request are of one token: the first says who issued it.
bool write_claim(identity_writer& out, entry const& what, base::request_facts const& facts, bool is_first) noexcept
{
    auto const& claims = facts.token_claims;
    auto const found =
        std::find_if(claims.begin(), claims.end(), [&](base::field const& each) { return each.name == what.name; });
    if (found == claims.end()) return false;
    out.begin("jwt.", what.name, visibility_of(what));
    if (is_first) {
        out.value(facts.token_issuer);
        out.separator('|');
    }
    out.value(found->value);
    return true;
}

// Writes one entry up to its end. False if the request lacks it; what was written is then of no use.
bool write_entry(identity_writer& out, entry const& what, base::request_facts const& facts, bool is_first_claim) noexcept
{
    switch (what.source) {
    case entry_source::client_ip:
    case entry_source::client_network: write_client(out, what, facts); return true;
    case entry_source::api_key: return write_api_key(out, facts);
    case entry_source::api_key_attribute: return write_attribute(out, what, facts);
    case entry_source::jwt_claim: return write_claim(out, what, facts, is_first_claim);
    case entry_source::header:
        out.begin("header.", what.name, visibility_of(what));
        return write_field_values(out, facts, what.name);
    case entry_source::cookie:
        out.begin("cookie.", what.name, visibility::secret);
        return write_cookie_values(out, facts, what.name);
    case entry_source::query:
        out.begin("query.", what.name, visibility_of(what));
        return write_query_values(out, facts, what.name);
    case entry_source::method: return write_text(out, "method=", facts.method);
    case entry_source::host: write_host(out, facts.host); return true;
    case entry_source::path: out.begin("path=", visibility_of(what)); return write_path_value(out, facts.path);
    case entry_source::path_capture: return write_capture(out, what, facts);
    case entry_source::route: return write_text(out, "route=", facts.route);
    case entry_source::everyone: out.lone_word("everyone"); return true;
    }
    return false;
}

} // namespace

bool is_hidden(entry const& what) noexcept
{
    if (what.source == entry_source::api_key || what.source == entry_source::cookie) return true;
    if (what.value != hiding::by_name) return what.value == hiding::hashed;
    return !what.name.empty() && base::may_be_credential_name(what.name);
}

bool append_identity(partition_key& key, descriptor const& what, base::request_facts const& facts, hash_secret const& secret,
                     digest_cache* lately) noexcept
{
    identity_writer identity{secret, lately};
    bool is_first_claim = true;
    for (auto const& one : what) {
        if (!write_entry(identity, one, facts, is_first_claim)) return false;
        is_first_claim = is_first_claim && one.source != entry_source::jwt_claim;
        identity.end();
    }
    identity.append_to(key);
    return true;
}

} // namespace penstock::partition
