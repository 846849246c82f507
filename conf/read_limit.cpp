#include "conf/read_limit.hpp"

#include "conf/key_language.hpp"
#include "conf/read.hpp"
#include "conf/read_algorithm.hpp"
#include "conf/read_auth.hpp"
#include "conf/scalar.hpp"

namespace penstock::conf {

namespace {

void read_key(node const& limit, partition::client_settings const& client, limit_outline& into)
{
    auto const written = elements(limit.find("key"));
    into.has_key = !written.empty();
    for (auto const* one : written) {
        auto entry = one->is_scalar() ? parse_key_entry(one->text, client) : std::nullopt;
        if (entry)
            into.policy.key.push_back(std::move(*entry));
        else
            into.has_key = false;
    }
}

void read_exemptions(node const& limit, limiter::policy& into)
{
    into.exempt_addresses = partition::network_set(read_networks(limit.find("exempt.addresses")));
    into.exempt_api_keys = partition::digest_table(read_digests(limit.find("exempt.api_keys_sha256")));
}

void read_queue(node const& limit, limiter::queue_settings& into)
{
    set(into.limit, limit.find("queue.limit"), parse_integer);
    choose(into.order, limit.find("queue.order"), {{"newest_first", limiter::queue_order::newest_first}});
    set(into.timeout, limit.find("queue.timeout"), parse_duration);
}

std::vector<quota_outline> read_overrides(node const& limit, std::string const& path)
{
    std::vector<quota_outline> made;
    auto const* written = limit.find("overrides");
    for (std::size_t i = 0; written != nullptr && i < written->members.size(); ++i) {
        auto const& one = written->members[i];
        made.push_back({one.key, one.key_at, path + ".overrides[" + std::to_string(i) + ']', &one.value, {}});
    }
    return made;
}

void read_attribute(node const& limit, limit_outline& into)
{
    auto const* written = limit.find("from_attribute");
    auto const text = text_of(limit.find("from_attribute.attribute"));
    auto const claim = parse_claim(text);
    auto const attribute = claim.empty() ? parse_attribute(text) : claim;
    if (attribute.empty()) return;
    auto& made = into.policy.from_attribute.emplace();
    made.attribute = attribute;
    if (!claim.empty()) made.origin = limiter::attribute_origin::token;
    set(made.most, written->find("max"), parse_integer);
    auto const* tiers = written->find("tiers");
    for (std::size_t i = 0; tiers != nullptr && i < tiers->members.size(); ++i) {
        auto const& tier = tiers->members[i];
        into.tiers.push_back({tier.key, tier.key_at, into.path + ".from_attribute.tiers." + tier.key, &tier.value, {}});
    }
}

} // namespace

std::optional<limiter::cost_field> read_cost_field(node const* cost)
{
    if (cost == nullptr) return std::nullopt;
    auto const header = text_of(cost->find("header"));
    auto const most = parsed(cost->find("max"), parse_integer);
    if (header.empty() || !most) return std::nullopt;
    return limiter::cost_field{lower_case(header), *most};
}

limit_outline read_limit(member const& written, partition::client_settings const& client, calendars const& known)
{
    using namespace limiter;
    auto const& limit = written.value;
    limit_outline made;
    made.at = written.key_at;
    made.path = "limits." + written.key;
    made.source = &limit;
    auto& policy = made.policy;
    policy.name = written.key;
    made.overrides = read_overrides(limit, made.path);
    read_attribute(limit, made);
    if (auto const* algorithm = find_algorithm(limit)) {
        for (auto* others : {&made.overrides, &made.tiers}) {
            for (auto& one : *others) one.algorithm = read_algorithm(*algorithm, one.source, known);
        }
        if (auto numbers = read_algorithm(*algorithm, nullptr, known)) {
            policy.quota.algorithm = *numbers;
            made.has_algorithm = true;
        }
    }
    read_key(limit, client, made);
    read_exemptions(limit, policy);
    set(policy.cost, limit.find("cost"), parse_integer);
    policy.cost_from = read_cost_field(limit.find("cost"));
    read_queue(limit, policy.queue);
    choose(policy.precision, limit.find("precision"), {{"leased", precision::leased}});
    set(made.shards, limit.find("shards"), parse_integer);
    choose(policy.enforce, limit.find("enforce"), {{"shadow", enforcement::shadow}});
    choose(policy.on_store_failure, limit.find("on_store_failure"),
           {{"allow", failure_mode::allow}, {"deny", failure_mode::deny}});
    choose(policy.on_missing_key, limit.find("on_missing_key"),
           {{"reject", missing_key::reject}, {"share", missing_key::share}});
    if (parsed(limit.find("advertise"), parse_boolean) == false) policy.advertise = advertisement::hidden;
    return made;
}

} // namespace penstock::conf
