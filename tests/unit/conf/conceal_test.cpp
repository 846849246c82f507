// No problem shows what may be a secret: a canary of every shape in the place of every key below admin, auth and redis.
#include "conf/conceal.hpp"
#include "conf/known_keys.hpp"
#include "conf/load.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace {

using namespace penstock;
using json = nlohmann::ordered_json;

std::string const folder = PENSTOCK_SOURCE_DIR "/tests/unit/conf";
std::string const canary = "kanarie"; // in all shapes, and in the file kanarie.txt
std::string const hole = "@hole@";

// What may stand in a hole, as YAML. The last line break of a syntax error keeps it from swallowing the rest.
std::vector<std::string> const shapes{
    "kanarie",
    "'Kanarie!7/x+y=='",
    "kanarie_0123456789abcdefABCDEF",
    "unix:/kanarie",
    "redis://user:kanarie@",
    "'redis://:kan arie@host'",
    "'https://user:kanarie@id.example.com/keys'",
    "http://id.example.com/kanarie",
    "kanarie.txt",
    "[kanarie]",
    "[kanarie, kanarie]",
    "[[kanarie]]",
    "[{ kanarie: kanarie }]",
    "{ kanarie: kanarie }",
    "{ kanarie: { kanarie: { kanarie: 1, kanarie: 2 } } }",
    "{ 'kan.arie': ${kanarie}, 'x[kanarie': 1, 'x[kanarie': 2 }",
    "{ [kanarie]: 1 }",
    "!kanarie x",
    "!<kanarie> x",
    "&kanarie x",
    "*kanarie",
    "${kanarie}",
    "${KANARIE7FX4}",
    "${kanarie!}",
    "${UNSET:-kanarie}",
    "'${kanarie'",
    "$${kanarie}",
    "${SECRET}",
    "[${SECRET}, ${SECRET}]",
    "\"\\kanarie\"",
    "[kanarie",
    "{ kanarie: kanarie: kanarie }",
    "'kanarie\n",
    "@kanarie",
    "\"kanarie\\u00zz\"",
};

std::optional<std::string> test_environment(std::string const& name)
{
    return name == "SECRET" ? std::optional<std::string>{"kanarie of the environment"} : std::nullopt;
}

// Valid, and with a part for every check that looks below the three sections.
json whole()
{
    return json::parse(R"({
  "listeners": [{"address": "0.0.0.0:0"}],
  "admin": {"address": "127.0.0.1:0", "token": "t"},
  "redis": {"url": "redis://127.0.0.1", "hash_secret": "0123456789abcdef"},
  "auth": {
    "api_keys": {
      "from": ["header X-API-Key", "query key"],
      "known": [
        {"name": "a", "sha256": "0000000000000000000000000000000000000000000000000000000000000001", "attributes": {"plan": "gold"}},
        {"name": "b", "sha256": "0000000000000000000000000000000000000000000000000000000000000002", "attributes": {"plan": "gold"}}]},
    "jwt": {
      "issuers": [
        {"issuer": "https://a.example.com", "audience": ["a", "b"], "algorithms": ["ES256"], "jwks_file": "keys.json"},
        {"issuer": "https://b.example.com", "audience": ["a", "b"], "algorithms": ["HS256"], "secret_file": "secret-long.txt"}]}},
  "upstreams": {"app": {"servers": ["127.0.0.1:3000"]}},
  "limits": {
    "a": {"key": "api_key", "fixed_window": {"limit": 5, "window": "1m"},
          "from_attribute": {"attribute": "api_key.plan", "tiers": {"gold": {"limit": 50}}}},
    "b": {"key": "client.ip", "fixed_window": {"limit": 5, "window": "1m"}}},
  "routes": [{"upstream": "app", "limits": ["a", "b"]}]
})");
}

bool is_hidden(conf::known_key const& key) { return conf::is_confidential(key.path); }

// Puts `value` where `path` (of the table) leads, in every element of the lists on the way; makes what is not there.
void put(json& here, std::string_view path, json const& value)
{
    if (path.empty()) {
        here = value;
    } else if (path.starts_with("[]")) {
        if (!here.is_array()) here = json::array({json(), json()});
        for (auto& element : here) put(element, path.substr(2), value);
    } else {
        if (path.front() == '.') path.remove_prefix(1);
        auto const end = std::min(path.find_first_of(".["), path.size());
        auto const step = path.substr(0, end) == "*" ? "plan" : std::string{path.substr(0, end)};
        if (!here.is_object()) here = json::object();
        put(here[step], path.substr(end), value);
    }
}

std::string filled(json const& document, std::string const& shape)
{
    auto text = document.dump(1);
    auto const quoted = '"' + hole + '"';
    for (auto at = text.find(quoted); at != std::string::npos; at = text.find(quoted, at + shape.size()))
        text.replace(at, quoted.size(), shape);
    return text;
}

std::string lower(std::string text)
{
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::vector<conf::problem> problems_of(std::string const& text)
{
    return conf::load_text(text, "t", folder, test_environment).problems;
}

// How many problems there are; each has a place, and none shows the canary.
std::size_t check_hidden(std::string const& text)
{
    auto const found = problems_of(text);
    for (auto const& problem : found) {
        CAPTURE(problem.to_string());
        CHECK(lower(problem.to_string()).find(canary) == std::string::npos);
        CHECK(problem.line > 0);
    }
    return found.size();
}

struct problem_case {
    char const* text;
    char const* problem; // how it begins
};

void check_problems(std::initializer_list<problem_case> cases)
{
    for (auto const& each : cases) {
        CAPTURE(each.text);
        auto const found = problems_of(each.text);
        std::string all;
        for (auto const& problem : found) all += problem.to_string() + '\n';
        CAPTURE(all);
        CHECK(std::ranges::any_of(found, [&](auto const& problem) { return problem.to_string().starts_with(each.problem); }));
    }
}

} // namespace

