#include "gateway/structured_list.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock::gateway;

namespace {

using found = list_reader::found;

// The members' texts; a last element "malformed" where the list is.
std::vector<std::string> read(std::string_view list)
{
    std::vector<std::string> texts;
    list_reader reader(list);
    list_member member;
    for (;;) {
        switch (reader.next(member)) {
        case found::member: texts.emplace_back(member.text); break;
        case found::end: return texts;
        case found::malformed: texts.emplace_back("malformed"); return texts;
        }
    }
}

bool is_well_formed(std::string_view list)
{
    auto const texts = read(list);
    return texts.empty() || texts.back() != "malformed";
}

} // namespace

TEST_CASE("RFC 9651 sections 4.2 and 4.2.1: members, commas and blanks")
{
    using texts = std::vector<std::string>;
    CHECK(read("") == texts{});
    CHECK(read("  ") == texts{});
    CHECK(read("\"a\"") == texts{"a"});
    CHECK(read("  \"a\"  ") == texts{"a"});
    CHECK(read("\"a\",\"b\"") == texts{"a", "b"});
    CHECK(read("\"a\" \t,\t \"b\";x , \"\"") == texts{"a", "b", ""});
    CHECK(read("\"a\\\"\\\\b\"") == texts{"a\\\"\\\\b"});
    for (auto const* list :
         {"a", "1", "(\"a\")", "\"a", "\"", "\"a\"b", "\"a\" \"b\"", ",\"a\"", "\"a\",", "\"a\", ", "\"a\",,\"b\"", "\"a\\",
          "\"a\\b\"", "\"\xc3\xa9\"", "\"\t\"", "\"\x7f\"", "\t\"a\"", "\"a\" ;x", "'a'"}) {
        CAPTURE(list);
        CHECK(!is_well_formed(list));
    }
}

TEST_CASE("RFC 9651 sections 4.2.3 to 4.2.10: keys and bare items, each by its own rule")
{
    struct row {
        std::string_view parameter;
        bool good;
    };
    for (auto const& r : std::vector<row>{
             {";r=3", true},
             {"; r=3", true},
             {";  r=3;t=1", true},
             {";r", true},
             {";*=1", true},
             {";a0_-.*=1", true},
             {";R=3", false},
             {";0=1", false},
             {";_a=1", false},
             {";=1", false},
             {";", false},
             {";;r=3", false},
             {";\tr=3", false},
             {";r =3", false},
             {";r= 3", false},
             {";r=", false},
             {";r=0", true},
             {";r=-5", true},
             {";r=007", true},
             {";r=999999999999999", true},
             {";r=1000000000000000", false},
             {";r=-", false},
             {";r=+1", false},
             {";r=--1", false},
             {";r=1.5", true},
             {";r=-123456789012.125", true},
             {";r=1234567890123.1", false},
             {";r=1.", false},
             {";r=1.2345", false},
             {";r=.5", false},
             {";r=1.5.5", false},
             {";r=1e3", false},
             {";s=\"a,b;c\"", true},
             {";s=\"\"", true},
             {";s=\"a", false},
             {";s=\"\\n\"", false},
             {";k=token", true},
             {";k=*a/b:c!", true},
             {";k=a=b", false},
             {";k=#a", false},
             {";b=::", true},
             {";b=:QQ==:", true},
             {";b=:QQ:", true},
             {";b=:QXBwLTk5OQ==:", true},
             {";b=:Q:", false},
             {";b=:Q===:", false},
             {";b=:QQ=:", false},
             {";b=:Q=Q=:", false},
             {";b=:====:", false},
             {";b=:QQ==", false},
             {";b=:Q Q:", false},
             {";b=:-_:", false},
             {";f=?0", true},
             {";f=?1", true},
             {";f=?2", false},
             {";f=?", false},
             {";f=?10", false},
             {";d=@1659578233", true},
             {";d=@-1", true},
             {";d=@", false},
             {";d=@1.5", false},
             {";u=%\"plain\"", true},
             {";u=%\"f%c3%bc%e2%82%ac%f0%9f%98%80\"", true},
             {";u=%\"%22\"", true},
             {";u=%plain", false},
             {";u=%\"open", false},
             {";u=%\"%C3%BC\"", false}, // upper case
             {";u=%\"%c3\"", false},
             {";u=%\"%c3x\"", false},
             {";u=%\"%c0%80\"", false},
             {";u=%\"%ed%a0%80\"", false}, // a surrogate
             {";u=%\"%f4%90%80%80\"", false},
             {";u=%\"%e0%80%80\"", false},
             {";u=%\"%f0%80%80%80\"", false},
             {";u=%\"%ff\"", false},
             {";u=%\"%4\"", false},
             {";u=%\"\xc3\xbc\"", false},
         }) {
        CAPTURE(r.parameter);
        CHECK(is_well_formed("\"app\"" + std::string(r.parameter)) == r.good);
        CHECK(is_well_formed("\"app\"" + std::string(r.parameter) + ", \"b\"") == r.good);
    }
}

TEST_CASE("RFC 9651 section 4.2.3.2: the last parameter of a name counts")
{
    list_reader reader("\"app\";r=3;t;r=-7;pk=:QQ==:, \"b\"");
    list_member member;
    REQUIRE(reader.next(member) == found::member);
    auto const r = member.parameter("r");
    REQUIRE(r);
    CHECK(r->what == bare_item::kind::integer);
    CHECK(r->number == -7);
    CHECK(member.parameter("t")->what == bare_item::kind::boolean);
    CHECK(member.parameter("pk")->what == bare_item::kind::bytes);
    CHECK(!member.parameter("q"));
    REQUIRE(reader.next(member) == found::member);
    CHECK(!member.parameter("r"));
    CHECK(reader.next(member) == found::end);
    CHECK(reader.next(member) == found::end);
}
