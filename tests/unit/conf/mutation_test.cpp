// Random damage to valid files: whatever the bytes, load answers with a snapshot or with problems that name a place.
#include "conf/load.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>

using namespace penstock;

namespace {

std::string text_of(std::string const& name)
{
    std::ifstream in{PENSTOCK_SOURCE_DIR "/conf/examples/" + name};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// Replaces, removes, inserts or doubles a few bytes; the inserted ones are those that mean something to YAML.
std::string damaged(std::string text, std::mt19937_64& random)
{
    static std::string const meaningful = "{}[]:,-#&*!|>'\"%@`?~$ \n\t0123456789\\\xff\x80";
    auto const below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    for (auto times = 1 + below(6); times > 0 && !text.empty(); --times) {
        auto const at = below(text.size());
        switch (below(4)) {
        case 0: text[at] = static_cast<char>(below(256)); break;
        case 1: text.erase(at, 1 + below(20)); break;
        case 2: text.insert(at, 1 + below(3), meaningful[below(meaningful.size())]); break;
        default: text.insert(at, text.substr(at, below(40))); break;
        }
    }
    return text;
}

} // namespace

TEST_CASE("a list far beyond its bound is one problem, not minutes of comparing")
{
    std::string text = "listeners: [{ address: 127.0.0.1:1 }]\nupstreams: { app: { servers: [127.0.0.1:3000] } }\nroutes:\n";
    for (int i = 0; i < 10'000; ++i) text += "- { match: { path: /p" + std::to_string(i) + " }, upstream: app }\n";
    auto const result = conf::load_text(text, "t", ".", [](std::string const&) { return std::nullopt; });
    REQUIRE(result.problems.size() == 1);
    CHECK(result.problems[0].what == "has 10000 elements; give it 1 to 2000");
}

TEST_CASE("no damage to a file makes load crash, hang or answer with nothing")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    MESSAGE("seed ", seed);
    std::mt19937_64 random{seed};
    auto const env = [](std::string const&) -> std::optional<std::string> { return "value"; };
    for (auto const* name : {"minimal.yaml", "sidecar.yaml", "fleet.yaml"}) {
        auto const original = text_of(name);
        REQUIRE(!original.empty());
        for (int i = 0; i < 500; ++i) {
            auto const text = damaged(original, random);
            auto const result = conf::load_text(text, name, "/nonexistent", env);
            bool const is_answered = result.snapshot != nullptr || !result.problems.empty();
            CAPTURE(text);
            REQUIRE(is_answered);
        }
    }
}
