#include "conf/caller_identity.hpp"

#include "conf/hidden_values.hpp"
#include "conf/key_language.hpp"
#include "partition/client_address.hpp"

#include <algorithm>
#include <deque>
#include <vector>

namespace penstock::conf {

namespace {

using partition::entry_source;

// What stands for one entry between the bars: its value, of a claim the issuer and the value.
std::size_t parts_of(partition::entry const& what) { return what.source == entry_source::jwt_claim ? 2 : 1; }

std::size_t parts_of(partition::descriptor const& key)
{
    std::size_t parts = 0;
    for (auto const& entry : key) parts += parts_of(entry);
    return parts;
}

// The parts of a caller. The value of a key of one entry may itself hold a '|'.
std::vector<std::string_view> split_caller(std::string_view caller, partition::descriptor const& key)
{
    std::vector<std::string_view> parts;
    auto const most = key.size() == 1 ? parts_of(key) : caller.size() + 1;
    while (parts.size() + 1 < most && caller.find('|') != std::string_view::npos) {
        parts.push_back(caller.substr(0, caller.find('|')));
        caller.remove_prefix(parts.back().size() + 1);
    }
    parts.push_back(caller);
    return parts;
}

// Every byte, so that decoding gives back what the document says.
std::string escaped(std::string_view text)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string made;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        made += '%';
        made += digits[byte >> 4U];
        made += digits[byte & 15U];
    }
    return made;
}

// A request that says of itself exactly what a caller's values say.
class synthetic_request {
public:
    void say_claim(partition::entry const& what, std::string_view issuer, std::string_view value)
    {
        facts_.token_issuer = issuer;
        claims_.push_back({what.name, value});
    }

    void say(partition::entry const& what, std::string_view value)
    {
        switch (what.source) {
        case entry_source::client_ip:
        case entry_source::client_network: facts_.client = base::ip_address::parse(value); break;
        case entry_source::api_key_attribute: attributes_.push_back({what.name, value}); break;
        case entry_source::header: fields_.push_back({what.name, value}); break;
        case entry_source::query: query_ += '&' + escaped(what.name) + '=' + escaped(value); break;
        case entry_source::method: facts_.method = value; break;
        case entry_source::host: facts_.host = kept_.emplace_back(lower_case(value)); break;
        case entry_source::path: facts_.path = kept_.emplace_back(escaped(value)); break;
        case entry_source::path_capture: captures_.push_back({what.name, kept_.emplace_back(escaped(value))}); break;
        case entry_source::route: facts_.route = value; break;
        case entry_source::api_key: // these name no caller: see problem_with_value
        case entry_source::cookie:
        case entry_source::jwt_claim: // see say_claim
        case entry_source::everyone: break;
        }
    }

    [[nodiscard]] base::request_facts const& facts()
    {
        facts_.api_key_attributes = attributes_;
        facts_.token_claims = claims_;
        facts_.fields = fields_;
        facts_.captures = captures_;
        facts_.query = query_;
        return facts_;
    }

private:
    base::request_facts facts_;
    std::vector<base::field> attributes_;
    std::vector<base::field> claims_;
    std::vector<base::field> fields_;
    std::vector<base::path_capture> captures_;
    std::string query_;
    std::deque<std::string> kept_;
};

// Without the value: a secret may stand in the wrong place, as below `deny` and `exempt` (conceal).
std::string problem_with_value(partition::entry const& what, std::string_view value)
{
    if (value.empty()) return "has an empty value, which no request has; write one";
    auto const is_address = what.source == entry_source::client_ip || what.source == entry_source::client_network;
    if (is_address && value != partition::nameless_client && !base::ip_address::parse(value))
        return "is no address; write for example 192.0.2.1 or 2001:db8::1";
    return {};
}

} // namespace

std::string problem_with_naming(partition::descriptor const& key, std::span<credential_source const> from)
{
    if (std::ranges::any_of(key, [&](auto const& one) { return is_api_key(one, from); }))
        return "this limit's key is the API key, which stands in no configuration; give the API key an attribute in "
               "auth.api_keys.known and use from_attribute";
    if (std::ranges::any_of(key, is_credential_field))
        return "this limit's key is a cookie or a field of credentials, whose values stand in no configuration; write the "
               "overrides in a limit by a claim or by an attribute of the API key";
    if (std::ranges::any_of(key, [](auto const& one) { return one.source == entry_source::everyone; }))
        return "the key of this limit is everyone; change the limit's own numbers";
    return {};
}

std::string problem_with_caller(partition::descriptor const& key, std::string_view caller,
                                std::vector<std::string> const& issuers)
{
    auto const parts = split_caller(caller, key);
    if (parts.size() != parts_of(key)) {
        return "has " + std::to_string(parts.size()) + " values and the limit's key has " + std::to_string(parts_of(key)) +
               (parts_of(key) == key.size() ? " entries" : " (of a claim the issuer, too)") +
               "; write one for each, joined by '|'";
    }
    std::string_view issuer; // a request has one token
    auto part = parts.begin();
    for (auto const& entry : key) {
        if (entry.source == entry_source::jwt_claim) {
            if (!issuer.empty() && *part != issuer) return "names two issuers, and a request has one token; name one";
            issuer = *part;
            if (std::find(issuers.begin(), issuers.end(), issuer) == issuers.end())
                return "begins a claim with something that is no issuer of auth.jwt.issuers; write ISSUER|VALUE";
            ++part;
        }
        if (auto what = problem_with_value(entry, *part++); !what.empty()) return what;
    }
    return {};
}

std::string identity_of(partition::descriptor const& key, std::string_view caller, partition::hash_secret const& secret)
{
    auto const parts = split_caller(caller, key);
    synthetic_request request;
    auto part = parts.begin();
    for (auto const& entry : key) {
        if (entry.source == entry_source::jwt_claim) {
            auto const issuer = *part++;
            request.say_claim(entry, issuer, *part++);
        } else {
            request.say(entry, *part++);
        }
    }
    partition::partition_key identity;
    partition::append_identity(identity, key, request.facts(), secret);
    return std::string{identity.view()};
}

} // namespace penstock::conf
