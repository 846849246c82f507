// YAML as plain structs: places, bounds, and the environment inside parsed values.
#include "conf/environment.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace penstock::conf;

namespace {

struct parsed_text {
    std::optional<node> root;
    std::vector<problem> problems;
};

parsed_text parse(
    std::string const& text, environment const& env = [](std::string const&) { return std::nullopt; })
{
    problem_list problems{"t.yaml"};
    auto root = parse_document(text, problems);
    if (root) expand_environment(*root, env, problems);
    return {std::move(root), std::move(problems).take_sorted()};
}

std::optional<std::string> hostile(std::string const& name)
{
    if (name == "YAML") return "x, b: y } \n- z";
    if (name == "EMPTY") return "";
    if (name == "A") return "1";
    return std::nullopt;
}

} // namespace

TEST_CASE("values and keys know their line and column")
{
    auto const [root, problems] = parse("a: 1\nb:\n  - x\n  - { c: 'd' }\ne:\n");
    REQUIRE(root);
    CHECK(problems.empty());
    CHECK(root->find("a")->at == place{1, 4});
    CHECK(root->find("b")->items[0].at == place{3, 5});
    CHECK(root->find("b")->items[1].find("c")->at == place{4, 10});
    CHECK(root->find_member("e")->key_at == place{5, 1});
    CHECK(root->find("e")->at == place{5, 1}); // no value: where its key is
    CHECK(root->find("a.b") == nullptr);
}

TEST_CASE("variables stand anywhere in a value, also between braces, and never become YAML")
{
    auto const [root, problems] =
        parse("m: { token: ${EMPTY:-a,b}, list: [${A}, x${A}y] }\np: ${YAML}\nq: \"$${A}\"\nr: ${UNSET:-}\n", hostile);
    REQUIRE(root);
    CHECK(problems.empty());
    CHECK(root->members.size() == 4);
    CHECK(root->find("m.token")->text == "a,b");
    CHECK(root->find("m.list")->items[0].text == "1");
    CHECK(root->find("m.list")->items[1].text == "x1y");
    CHECK(root->find("m.list")->items[1].written == "x${A}y");
    CHECK(root->find("p")->text == "x, b: y } \n- z");
    CHECK(root->find("q")->text == "${A}");
    CHECK(root->find("r")->is_scalar());
    CHECK(root->find("r")->text.empty());
}

TEST_CASE("a document has bounds")
{
    CHECK(parse("a: " + std::string(most_document_bytes, 'x')).problems.size() == 1);
    CHECK(parse(std::string(100'000, '[')).problems.size() == 1);
    CHECK(parse("a: " + std::string(10'000, '{')).problems.size() == 1);
    std::string many = "a: [";
    for (std::size_t i = 0; i <= most_document_nodes; ++i) many += "1,";
    CHECK(parse(many + "]").problems.size() == 1);
}

TEST_CASE("what is not one map is no configuration")
{
    for (auto const* text :
         {"", "# nothing\n", "~", "text", "[]", "a: 1\n---\nb: 2\n", "a: &x 1\nb: *x\n", "? [a]\n: b\n", "a: b: c", "a: 'x"}) {
        CAPTURE(text);
        auto const result = parse(text);
        CHECK(!result.root);
        CHECK(result.problems.size() == 1);
    }
}
