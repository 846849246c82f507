// AK-11 for random requests: two of them share a key exactly if every entry of the descriptor has the same value.
#include "partition/partition_key.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

using namespace penstock;
using partition::entry_source;

namespace {

partition::hash_secret const secret{{42}};

// Short values full of what could confuse the encoding, so that prefixes of each other and near misses are frequent.
std::string random_value(std::mt19937& random)
{
    static constexpr std::string_view pieces[] = {"a",  "b",         ",",           "=", "{", "}", "%", "2C",
                                                  "h=", "header.b=", "a,header.b=", "&", ";", "|", "/", "\x01"};
    std::string value;
    for (auto n = random() % 5; n > 0; --n) value += pieces[random() % std::size(pieces)];
    if (random() % 8 == 0) value += std::string(60 + random() % 5, 'x');
    return value;
}

std::string random_name(std::mt19937& random)
{
    static constexpr std::string_view names[] = {"a", "b", "a,b", "a=b", "a.b", "x-token"};
    return std::string{names[random() % std::size(names)]};
}

partition::entry header_named(std::string name)
{
    partition::entry e;
    e.source = entry_source::header;
    e.name = std::move(name);
    return e;
}

} // namespace

TEST_CASE("AK-11: two lists of names and values never meet")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};

    using list = std::vector<std::pair<std::string, std::string>>;
    std::map<std::string, list> seen;
    std::size_t met_itself = 0;
    for (int round = 0; round < 50'000; ++round) {
        list values;
        partition::descriptor what;
        std::vector<base::field> fields;
        for (auto n = 1 + random() % 3; values.size() < n;) {
            auto name = random_name(random);
            bool taken = false; // a field has one value in one request
            for (auto const& [other, value] : values) taken = taken || other == name;
            if (taken) continue;
            what.push_back(header_named(name));
            values.emplace_back(std::move(name), random_value(random));
        }
        for (auto const& [name, value] : values) fields.push_back({name, value});
        base::request_facts facts;
        facts.fields = fields;

        bool complete = true;
        for (auto const& [name, value] : values) complete = complete && !value.empty();
        partition::partition_key key;
        REQUIRE(partition::append_identity(key, what, facts, secret) == complete);
        if (!complete) {
            REQUIRE(key.empty());
            continue;
        }
        auto const text = key.view();
        REQUIRE(text.size() <= 66);
        REQUIRE(text.front() == '{');
        REQUIRE(text.find('}') == text.size() - 1);
        REQUIRE(text.rfind('{') == 0);
        auto const [place, is_new] = seen.try_emplace(std::string{text}, values);
        CAPTURE(text);
        REQUIRE(place->second == values);
        met_itself += !is_new;
    }
    CHECK(met_itself > 0); // equal lists do share a key
    CHECK(seen.size() > 10'000);
}

TEST_CASE("AK-11: sources never meet, whatever a caller sends")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    constexpr entry_source sources[] = {
        entry_source::api_key, entry_source::header,       entry_source::cookie, entry_source::query,  entry_source::host,
        entry_source::path,    entry_source::path_capture, entry_source::route,  entry_source::method, entry_source::everyone};
    for (int round = 0; round < 5'000; ++round) {
        auto const value = random_value(random);
        auto const cookie = "a=" + value;
        auto const query = "a=" + value;
        std::vector<base::field> const fields{{"a", value}, {"Cookie", cookie}};
        std::vector<base::path_capture> const captures{{"a", value}};
        base::request_facts facts;
        facts.method = facts.host = facts.path = facts.route = facts.api_key = value;
        facts.query = query;
        facts.fields = fields;
        facts.captures = captures;
        std::map<std::string, entry_source> seen;
        for (auto const source : sources) {
            partition::entry e;
            e.source = source;
            e.name = "a";
            partition::partition_key key;
            if (!partition::append_identity(key, {e}, facts, secret)) continue;
            CAPTURE(key.view());
            REQUIRE(seen.try_emplace(std::string{key.view()}, source).second);
        }
    }
}
