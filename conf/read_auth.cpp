#include "conf/read_auth.hpp"

#include "conf/address.hpp"
#include "conf/read.hpp"
#include "conf/scalar.hpp"
#include "conf/words.hpp"

#include <algorithm>

namespace penstock::conf {

namespace {

std::shared_ptr<api_key_book const> read_known_keys(node const* written)
{
    if (written == nullptr) return nullptr;
    std::vector<known_api_key> known;
    for (auto const* one : elements(written)) {
        auto const digest = parsed(one->find("sha256"), parse_digest);
        if (!digest) continue;
        auto& made = known.emplace_back(known_api_key{text_of(one->find("name")), *digest, {}});
        auto const* attributes = one->find("attributes");
        if (attributes == nullptr) continue;
        for (auto const& [name, at, value] : attributes->members) made.attributes.emplace_back(name, value.text);
    }
    return std::make_shared<api_key_book const>(std::move(known));
}

std::string_view challenge_of(credential_source const& source)
{
    if (source.where == credential_source::place::authorization) {
        if (source.name == "bearer") return "Bearer realm=\"api\"";
        if (source.name == "basic") return "Basic realm=\"api\", charset=\"UTF-8\"";
    }
    return "ApiKey realm=\"api\"";
}

} // namespace

std::vector<base::ip_network> read_networks(node const* written)
{
    std::vector<base::ip_network> made;
    for (auto const* one : elements(written)) {
        if (auto network = parsed(one, parse_network)) made.push_back(*network);
    }
    return made;
}

std::vector<partition::sha256_digest> read_digests(node const* written)
{
    std::vector<partition::sha256_digest> made;
    for (auto const* one : elements(written)) {
        if (auto digest = parsed(one, parse_digest)) made.push_back(*digest);
    }
    return made;
}

api_key_settings read_api_keys(node const& root)
{
    api_key_settings made;
    for (auto const* one : elements(root.find("auth.api_keys.from"))) {
        if (auto source = parsed(one, parse_credential_source)) made.from.push_back(std::move(*source));
    }
    made.known = read_known_keys(root.find("auth.api_keys.known"));
    choose(made.on_unknown, root.find("auth.api_keys.on_unknown"), {{"anonymous", unknown_key::anonymous}});
    set(made.strip_query, root.find("auth.api_keys.strip_query"), parse_boolean);
    return made;
}

std::string challenges_of(api_key_settings const& keys)
{
    std::string lines;
    for (auto const& source : keys.from) {
        auto const line = "WWW-Authenticate: " + std::string{challenge_of(source)} + "\r\n";
        if (lines.find(line) == std::string::npos) lines += line;
    }
    return lines;
}

deny_list read_denials(node const* written)
{
    deny_list made;
    if (written == nullptr) return made;
    auto const networks = read_networks(written->find("addresses"));
    made.addresses = partition::network_set(networks);
    made.everybody =
        std::any_of(networks.begin(), networks.end(), [](base::ip_network const& each) { return each.prefix() == 0; });
    made.except = partition::network_set(read_networks(written->find("except")));
    made.api_keys = partition::digest_table(read_digests(written->find("api_keys_sha256")));
    choose(made.action, written->find("action"), {{"close", deny_action::close}});
    return made;
}

} // namespace penstock::conf
