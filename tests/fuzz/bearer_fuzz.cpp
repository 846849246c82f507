// AK-3, AK-42: a token that is gone by stands once, behind `Bearer` and blanks; where the word stands and something else ends it,
// the request is malformed and never one without a token; and every value of Authorization is read as its parts.
#include "base/field_name.hpp"
#include "fuzz_targets.hpp"
#include "gateway/authorization.hpp"
#include "gateway/bearer.hpp"
#include "partition/request_values.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace penstock::fuzz {
namespace {

using presence = gateway::bearer::presence;

gateway::bearer found_in(std::vector<base::field> const& fields, std::string_view query)
{
    base::request_facts facts;
    facts.fields = fields;
    facts.query = query;
    return gateway::find_bearer(facts);
}

bool is_word(std::string_view text) { return std::all_of(text.begin(), text.end(), gateway::is_token_byte); }

void look_at_parts(std::string_view value)
{
    auto const read = gateway::read_authorization(value);
    require(is_word(read.scheme), "a scheme is a word");
    require(read.rest.empty() || !gateway::is_token_byte(read.rest.front()), "all of the word is the scheme");
    require(value.ends_with(std::string(read.scheme) + std::string(read.rest)), "nothing behind the scheme is lost");
    require(!read.is_sound || value.size() == read.scheme.size() + read.rest.size(), "a sound value begins with its scheme");
    auto const before = value.substr(0, value.size() - read.scheme.size() - read.rest.size());
    require(std::none_of(before.begin(), before.end(), gateway::is_token_byte), "it is the first word");
}

bool has_parameter(std::string_view query, std::string_view name)
{
    return partition::next_query_value(query, name).has_value();
}

} // namespace

void bearer(std::string_view lines)
{
    auto const query = take_line(lines);
    std::vector<base::field> fields;
    bool is_named = false;
    while (!lines.empty()) {
        fields.push_back({"authorization", base::trim_ows(take_line(lines))});
        look_at_parts(fields.back().value);
        is_named = is_named || base::is_field(gateway::read_authorization(fields.back().value).scheme, "bearer");
    }
    auto const found = found_in(fields, query);
    require((found.how == presence::absent) != is_named, "it is absent exactly where no field has the word");
    if (found.how != presence::presented) return;
    require(fields.size() == 1, "no other field says who it is");
    auto const value = fields.front().value;
    require(base::is_field(value.substr(0, 7), "bearer "), "the word and a blank stand in front");
    require(!found.token.empty() && found.token.front() != ' ' && value.ends_with(found.token), "the rest is the token");
    require(!has_parameter(query, "access_token"), "no other token is in the query");

    std::string const token(found.token);
    auto const spelled = "bEARER  " + token;
    auto const again = found_in({{"Authorization", spelled}}, query);
    require(again.how == presence::presented && again.token == token, "it is one token in every spelling");
    for (std::string const between : {"\t", "\xc2\xa0", "\x0b", ":", ",", "="})
        require(found_in({{"Authorization", "Bearer" + between + token}}, "").how == presence::malformed,
                "another byte than a blank leaves no token");
    require(found_in({fields.front(), fields.front()}, "").how == presence::malformed, "twice is once too often");
    require(found_in(fields, "a&access%5Ftoken=").how == presence::malformed, "so it is beside one in the query");
    require(gateway::is_token68(token) == gateway::is_token68(token + "="), "padding makes no difference");
}

} // namespace penstock::fuzz
