// AK-1 ... AK-4, AK-7: whatever a request holds, a key that is taken is one that may be; spelled otherwise it is the same key; and
// a query without keys holds none and nothing else has gone.
#include "base/field_name.hpp"
#include "fuzz_targets.hpp"
#include "gateway/api_key_check.hpp"
#include "gateway/query_keys.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace penstock::fuzz {
namespace {

using source = conf::credential_source;

struct look {
    explicit look(std::vector<base::field> const& fields, std::string_view query, conf::api_key_settings const& settings)
    {
        base::request_facts facts;
        facts.fields = fields;
        facts.query = query;
        auto const got = gateway::check_api_key(facts, settings, scratch);
        why = got.why;
        key = got.key;
    }
    std::string scratch;
    std::string key;
    gateway::credential_refusal why;
};

std::string percent_encoded(std::string_view text)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        out.append({'%', digits[byte >> 4U], digits[byte & 15U]});
    }
    return out;
}

} // namespace

void api_key(std::string_view lines)
{
    auto const query = take_line(lines);
    auto const cookies = take_line(lines);
    std::vector<base::field> const fields{{"Cookie", base::trim_ows(cookies)}, {"Authorization", base::trim_ows(lines)}};
    conf::api_key_settings settings;
    settings.from = {{source::place::query, "k"}, {source::place::cookie, "k"}, {source::place::authorization, "basic"}};
    look const seen(fields, query, settings);
    require(seen.key.size() <= 512, "no key is longer than 512 bytes");
    require(std::all_of(seen.key.begin(), seen.key.end(), [](char c) { return c > ' ' && c < 0x7f; }),
            "a key is visible ASCII");
    require(seen.why == gateway::credential_refusal::none || seen.key.empty(), "what is refused is not gone by");

    std::string left;
    gateway::append_without_keys(left, query, settings.from);
    if (!left.empty()) left.erase(0, 1);
    std::string again;
    gateway::append_without_keys(again, left, settings.from);
    require(again == (left.empty() ? "" : "?" + left), "nothing is left to be taken out");
    settings.from = {{source::place::query, "k"}};
    look const rest({}, left, settings);
    require(rest.key.empty() && rest.why == gateway::credential_refusal::none, "no key is left in the query");

    if (seen.key.empty()) return;
    auto const spelled = "%6b=" + percent_encoded(seen.key);
    require(look({}, spelled, settings).key == seen.key, "percent-encoded it is the same key");
}

} // namespace penstock::fuzz
