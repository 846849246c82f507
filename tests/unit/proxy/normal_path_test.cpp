#include "proxy/normal_path.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace penstock::proxy;

namespace {

std::string normal(std::string_view raw)
{
    std::string out = "left over";
    auto const result = normalise_path(raw, out);
    if (result.problem != path_problem::none || result.is_normal) CHECK(out.empty());
    if (result.problem != path_problem::none) return "refused";
    return result.is_normal ? std::string{raw} : out;
}

path_problem problem_of(std::string_view raw)
{
    std::string out;
    return normalise_path(raw, out).problem;
}

} // namespace

TEST_CASE("H1-120, H1-122, H1-124, H1-126, H1-127: one spelling of a path")
{
    struct row {
        std::string_view name, raw, expected;
    };
    for (auto const& r : {
             row{"root", "/", "/"},
             row{"plain", "/api/login", "/api/login"},
             row{"H1-120 unreserved is decoded", "/api/%6Cogin", "/api/login"},
             row{"H1-120 all unreserved marks", "/%2D%2e%5F%7Ea", "/-._~a"},
             row{"H1-120 hex in capitals", "/a%3ab%c3%a9", "/a%3Ab%C3%A9"},
             row{"H1-120 normal escapes stay", "/caf%C3%A9", "/caf%C3%A9"},
             row{"H1-120 dot segment", "/api/./login", "/api/login"},
             row{"H1-120 two dots", "/x/../api/login", "/api/login"},
             row{"H1-120 escaped dots", "/api/%2e%2e/api/%2E/login", "/api/login"},
             row{"H1-120 half escaped dots", "/api/.%2e/api/%2e./api/login", "/api/login"},
             row{"dots at the end", "/a/b/..", "/a/"},
             row{"one dot at the end", "/a/b/.", "/a/b/"},
             row{"down to the root", "/a/..", "/"},
             row{"dot alone", "/.", "/"},
             row{"three dots are a name", "/.../a", "/.../a"},
             row{"a hidden file", "/.well-known/x", "/.well-known/x"},
             row{"trailing dots of a name", "/a../b.", "/a../b."},
             row{"H1-122 slashes are merged", "//api///login", "/api/login"},
             row{"H1-122 merged before dots count", "/a//../b", "/b"},
             row{"H1-122 only slashes", "///", "/"},
             row{"H1-124 decoded once only", "/a%252f", "/a%252f"},
             row{"H1-124 decoded once only, dots", "/a/%252e%252e/b", "/a/%252e%252e/b"},
             row{"H1-126 trailing slash is kept", "/api/login/", "/api/login/"},
             row{"H1-126 case is kept", "/API/Login", "/API/Login"},
             row{"H1-126 parameters are kept", "/api/login;a=1", "/api/login;a=1"},
             row{"H1-126 parameters of a dot segment make it a name", "/a/..;/b", "/a/..;/b"},
             row{"H1-127 an escaped question mark stays", "/api/login%3fx", "/api/login%3Fx"},
             row{"reserved bytes stay", "/!$&'()*+,;=:@", "/!$&'()*+,;=:@"},
             row{"what no URI may hold raw is escaped", "/a\"<>[]^`{|}", "/a%22%3C%3E%5B%5D%5E%60%7B%7C%7D"},
             row{"a space stays escaped", "/api/login%20", "/api/login%20"},
         }) {
        CAPTURE(r.name);
        CHECK(normal(r.raw) == r.expected);
    }
}

