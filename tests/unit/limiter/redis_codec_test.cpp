#include "limiter/redis/codec.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

namespace penstock::limiter::redis {
namespace {

std::string words(std::initializer_list<std::int64_t> values)
{
    std::string bytes(values.size() * 8, '\0');
    std::size_t at = 0;
    for (auto const value : values) {
        std::memcpy(bytes.data() + at, &value, 8);
        at += 8;
    }
    return bytes;
}

std::string doubles(std::initializer_list<double> values)
{
    std::string bytes(values.size() * 8, '\0');
    std::size_t at = 0;
    for (auto const value : values) {
        std::memcpy(bytes.data() + at, &value, 8);
        at += 8;
    }
    return bytes;
}

std::string bulk(std::string const& bytes) { return "$" + std::to_string(bytes.size()) + "\r\n" + bytes + "\r\n"; }

claim asking(policy const& limit, std::string_view key, std::int64_t cost)
{
    claim one;
    one.policy = &limit;
    one.key.append(key);
    one.cost = cost;
    return one;
}

} // namespace

TEST_CASE("a check is one EVALSHA: keys, then one packed argument for each claim")
{
    policy whole;
    whole.quota.algorithm = token_bucket{.capacity = 10, .interval_us = 100'000};
    policy rational;
    rational.quota.algorithm = token_bucket{.capacity = 7, .interval_us = 333'333, .interval_num = 1, .interval_den = 3};
    rational.enforce = enforcement::shadow;
    policy window;
    window.quota.algorithm = fixed_window{.limit = 5, .window_us = 10'000'000};
    claim const asked[] = {asking(whole, "a", 1), asking(rational, "bc", 2), asking(window, "def", 0)};

    std::string frame;
    append_acquire(frame, calling::by_digest, {.asked = asked, .now = {}});
    auto const body = bulk("3") + bulk("a") + bulk("bc") + bulk("def") + bulk('\0' + doubles({1, 10, 100'000})) +
                      bulk(static_cast<char>(129) + doubles({2, 7, 333'333, 1, 3})) + bulk('\2' + doubles({0, 5, 10'000'000}));
    CHECK(frame == "*9\r\n" + bulk("EVALSHA") + bulk(std::string(scripts::acquire.sha1)) + body);

    frame.clear();
    auto const now = base::at_epoch_us(1'700'000'000'123'456);
    append_acquire(frame, calling::by_text, {.asked = asked, .now = {}, .test_now = &now});
    CHECK(frame == "*10\r\n" + bulk("EVAL") + bulk(std::string(scripts::acquire.text)) + body + bulk("1700000000123456"));
}

TEST_CASE("every algorithm's parameters follow the cost, in the order in which its script unpacks them")
{
    calendar days;
    for (int day = 0; day < 6; ++day) days.starts.push_back(day * 1000);
    struct row {
        char const* name;
        algorithm numbers;
        int kind;
        std::string parameters;
    };
    for (auto const& row : {
             row{"clock window", clock_window{5, 2'000'000}, 3, doubles({5, 2'000'000})},
             row{"calendar window", calendar_window{5, &days}, 4, doubles({5, 1000, 2000, 3000, 4000})},
             row{"sliding window", sliding_window{5, 1'000'000, 6}, 5, doubles({5, 1'000'000, 6})},
             row{"sliding counter", sliding_counter{5, 2'000'000, 1'000}, 6, doubles({5, 2'000'000, 1'000})},
             row{"sliding log", sliding_log{5, 2'000'000}, 7, doubles({5, 2'000'000})},
             row{"periodic bucket", periodic_bucket{5, 2, 3'000'000}, 8, doubles({5, 2, 3'000'000})},
             row{"concurrency", concurrency{5}, 9, doubles({5, 77, 3, 5'000'000})},
         }) {
        CAPTURE(row.name);
        policy limit;
        limit.quota.algorithm = row.numbers;
        auto one = asking(limit, "k", 2);
        holding const by{.holder = 77, .held = 3};
        auto const frame_of = [&] {
            std::string frame;
            append_acquire(frame, calling::by_digest,
                           {.asked = {&one, 1}, .now = base::at_epoch_us(2500), .holdings = {&by, 1}});
            return frame;
        };
        auto const head = "*5\r\n" + bulk("EVALSHA") + bulk(std::string(scripts::acquire.sha1)) + bulk("1") + bulk("k");
        CHECK(frame_of() == head + bulk(static_cast<char>(row.kind) + doubles({2}) + row.parameters));
        one.times = 9;
        limit.enforce = enforcement::shadow;
        CHECK(frame_of() == head + bulk(static_cast<char>(row.kind + 64 + 128) + doubles({2}) + row.parameters + doubles({9})));
    }
}

TEST_CASE("packed limits of one caller are one key and one argument that says where each stands")
{
    policy whole;
    whole.quota.algorithm = token_bucket{.capacity = 10, .interval_us = 100'000};
    whole.packed_id = 0x01020304;
    policy rational;
    rational.quota.algorithm = token_bucket{.capacity = 7, .interval_us = 333'333, .interval_num = 1, .interval_den = 3};
    rational.enforce = enforcement::shadow;
    rational.packed_id = 5;
    policy window;
    window.quota.algorithm = fixed_window{.limit = 5, .window_us = 10'000'000};
    auto const of_caller = [](policy const& limit, std::string const& identity, std::int64_t cost) {
        auto one = asking(limit, identity + ":name:tb", cost);
        one.identity_end = static_cast<std::uint8_t>(identity.size());
        return one;
    };
    claim asked[] = {of_caller(whole, "rl:{a}", 1), asking(window, "w", 0), of_caller(rational, "rl:{a}", 2),
                     of_caller(whole, "rl:{b}", 3)};
    auto const kind = std::string(1, '\n');
    auto const id = std::string("\4\3\2\1", 4);
    auto const first = doubles({1, 10, 100'000}) + std::string("\0\1", 2) + id + doubles({2, 7, 333'333}) +
                       std::string("\x81\3\5\0\0\0", 6) + doubles({1, 3});
    std::string frame;
    append_acquire(frame, calling::by_digest, {.asked = asked, .now = {}});
    CHECK(frame == "*9\r\n" + bulk("EVALSHA") + bulk(std::string(scripts::acquire.sha1)) + bulk("3") + bulk("rl:{a}:tb") +
                       bulk("w") + bulk("rl:{b}:tb") + bulk(kind + first) + bulk('\2' + doubles({0, 5, 10'000'000})) +
                       bulk(kind + doubles({3, 10, 100'000}) + std::string("\0\4", 2) + id));

    asked[0].times = 9;
    frame.clear();
    append_acquire(frame, calling::by_digest, {.asked = {asked, 1}, .now = {}});
    CHECK(frame.ends_with(
        bulk(static_cast<char>(10 + 64) + doubles({1, 10, 100'000}) + std::string("\0\1", 2) + id + doubles({9}))));

    charge const taken{.cost = 2, .at = base::at_epoch_us(1000), .reset_after = base::micros{70}};
    CHECK(counter_key(asked[2]).view() == "rl:{a}:tb");
    CHECK(pack_refund(asked[2], taken) == static_cast<char>(128 + 11) + doubles({2, 1000, 70, 7, 333'333, 1, 3, 5}));
    CHECK(counter_key(asked[1]).view() == "w");
}

TEST_CASE("a concurrency limit without a holding is asked for by nobody in particular")
{
    policy limit;
    limit.quota.algorithm = concurrency{5};
    auto const one = asking(limit, "k", 0);
    std::string frame;
    append_acquire(frame, calling::by_digest, {.asked = {&one, 1}, .now = {}});
    CHECK(frame.ends_with(bulk('\t' + doubles({0, 5, 0, 0, 5'000'000}))));
}

TEST_CASE("a refund is the charge, then the parameters that it was charged by")
{
    policy limit;
    limit.quota.algorithm = sliding_log{5, 2'000'000};
    auto const arguments =
        pack_refund(asking(limit, "k", 1), {.cost = 3, .at = base::at_epoch_us(1000), .reset_after = base::micros{70}});
    CHECK(arguments == '\7' + doubles({3, 1000, 70, 5, 2'000'000}));

    std::string frame;
    auto const now = base::at_epoch_us(1'700'000'000'123'456);
    append_script(frame, calling::by_digest, {&scripts::refund, "key", arguments, &now});
    CHECK(frame == "*6\r\n" + bulk("EVALSHA") + bulk(std::string(scripts::refund.sha1)) + bulk("1") + bulk("key") +
                       bulk(arguments) + bulk("1700000000123456"));
}

TEST_CASE("the greeting's commands")
{
    std::string frame;
    append_auth(frame, "", "secret");
    append_auth(frame, "gate", "se cret");
    append_select(frame, 12);
    append_ping(frame);
    CHECK(frame == "*2\r\n" + bulk("AUTH") + bulk("secret") + "*3\r\n" + bulk("AUTH") + bulk("gate") + bulk("se cret") +
                       "*2\r\n" + bulk("SELECT") + bulk("12") + "*1\r\n" + bulk("PING"));
}

TEST_CASE("a verdict is read from the packed reply")
{
    auto const bytes = words({1'700'000'000'123'456, 0, 1, 9, 100, 0, 0, 0, 5'000, -1});
    auto const read = decode_verdict({reply::type::bulk, bytes, bytes.size()}, 2);
    REQUIRE(read.has_value());
    CHECK(base::since_epoch_us(read->now) == 1'700'000'000'123'456);
    CHECK_FALSE(read->allowed);
    CHECK(read->granted == 0);
    REQUIRE(read->decisions.size() == 2);
    CHECK(read->decisions[0] == decision{.allowed = true, .remaining = 9, .reset_after = base::micros{100}, .retry_after = {}});
    CHECK(read->decisions[1] ==
          decision{.allowed = false, .remaining = 0, .reset_after = base::micros{5'000}, .retry_after = never});
}

TEST_CASE("the reply to several requests alike says to how many it was granted")
{
    auto const bytes = words({1'700'000'000'123'456, 7, 1, 9, 100, 0});
    auto const read = decode_verdict({reply::type::bulk, bytes, bytes.size()}, 1);
    REQUIRE(read.has_value());
    CHECK(read->allowed);
    CHECK(read->granted == 7);
    CHECK(read->decisions[0].allowed);
}

TEST_CASE("a reply of another length or type is no verdict")
{
    auto const bytes = words({1, 1, 1, 9, 100, 0});
    for (auto const claims : {std::size_t{0}, std::size_t{2}, max_claims + 1}) {
        auto const read = decode_verdict({reply::type::bulk, bytes, bytes.size()}, claims);
        CHECK(read.error() == errc::protocol);
    }
    CHECK(decode_verdict({reply::type::status, "OK", 2}, 1).error() == errc::protocol);
    CHECK(decode_verdict({reply::type::error, "OOM command", 11}, 1).error() == errc::out_of_memory);
    CHECK(decode_verdict({reply::type::other, "", 0}, 1).error() == errc::protocol);
}

TEST_CASE("the embedded scripts have no comment left, and fit the frame of a call by text")
{
    for (auto const* script : {&scripts::acquire, &scripts::refund}) {
        CHECK(script->sha1.size() == 40);
        CHECK(script->text.find("--") == std::string_view::npos);
        CHECK(script->text.find("KEYS") != std::string_view::npos);
        CHECK(script->text.size() < 32768);
    }
}

} // namespace penstock::limiter::redis
