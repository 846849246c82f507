#include "limiter/redis/pipeline.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>

namespace penstock::limiter::redis {
namespace {

using step = pipeline::step;
using namespace std::chrono_literals;

constexpr auto start = base::at_epoch_us(1'000'000'000);
constexpr reply no_script{reply::type::error, "NOSCRIPT No matching script. Please use EVAL.", 45};
constexpr reply failure{reply::type::error, "OOM command not allowed", 23};

class someone final : public waiter {
public:
    someone() noexcept : waiter(got) {}
    void wake(resumption) override {}
    base::result<verdict> got{errc::protocol};
};

struct fixture {
    pipeline pending{4};
    policy limit;
    std::deque<someone> people;
    std::deque<claim> claims;

    someone& ask(base::instant deadline)
    {
        auto& who = people.emplace_back();
        auto& asked = claims.emplace_back();
        asked.policy = &limit;
        pending.push({.asked = {&asked, 1}, .deadline = deadline, .who = &who});
        return who;
    }
    background_call const& call(script const& what)
    {
        auto made = std::make_unique<background_call>(background_call{&what, "key", "arguments", {}});
        auto const& kept = *made;
        pending.push({.deadline = start, .call = std::move(made)});
        return kept;
    }
    // The oldest meets an unknown script; how it is sent once more.
    calling send_again()
    {
        auto met = pending.take(no_script);
        REQUIRE(met.what == step::send_again);
        auto const how = met.item.how;
        pending.push(std::move(met.item));
        return how;
    }
};

constexpr script other_script{"return 1", "digest"};

} // namespace

TEST_CASE_FIXTURE(fixture, "answers go to those who asked, in order")
{
    auto& first = ask(start);
    auto& second = ask(start);
    std::string const bytes(48, '\1');
    auto const one = pending.take({reply::type::bulk, bytes, 48});
    CHECK(one.what == step::answered);
    CHECK(one.item.who == &first);
    CHECK(first.got.has_value());
    auto const two = pending.take(failure);
    CHECK(two.item.who == &second);
    CHECK(second.got.error() == errc::out_of_memory);
    CHECK(pending.empty());
}

TEST_CASE_FIXTURE(fixture, "a reply that nobody asked for is out of step")
{
    CHECK(pending.take(failure).what == step::unasked);
}

TEST_CASE_FIXTURE(fixture, "who is given up keeps its place, and its late reply is thrown away")
{
    auto& first = ask(start + 1us);
    auto& second = ask(start + 5us);
    CHECK(pending.next_deadline() == start + 1us);
    CHECK(pending.expire(start).empty());
    auto const given_up = pending.expire(start + 1us);
    REQUIRE(given_up.size() == 1);
    CHECK(given_up[0] == &first);
    CHECK(first.got.error() == errc::timed_out);
    CHECK(pending.next_deadline() == start + 5us);
    CHECK(pending.oldest_deadline() == start + 1us);
    CHECK(pending.expire(start + 1us).empty());

    CHECK(pending.take(failure).what == step::late);
    CHECK(pending.take(failure).item.who == &second);
}

TEST_CASE_FIXTURE(fixture, "deadlines need not come in order")
{
    ask(start + 9us);
    auto& urgent = ask(start + 2us);
    CHECK(pending.next_deadline() == start + 2us);
    auto const given_up = pending.expire(start + 3us);
    REQUIRE(given_up.size() == 1);
    CHECK(given_up[0] == &urgent);
}

TEST_CASE_FIXTURE(fixture, "the bound counts those given up too")
{
    for (int i = 0; i < 4; ++i) {
        CHECK_FALSE(pending.full());
        ask(start);
    }
    CHECK(pending.full());
    pending.expire(start);
    CHECK(pending.full());
    pending.take(failure);
    CHECK_FALSE(pending.full());
}

TEST_CASE_FIXTURE(fixture, "another bound holds at once, and what is pending stays")
{
    for (int i = 0; i < 4; ++i) ask(start);
    pending.limit_to(5);
    CHECK_FALSE(pending.full());
    ask(start);
    CHECK(pending.full());
    pending.limit_to(1);
    CHECK(pending.full());
    CHECK(pending.size() == 5);
    for (int i = 0; i < 4; ++i) {
        pending.take(failure);
        CHECK(pending.full());
    }
    pending.take(failure);
    CHECK_FALSE(pending.full());
}

TEST_CASE_FIXTURE(fixture, "an unknown script is sent as text once, by whoever meets it first")
{
    auto& first = ask(start);
    auto& second = ask(start);
    CHECK(send_again() == calling::by_text);
    CHECK(send_again() == calling::by_digest);

    CHECK(pending.take(failure).item.who == &first);
    auto const again = pending.take(no_script);
    CHECK(again.what == step::answered);
    CHECK(again.item.who == &second);
    CHECK(second.got.error() == errc::script);
}

TEST_CASE_FIXTURE(fixture, "an unknown script after the text was answered needs the text again")
{
    ask(start);
    send_again();
    pending.take(failure);
    ask(start);
    CHECK(pending.take(no_script).item.how == calling::by_text);
}

TEST_CASE_FIXTURE(fixture, "who was given up is not sent again")
{
    ask(start);
    pending.expire(start);
    CHECK(pending.take(no_script).what == step::late);
    CHECK(pending.empty());
}

TEST_CASE_FIXTURE(fixture, "a lost connection fails all who wait, and only them")
{
    auto& first = ask(start);
    auto& second = ask(start + 5us);
    pending.expire(start);
    auto const failed = pending.fail_all(errc::not_connected);
    REQUIRE(failed.waiters.size() == 1);
    CHECK(failed.waiters[0] == &second);
    CHECK(failed.calls.empty());
    CHECK(first.got.error() == errc::timed_out);
    CHECK(second.got.error() == errc::not_connected);
    CHECK(pending.empty());
    CHECK_FALSE(pending.next_deadline().has_value());
    CHECK_FALSE(pending.oldest_deadline().has_value());
}

TEST_CASE_FIXTURE(fixture, "a background call takes its turn among the checks, and is never given up")
{
    auto& first = ask(start + 1us);
    auto const& call = this->call(other_script);
    auto& second = ask(start + 5us);
    CHECK(pending.next_deadline() == start + 1us);
    CHECK(pending.expire(start + 9us).size() == 2);
    CHECK(pending.take(failure).what == step::late);
    CHECK(pending.oldest_deadline() == start); // how long Redis has owed the answer to the call
    auto const told = pending.take(failure);
    CHECK(told.what == step::done);
    CHECK(told.item.call.get() == &call);
    CHECK(pending.take(failure).what == step::late);
    CHECK(first.got.error() == errc::timed_out);
    CHECK(second.got.error() == errc::timed_out);
}

TEST_CASE_FIXTURE(fixture, "each script that is unknown is sent as text, whatever else is loading")
{
    ask(start);
    call(other_script);
    call(other_script);
    ask(start);
    CHECK(send_again() == calling::by_text);
    CHECK(send_again() == calling::by_text);
    CHECK(send_again() == calling::by_digest);
    CHECK(send_again() == calling::by_digest);
    CHECK(pending.take(failure).what == step::answered);
    CHECK(pending.take(no_script).what == step::done); // once only
}

TEST_CASE_FIXTURE(fixture, "background calls leave room for the checks, and checks for them")
{
    for (int i = 0; i < 2; ++i) {
        CHECK_FALSE(pending.full_of_calls());
        call(other_script);
    }
    CHECK(pending.full_of_calls());
    for (int i = 0; i < 4; ++i) {
        CHECK_FALSE(pending.full());
        ask(start);
    }
    CHECK(pending.full());
    pending.take(failure);
    CHECK_FALSE(pending.full_of_calls());
    CHECK(pending.full());
}

TEST_CASE_FIXTURE(fixture, "a lost connection hands back its background calls")
{
    ask(start);
    auto const& call = this->call(other_script);
    auto const failed = pending.fail_all(errc::not_connected);
    CHECK(failed.waiters.size() == 1);
    REQUIRE(failed.calls.size() == 1);
    CHECK(failed.calls[0].get() == &call);
    CHECK(pending.empty());
    CHECK_FALSE(pending.full_of_calls());
}

TEST_CASE("more than fit at first are kept in order")
{
    pipeline pending(1000);
    policy limit;
    claim asked;
    asked.policy = &limit;
    std::deque<someone> people(300);
    for (auto& who : people) pending.push({.asked = {&asked, 1}, .deadline = start, .who = &who});
    for (auto& who : people) CHECK(pending.take(failure).item.who == &who);
}

} // namespace penstock::limiter::redis