TEST_CASE("H1-22, H1-123, H1-124, H1-125: what could be read in two ways is refused")
{
    struct row {
        std::string_view raw;
        path_problem problem;
    };
    for (auto const& r : {
             row{"", path_problem::not_absolute},
             row{"api", path_problem::not_absolute},
             row{"%2fapi", path_problem::not_absolute},
             row{"*", path_problem::not_absolute},
             row{"/a b", path_problem::forbidden_byte},
             row{"/a#b", path_problem::forbidden_byte},
             row{"/a?b", path_problem::forbidden_byte},
             row{"/a\tb", path_problem::forbidden_byte},
             row{"/a\x7F", path_problem::forbidden_byte},
             row{"/a\xC3\xA9", path_problem::forbidden_byte},
             row{"/api\\login", path_problem::forbidden_byte},
             row{"/api%2flogin", path_problem::encoded_separator},
             row{"/api%2Flogin", path_problem::encoded_separator},
             row{"/api%5clogin", path_problem::encoded_separator},
             row{"/a%00", path_problem::encoded_control},
             row{"/a%0d%0ab", path_problem::encoded_control},
             row{"/a%7f", path_problem::encoded_control},
             row{"/a%", path_problem::malformed_escape},
             row{"/a%4", path_problem::malformed_escape},
             row{"/a%zz", path_problem::malformed_escape},
             row{"/a%4g", path_problem::malformed_escape},
             row{"/a%+1", path_problem::malformed_escape},
             row{"/%c0%af", path_problem::invalid_utf8},        // overlong slash
             row{"/%c0%ae%c0%ae/", path_problem::invalid_utf8}, // overlong dots
             row{"/%e0%80%af", path_problem::invalid_utf8},
             row{"/%f0%80%80%af", path_problem::invalid_utf8},
             row{"/%ed%a0%80", path_problem::invalid_utf8}, // surrogate
             row{"/%f4%90%80%80", path_problem::invalid_utf8},
             row{"/%ff", path_problem::invalid_utf8},
             row{"/%80", path_problem::invalid_utf8},
             row{"/%c3", path_problem::invalid_utf8},
             row{"/%c3/", path_problem::invalid_utf8},
             row{"/%c3a", path_problem::invalid_utf8},
             row{"/%c3%41", path_problem::invalid_utf8},
             row{"/%c3a%a9", path_problem::invalid_utf8},
             row{"/%e2%82%c3%a9", path_problem::invalid_utf8},
             row{"/../../etc", path_problem::above_root},
             row{"/..", path_problem::above_root},
             row{"/%2e%2e", path_problem::above_root},
             row{"/a/../../b", path_problem::above_root},
             row{"/a//../../b", path_problem::above_root},
             row{"/./../a", path_problem::above_root},
         }) {
        CAPTURE(r.raw);
        CHECK(problem_of(r.raw) == r.problem);
        CHECK_FALSE(describe(r.problem).empty());
    }
    CHECK(problem_of(std::string_view{"/a\0", 3}) == path_problem::forbidden_byte);
}

TEST_CASE("H1-124: every code point may be escaped as UTF-8")
{
    for (std::string_view const raw :
         {"/%C2%80", "/%DF%BF", "/%E0%A0%80", "/%ED%9F%BF", "/%EE%80%80", "/%EF%BF%BF", "/%F0%90%80%80", "/%F4%8F%BF%BF"}) {
        CAPTURE(raw);
        CHECK(normal(raw) == raw);
    }
}

TEST_CASE("H1-120: the normal form is a fixed point and holds nothing ambiguous")
{
    auto const seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    static constexpr std::string_view pieces[] = {"/",  "/", ".",   "..", "%2e",    "%2E", "a", "B",   "%61", "%25",
                                                  "2f", ";", "%3a", ":",  "%c3%a9", "{",   "~", "%7e", "//"};
    int accepted = 0;
    for (int round = 0; round < 50'000; ++round) {
        std::string raw = "/";
        for (auto n = random() % 12; n > 0; --n) raw += pieces[random() % std::size(pieces)];
        CAPTURE(raw);
        std::string out;
        auto const result = normalise_path(raw, out);
        if (result.problem != path_problem::none) continue;
        ++accepted;
        auto const path = result.is_normal ? raw : out;
        CAPTURE(path);
        REQUIRE(path.front() == '/');
        REQUIRE(path.find("//") == std::string::npos);
        auto const closed = path + '/';
        REQUIRE(closed.find("/./") == std::string::npos);
        REQUIRE(closed.find("/../") == std::string::npos);
        std::string again;
        auto const second = normalise_path(path, again);
        REQUIRE(second.problem == path_problem::none);
        REQUIRE(second.is_normal);
    }
    CHECK(accepted > 1'000);
}
