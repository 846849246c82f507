// One small file per mistake, named after it. Its `# expect: ` lines are all that check must report, in order.
#include "conf/load.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace penstock;

std::filesystem::path const folder = PENSTOCK_SOURCE_DIR "/tests/unit/conf/mistakes";
std::string const marker = "# expect: ";

std::optional<std::string> test_environment(std::string const& name)
{
    return name == "PENSTOCK_TEST_WORD" ? std::optional<std::string>{"many"} : std::nullopt;
}

std::vector<std::string> expected_in(std::filesystem::path const& file)
{
    std::vector<std::string> expected;
    std::ifstream in{file};
    for (std::string line; std::getline(in, line) && line.starts_with(marker);) {
        expected.push_back(file.filename().string() + ':' + line.substr(marker.size()));
    }
    return expected;
}

std::vector<std::string> problems_of(std::filesystem::path const& file)
{
    std::vector<std::string> found;
    for (auto problem : conf::load_file(file.string(), test_environment).problems) {
        problem.file = file.filename().string();
        found.push_back(problem.to_string());
    }
    return found;
}

std::string lines(std::vector<std::string> const& all)
{
    std::string text;
    for (auto const& line : all) text += line + '\n';
    return text;
}

} // namespace

TEST_CASE("every mistake is reported with line, column, key and remedy, and nothing else is")
{
    std::size_t files = 0;
    for (auto const& entry : std::filesystem::directory_iterator{folder}) {
        CAPTURE(entry.path().filename().string());
        auto const expected = expected_in(entry.path());
        CHECK(!expected.empty());
        CHECK(lines(problems_of(entry.path())) == lines(expected));
        ++files;
    }
    CHECK(files > 100);
}

TEST_CASE("ten different mistakes in one file are ten problems, each with its place and key")
{
    auto const result = conf::load_file((folder / "ten-different-mistakes.yaml").string(), test_environment);
    CHECK(result.snapshot == nullptr);
    auto const is_error = [](conf::problem const& p) { return p.level == conf::problem::severity::error; };
    CHECK(std::count_if(result.problems.begin(), result.problems.end(), is_error) == 10);
    for (auto const& problem : result.problems) {
        CAPTURE(problem.to_string());
        CHECK(problem.line > 0);
        CHECK(problem.column > 0);
        CHECK(!problem.key.empty());
        bool const names_a_remedy =
            problem.what.find("; ") != std::string::npos || problem.what.find("must be") != std::string::npos;
        CHECK(names_a_remedy);
    }
}

TEST_CASE("a warning comes with a snapshot, an error with none")
{
    CHECK(conf::load_file((folder / "limit-unused.yaml").string(), test_environment).snapshot != nullptr);
    CHECK(conf::load_file((folder / "unknown-key.yaml").string(), test_environment).snapshot == nullptr);
}

TEST_CASE("no problem shows a secret")
{
    for (auto const* name : {"later-redis-rediss.yaml", "redis-two-passwords.yaml", "digest-malformed.yaml"}) {
        CAPTURE(name);
        CHECK(lines(problems_of(folder / name)).find("secret") == std::string::npos);
    }
}
