#include "conf/check.hpp"

#include "conf/address.hpp"
#include "conf/credential_source.hpp"
#include "conf/read.hpp"
#include "conf/scalar.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace penstock::conf {

namespace {

// What two sockets cannot share; a port of 0 is another one each time.
std::string binding_of(bind_address const& address)
{
    if (!address.unix_path.empty()) return "unix:" + address.unix_path;
    if (address.port == 0) return {};
    auto const ip = base::ip_address::parse(address.host);
    return (ip ? ip->to_string() : address.host) + ' ' + std::to_string(address.port);
}

void check_bindings(checked const& all, problem_list& problems)
{
    std::map<std::string, std::string> taken;
    auto const claim = [&](node const* value, std::string const& path) {
        auto const address = parsed(value, parse_bind_address);
        if (!address) return;
        auto const binding = binding_of(*address);
        if (binding.empty()) return;
        auto const [first, is_new] = taken.emplace(binding, path);
        if (!is_new)
            problems.error(value->at, path, "is the same as " + first->second + "; listen on another port or remove it");
    };
    auto const* listeners = all.root.find("listeners");
    for (std::size_t i = 0; listeners != nullptr && i < listeners->items.size(); ++i) {
        claim(listeners->items[i].find("address"), "listeners[" + std::to_string(i) + "].address");
    }
    claim(all.root.find("admin.address"), "admin.address");
}

void check_admin(checked const& all, problem_list& problems)
{
    auto const& admin = all.read.admin;
    if (!admin || !admin->token.empty() || is_loopback(admin->address)) return;
    problems.warning(all.root.find("admin.address")->at, "admin.address",
                     "is reachable from other machines and admin.token is not set; whoever reaches it can read metrics and "
                     "configuration; set a token or listen on 127.0.0.1");
}

// Each element of the list at `path` once.
void check_no_repeats(checked const& all, std::string const& path, std::string (*meaning)(node const&), problem_list& problems)
{
    auto const* list = all.root.find(path);
    if (list == nullptr) return;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < list->items.size(); ++i) {
        auto const& item = list->items[i];
        if (!item.is_scalar() || seen.insert(meaning(item)).second) continue;
        problems.error(item.at, path + '[' + std::to_string(i) + ']', "'" + item.written + "' stands here twice; remove one");
    }
}

// What stands between double braces in a template is replaced, so it must be something that an answer knows.
void check_template(checked const& all, problem_list& problems)
{
    constexpr std::string_view known = "status, retry_after, policies, detail";
    std::string_view rest = all.read.responses.body_template;
    for (auto open = rest.find("{{"); open != std::string_view::npos; open = rest.find("{{")) {
        rest.remove_prefix(open + 2);
        auto const name = rest.substr(0, rest.find("}}"));
        if (name == "status" || name == "retry_after" || name == "policies" || name == "detail") continue;
        constexpr std::size_t shown = 32;
        problems.error(all.root.find("responses.rejection.body")->at, "responses.rejection.body",
                       "the template names '{{" + std::string(name.substr(0, shown)) +
                           "', which nothing is put in for; known are " + std::string(known) + ", each between {{ and }}");
        return;
    }
}

void check_responses(checked const& all, problem_list& problems)
{
    auto const& responses = all.read.responses;
    auto const sends = [&](field_style style) {
        auto const& fields = responses.rate_limit_fields;
        return std::find(fields.begin(), fields.end(), style) != fields.end();
    };
    auto const warn_of_no_effect = [&](std::string const& path, std::string const& needed) {
        if (auto const* value = all.root.find(path)) problems.warning(value->at, path, "has no effect without " + needed);
    };
    if (!sends(field_style::x_ratelimit)) warn_of_no_effect("responses.reset", "x-ratelimit in responses.rate_limit_fields");
    if (!sends(field_style::draft)) warn_of_no_effect("responses.members", "draft in responses.rate_limit_fields");
    if (responses.body != rejection_body::file) {
        warn_of_no_effect("responses.rejection.media_type", "a template file as responses.rejection.body");
    }
}

void check_message_limits(checked const& all, problem_list& problems)
{
    auto const& limits = all.read.limits;
    if (limits.header_field <= limits.headers) return;
    auto const* field = all.root.find("message_limits.header_field");
    auto const* value = field != nullptr ? field : all.root.find("message_limits.headers");
    problems.error(value->at, field != nullptr ? "message_limits.header_field" : "message_limits.headers",
                   "one field (header_field: " + write_size(static_cast<std::int64_t>(limits.header_field)) +
                       ") may not be larger than all of them (headers: " +
                       write_size(static_cast<std::int64_t>(limits.headers)) + "); lower the one or raise the other");
}

std::string source_meaning(node const& value)
{
    auto const source = parse_credential_source(value.text);
    return source ? std::to_string(static_cast<int>(source->where)) + ' ' + source->name : value.text;
}

std::string literal_meaning(node const& value) { return value.text; }

} // namespace

void check_settings(checked const& all, problem_list& problems)
{
    check_bindings(all, problems);
    check_admin(all, problems);
    check_no_repeats(all, "auth.api_keys.from", source_meaning, problems);
    check_no_repeats(all, "responses.rate_limit_fields", literal_meaning, problems);
    check_responses(all, problems);
    check_template(all, problems);
    check_message_limits(all, problems);
}

} // namespace penstock::conf
