// docs/configuration.md against the tables: every key is described, what is refused is named, its example loads.
#include "conf/known_keys.hpp"
#include "conf/load.hpp"
#include "conf/unsupported.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

using namespace penstock;

namespace {

std::string page(std::string const& name)
{
    std::ifstream in{PENSTOCK_SOURCE_DIR "/docs/" + name};
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::string reference() { return page("configuration.md"); }

} // namespace

TEST_CASE("every key is in the reference")
{
    auto const text = reference();
    REQUIRE(!text.empty());
    for (auto const& known : conf::known_keys()) {
        std::string path{known.path};
        if (path.ends_with("[]") || path.ends_with('*')) continue; // described by the key in front
        if (auto const star = path.find('*'); star != std::string::npos) path.replace(star, 1, "NAME");
        CAPTURE(path);
        CHECK(text.find("| `" + path + "` |") != std::string::npos);
    }
}

TEST_CASE("every part of the language that is refused is named in the reference")
{
    auto const all = reference();
    auto const text = all.substr(all.find("## Not in this version"));
    for (auto const& part : conf::unsupported_parts()) {
        auto word = part.value.empty() ? part.path.substr(part.path.rfind('.') + 1) : part.value;
        if (word.ends_with('*')) word.remove_suffix(1);
        CAPTURE(part.path);
        CAPTURE(word);
        CHECK(text.find(word) != std::string::npos);
    }
}

TEST_CASE("every example of the pages for users is a configuration without a problem")
{
    auto const text = reference() + page("authentication.md");
    std::string const opening = "```yaml\n";
    unsigned examples = 0;
    for (auto begin = text.find(opening); begin != std::string::npos; begin = text.find(opening, begin)) {
        begin += opening.size();
        auto const example = text.substr(begin, text.find("```", begin) - begin);
        CAPTURE(example);
        auto const result = conf::load_text(example, "docs", ".", [](std::string const&) { return std::nullopt; });
        CHECK(result.snapshot != nullptr);
        for (auto const& problem : result.problems)
            CHECK_MESSAGE(problem.what.find("without hash_secret") != std::string::npos, problem.to_string());
        ++examples;
    }
    CHECK(examples >= 6);
}
