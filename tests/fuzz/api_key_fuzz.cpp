// AK-1 ... AK-4, AK-7, RL-72: whatever a request holds, a key that is taken is one that may be; spelled otherwise it is the same key;
// a query without keys holds none and nothing else has gone; and a denied key is seen behind anything.
#include "base/field_name.hpp"
#include "fuzz_targets.hpp"
#include "gateway/api_key_check.hpp"
#include "gateway/query_keys.hpp"

#include <algorithm>
#include <array>
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

// Whether a request is denied that also has the one key that is.
bool is_denied(std::vector<base::field> const& fields, std::string_view query, conf::api_key_settings const& settings)
{
    static auto const denying = [] {
        std::array<partition::sha256_digest, 1> const digests{partition::digest_of("bad")};
        conf::deny_list list;
        list.api_keys = partition::digest_table{digests};
        return list;
    }();
    std::array<conf::deny_list const*, 1> const lists{&denying};
    base::request_facts facts;
    facts.fields = fields;
    facts.query = query;
    std::string scratch;
    auto const got = gateway::check_api_key(facts, settings, scratch, lists);
    require((got.why == gateway::credential_refusal::api_key_denied) == (got.denied_by != nullptr), "who is denied is told so");
    return got.denied_by != nullptr;
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

    for (std::string const behind : {"&k=bad", ";k=bad", "&k=x,bad", "&%6b=\"b%61d\"", ";%6b=%62ad;q=1"})
        require(is_denied(fields, std::string(query) + behind, settings), "a denied key is seen in the query");
    for (std::string const behind : {"; k=bad", ",k=bad", ", k=\"bad\"", ";k=x;k=bad"}) {
        auto const cookies_and_key = std::string(fields[0].value) + behind;
        require(is_denied({{"cookie", cookies_and_key}, fields[1]}, query, settings), "and among the cookies");
    }
    for (std::string_view const pair : {"YmFkOg==", "YmFkOng=", "dTpiYWQ=", "YSBiYWQgYjp4"}) // bad:, bad:x, u:bad, a bad b:x
        require(is_denied({fields[0], fields[1], {"authorization", "Basic " + std::string(pair)}}, query, settings),
                "and in either half of Basic");

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
