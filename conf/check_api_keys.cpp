#include "conf/check.hpp"

#include "conf/credential_source.hpp"
#include "conf/read.hpp"
#include "conf/words.hpp"
#include "proxy/fields.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace penstock::conf {

namespace {

using place_of_keys = credential_source::place;

// Whether the field is one that goes to the upstream as it came, from whoever sends it, and holds nothing but the key.
std::string problem_with_field(credential_source const& source, partition::client_settings const& client)
{
    if (source.where != place_of_keys::header) return {};
    if (source.name == "authorization" || source.name == "proxy-authorization")
        return "reads the scheme as part of the key; write authorization ApiKey, Bearer or Basic";
    if (source.name == "cookie") return "reads all cookies as one key; write cookie NAME";
    constexpr auto remedy = "take keys from a header of their own, such as header X-API-Key";
    if (client.source == partition::address_source::single_field && source.name == client.field)
        return std::string{"is where client.source reads the client's address; "} + remedy;
    switch (proxy::classify_field(source.name)) {
    case proxy::field_kind::end_to_end: return {};
    case proxy::field_kind::underscore: {
        auto with_hyphens = source.name;
        std::ranges::replace(with_hyphens, '_', '-');
        return "a name with '_' is not sent on, so the upstream would never see the key (IP-15); write header " + with_hyphens;
    }
    case proxy::field_kind::peer_claim:
        if (!client.trusted_proxies.empty()) return {};
        return "is sent on only from trusted proxies, so the upstream would never see the key; list them in "
               "client.trusted_proxies, or use a header such as X-API-Key";
    default:
        return std::string{"is a field that the gateway itself goes by, so the upstream would not see the key as it came; "} +
               remedy;
    }
}

void check_sources(checked const& all, problem_list& problems)
{
    auto const* written = all.root.find("auth.api_keys.from");
    auto const sources = elements(written);
    for (std::size_t i = 0; i < sources.size(); ++i) {
        auto const source = parsed(sources[i], parse_credential_source);
        if (!source) continue;
        auto const path = "auth.api_keys.from" + (written->is_list() ? '[' + std::to_string(i) + ']' : std::string{});
        if (source->where == place_of_keys::query)
            problems.warning(sources[i]->at, path,
                             "a key in a URL stays in logs, in Referer fields and in browsers' histories (AK-4); use a header");
        if (auto what = problem_with_field(*source, all.read.client); !what.empty())
            problems.error(sources[i]->at, path, std::move(what));
        if (source->where == place_of_keys::authorization && source->name == "bearer" && all.root.find("auth.jwt") != nullptr)
            problems.error(
                sources[i]->at, path,
                "auth.jwt reads Authorization: Bearer, too, and nothing says which of them a value is; take API keys "
                "from a header or from authorization ApiKey");
    }
}

void check_options_of_keys(checked const& all, problem_list& problems)
{
    auto const& keys = all.read.api_keys;
    auto const* on_unknown = all.root.find("auth.api_keys.on_unknown");
    if (on_unknown != nullptr && !keys.known)
        problems.warning(on_unknown->at, "auth.api_keys.on_unknown",
                         "has no effect: no key is unknown without auth.api_keys.known; add it, or remove this");
    auto const in_query = [](credential_source const& source) { return source.where == place_of_keys::query; };
    if (keys.strip_query && std::none_of(keys.from.begin(), keys.from.end(), in_query))
        problems.warning(all.root.find("auth.api_keys.strip_query")->at, "auth.api_keys.strip_query",
                         "has no effect without query NAME in auth.api_keys.from; remove it");
}

void check_known(node const& known, problem_list& problems)
{
    std::map<std::string, std::string> names;
    std::map<partition::sha256_digest, std::string> digests;
    for (std::size_t i = 0; i < known.items.size(); ++i) {
        auto const path = "auth.api_keys.known[" + std::to_string(i) + ']';
        auto const* name = known.items[i].find("name");
        if (name != nullptr && name->is_scalar()) {
            auto const [first, is_new] = names.emplace(name->text, path);
            if (!is_new)
                problems.error(name->at, path + ".name",
                               "'" + name->written + "' is the name of " + first->second + ", too; give each key its own");
        }
        auto const* digest = known.items[i].find("sha256");
        if (auto const read = parsed(digest, parse_digest)) {
            auto const [first, is_new] = digests.emplace(*read, path);
            if (!is_new)
                problems.error(digest->at, path + ".sha256", "is the key of " + first->second + ", too; remove one of them");
        }
    }
}

// Whoever is exempt by a key that nobody knows is turned away before the limit, or goes on without the key.
void check_exempt_keys(checked const& all, problem_list& problems)
{
    if (!all.read.api_keys.known) return;
    for (auto const& limit : all.parts.limits) {
        auto const* written = limit.source->find("exempt.api_keys_sha256");
        auto const exempt = elements(written);
        for (std::size_t i = 0; i < exempt.size(); ++i) {
            auto const digest = parsed(exempt[i], parse_digest);
            if (!digest || all.read.api_keys.known->find(*digest) != nullptr) continue;
            problems.warning(exempt[i]->at,
                             limit.path + ".exempt.api_keys_sha256" +
                                 (written->is_list() ? '[' + std::to_string(i) + ']' : std::string{}),
                             "exempts nobody: it is no key of auth.api_keys.known; add it there");
        }
    }
}

class denial_check {
public:
    denial_check(checked const& all, problem_list& problems) : all_(all), problems_(problems) {}

    void check(node const* written, std::string const& path)
    {
        if (written == nullptr || !written->is_map()) return;
        auto const* addresses = written->find("addresses");
        auto const* api_keys = written->find("api_keys_sha256");
        if (addresses == nullptr && api_keys == nullptr)
            problems_.warning(written->at, path, "denies nobody; name addresses or api_keys_sha256");
        auto const* except = written->find("except");
        if (except != nullptr && addresses == nullptr)
            problems_.error(except->at, path + ".except", "takes out of addresses, and there are none; add addresses");
        if (api_keys != nullptr && all_.root.find("auth.api_keys") == nullptr)
            problems_.error(api_keys->at, path + ".api_keys_sha256",
                            "no API key is ever read; add auth.api_keys.from, such as [header X-API-Key]");
    }

private:
    checked const& all_;
    problem_list& problems_;
};

} // namespace

void check_api_keys(checked const& all, problem_list& problems)
{
    check_sources(all, problems);
    check_options_of_keys(all, problems);
    if (auto const* known = all.root.find("auth.api_keys.known")) check_known(*known, problems);
    check_exempt_keys(all, problems);
}

void check_denials(checked const& all, problem_list& problems)
{
    denial_check each(all, problems);
    each.check(all.root.find("deny"), "deny");
    for (auto const& route : all.parts.routes) each.check(route.source->find("deny"), route.path + ".deny");
}

} // namespace penstock::conf