TEST_CASE("the document that the canaries are put into is valid")
{
    auto const result = conf::load_text(whole().dump(1), "t", folder, test_environment);
    CHECK(result.snapshot != nullptr);
}

TEST_CASE("no problem shows a canary in the place of any value below admin, auth and redis")
{
    std::size_t keys = 0;
    for (auto const& key : conf::known_keys()) {
        if (!is_hidden(key)) continue;
        ++keys;
        CAPTURE(key.path);
        std::size_t problems = 0;
        for (auto const& shape : shapes) {
            CAPTURE(shape);
            auto alone = json::object();
            put(alone, key.path, hole);
            check_hidden(filled(alone, shape));
            auto among_others = whole();
            put(among_others, key.path, hole);
            problems += check_hidden(filled(among_others, shape));
        }
        CHECK(problems > shapes.size() / 3); // what YAML or the environment refuse, at least
    }
    CHECK(keys > 60);
}

TEST_CASE("no problem shows a canary as the name of a key, once or twice, in any section of admin, auth and redis")
{
    std::size_t sections = 0;
    for (auto const& key : conf::known_keys()) {
        auto const is_section = key.form == conf::value_form::section || key.form == conf::value_form::names;
        if (!is_hidden(key) || !is_section) continue;
        ++sections;
        CAPTURE(key.path);
        for (std::string const name :
             {"kanarie", "'kan.arie kanarie'", "${kanarie}", "'known[kanarie'", "'url[0]kanarie'", "!kanarie x", "? kanarie"}) {
            CAPTURE(name);
            for (auto const& shape : shapes) {
                CAPTURE(shape);
                auto document = whole();
                put(document, std::string{key.path} + "." + "@first@", hole);
                put(document, std::string{key.path} + "." + "@second@", hole);
                auto text = filled(document, shape);
                for (std::string const mark : {"\"@first@\"", "\"@second@\""}) {
                    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark))
                        text.replace(at, mark.size(), name);
                }
                CHECK(check_hidden(text) > 0);
            }
        }
    }
    CHECK(sections > 10);
}

TEST_CASE("no problem shows a canary below a top-level key that is misspelt, or below overrides")
{
    for (auto const& shape : shapes) {
        CAPTURE(shape);
        CHECK(check_hidden("auht: { api_keys: " + shape + ", kanarie: 1, kanarie: ${kanarie} }") > 0);
        CHECK(check_hidden("limits: { a: { overrides: { kanarie: { limit: ${UNSET} }, kanarie: { limit: x } } } }") > 0);
    }
}

TEST_CASE("every secret of the language stands where values are hidden")
{
    for (auto const& key : conf::known_keys()) {
        CAPTURE(key.path);
        auto const is_secret = key.form == conf::value_form::secret || key.form == conf::value_form::redis_url;
        CHECK((!is_secret || is_hidden(key)));
    }
}

TEST_CASE("what no secret looks like is shown, so that a problem says what it is about")
{
    check_problems({
        {"redis: { max_pending: 0 }", "t:1:23: redis.max_pending: must be from 1 to 1000000, not 0"},
        {"redis: { max_pending: 5s }", "t:1:23: redis.max_pending: '5s' is not a whole number"},
        {"redis: { check_timeout: 10 }", "t:1:25: redis.check_timeout: '10' is not a duration"},
        {"redis: { check_timeout: 10x }", "t:1:25: redis.check_timeout: '***' is not a duration"},
        {"redis: { check_timeout: ${A_NUMBER} }", "t:1:25: redis.check_timeout: the environment has no A_NUMBER; set it"},
        {"redis: { check_timeout: ${SE_C} }", "t:1:25: redis.check_timeout: the environment has no SE_C; set it"},
        {"redis: { check_timeout: ${Secr_t} }", "t:1:25: redis.check_timeout: the environment has no variable of the name"},
        {"redis: { check_timout: 1s }", "t:1:10: redis.check_timout: unknown key; did you mean 'check_timeout'?"},
        {"redis: { tls: { x: 1 } }", "t:1:17: redis.tls.***: unknown key; known here: ca_file"},
        {"auth: { jwt: { on_invalid: regect } }",
         "t:1:28: auth.jwt.on_invalid: 'regect' is not known here; did you mean 'reject'?"},
        {"auth: { jwt: { on_invalid: no } }",
         "t:1:28: auth.jwt.on_invalid: '***' is not known here; write reject or anonymous"},
        {"auth: { jwt: { issuers: [{ algorithms: [ES256, ES256] }] } }",
         "t:1:48: auth.jwt.issuers[0].algorithms[1]: 'ES256' stands here twice"},
        {"auth: { jwt: { issuers: [{ algorithms: [RS265] }] } }",
         "t:1:41: auth.jwt.issuers[0].algorithms[0]: 'RS265' is not known here; did you mean 'RS256'?"},
        {"auth: { api_keys: { from: header } }", "t:1:27: auth.api_keys.from: '***' is not known here; write header NAME"},
        {"via: a b", "t:1:6: via: 'a b' is not a name"}, // below none of the three
    });
}
