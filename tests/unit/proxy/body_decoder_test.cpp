#include "proxy/body_decoder.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace penstock::proxy;

namespace {

using kind = body_framing::kind;
using state = body_decoder::state;

} // namespace

TEST_CASE("H1-51, H1-60: without a body nothing is consumed and nothing is missing")
{
    body_decoder decoder;
    CHECK(decoder.is_done());
    CHECK(decoder.complete_at_eof());
    auto const step = decoder.next("GET / HTTP/1.1\r\n");
    CHECK(step.what == state::done);
    CHECK(step.consumed == 0);
}

TEST_CASE("H1-51, H1-55: a body with a length ends after that many bytes and not before")
{
    body_decoder decoder({kind::length, 8});
    CHECK(decoder.next("").what == state::need_more);
    auto step = decoder.next("hello");
    CHECK(step.what == state::piece);
    CHECK(step.content == "hello");
    CHECK(step.consumed == 5);
    CHECK(!decoder.is_done());
    CHECK(!decoder.complete_at_eof());

    step = decoder.next("123GET /");
    CHECK(step.content == "123");
    CHECK(step.consumed == 3);
    CHECK(decoder.is_done());
    CHECK(decoder.complete_at_eof());
    step = decoder.next("GET /");
    CHECK(step.what == state::done);
    CHECK(step.consumed == 0);
}

TEST_CASE("H1-52: a length of zero is a body that is complete")
{
    body_decoder decoder({kind::length, 0});
    CHECK(decoder.is_done());
    CHECK(decoder.next("GET /").consumed == 0);
}

TEST_CASE("H1-44, H1-56: a body may be as long as a length can say")
{
    body_decoder decoder({kind::length, std::uint64_t{INT64_MAX}});
    CHECK(decoder.next("abc").content == "abc");
    CHECK(!decoder.is_done());
}

TEST_CASE("H1-47, H1-55: a chunked body is complete behind its last chunk only")
{
    body_decoder decoder({kind::chunked, 0});
    std::string wire = "3\r\nabc\r\n0\r\n\r\nrest";
    auto step = decoder.next(wire);
    CHECK(step.what == state::piece);
    CHECK(step.content == "abc");
    CHECK(!decoder.complete_at_eof());
    wire.erase(0, step.consumed);

    step = decoder.next(wire);
    CHECK(step.what == state::done);
    CHECK(wire.substr(step.consumed) == "rest");
    CHECK(decoder.is_done());
    CHECK(decoder.complete_at_eof());

    body_decoder strict({kind::chunked, 0});
    CHECK(strict.next("3\nabc").what == state::broken);
}

TEST_CASE("H1-59: a body that the close ends takes everything and is complete at the end of the stream")
{
    body_decoder decoder({kind::until_close, 0});
    CHECK(decoder.next("").what == state::need_more);
    auto const step = decoder.next("0\r\n\r\nHTTP/1.1 200 OK\r\n");
    CHECK(step.what == state::piece);
    CHECK(step.consumed == 22);
    CHECK(!decoder.is_done());
    CHECK(decoder.complete_at_eof());
}
