#include "proxy/stream.hpp"

#include "tests/unit/proxy/socket_bench.hpp"

#include <boost/asio/error.hpp>
#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <string>

using namespace penstock;
using namespace penstock::proxy;
namespace asio = boost::asio;

namespace {

constexpr base::micros second{1'000'000};

// What a coroutine that reads, or writes, came to.
struct outcome {
    bool over = false;
    base::error_code error;
    std::string text;
};

asio::awaitable<void> read_once(stream* from, base::micros timeout, outcome* result)
{
    std::array<char, 100> block;
    auto const n = co_await from->read_some(block, timeout);
    result->over = true;
    if (n)
        result->text.assign(block.data(), *n);
    else
        result->error = n.error();
}

asio::awaitable<void> wait_once(stream* from, base::micros timeout, outcome* result)
{
    if (from->begin_read_wait(timeout, result->error)) co_await from->read_wait(result->error);
    result->over = true;
}

asio::awaitable<void> write_everything(stream* to, std::string_view text, base::micros timeout, outcome* result)
{
    gather out;
    out.add(text);
    result->error = co_await to->write_all(out, timeout);
    result->over = true;
}

asio::awaitable<void> read_and_destroy(std::unique_ptr<stream>* from, outcome* result)
{
    result->error = co_await (*from)->readable(second);
    from->reset();
    result->over = true;
}

class listener final : public closure_listener {
public:
    void on_peer_closed() override { ++times; }
    int times = 0;
};

} // namespace

TEST_CASE("pieces are consumed in order, wherever a write stops")
{
    gather out;
    CHECK(out.done());
    out.add("abc");
    out.add("");
    out.add("de");
    CHECK(out.pieces().size() == 2);
    out.consume(2);
    CHECK(out.pieces().size() == 2);
    CHECK(out.pieces().front().size() == 1);
    out.consume(2);
    CHECK(out.pieces().size() == 1);
    CHECK(*static_cast<char const*>(out.pieces().front().data()) == 'e');
    CHECK(!out.done());
    out.consume(1);
    CHECK(out.done());
}

TEST_CASE("a reader is resumed when bytes arrive, and finds what was there before it waited")
{
    socket_bench on;
    auto link = on.connect();
    outcome first;
    on.start_task(read_once(link.ours.get(), second, &first));
    CHECK(!first.over);
    send_text(link.theirs, "hello");
    on.settle();
    CHECK(first.over);
    CHECK(first.text == "hello");

    send_text(link.theirs, "again");
    on.settle();
    outcome second_read;
    on.start_task(read_once(link.ours.get(), second, &second_read));
    CHECK(second_read.text == "again");
}

TEST_CASE("the end of the stream comes behind its bytes")
{
    socket_bench on;
    auto link = on.connect();
    send_text(link.theirs, "last");
    link.theirs.close();
    outcome bytes;
    outcome end;
    on.start_task(read_once(link.ours.get(), second, &bytes));
    on.start_task(read_once(link.ours.get(), second, &end));
    CHECK(bytes.text == "last");
    CHECK(end.over);
    CHECK(!end.error);
    CHECK(end.text.empty());
}

TEST_CASE("a wait ends with timed_out at its deadline and not before; the stream can be used again")
{
    socket_bench on;
    auto link = on.connect();
    outcome late;
    on.start_task(wait_once(link.ours.get(), second, &late));
    on.pass(second - deadline_wheel::tick);
    CHECK(!late.over);
    on.pass(3 * deadline_wheel::tick);
    CHECK(late.over);
    CHECK(late.error == asio::error::timed_out);

    outcome next;
    on.start_task(read_once(link.ours.get(), second, &next));
    send_text(link.theirs, "x");
    on.settle();
    CHECK(next.text == "x");
    on.pass(5 * second); // the deadline of a wait that is over has no effect
    CHECK(link.ours->is_quiet());
}

TEST_CASE("cancelling ends a reader's wait, and every later one until reading is allowed again")
{
    socket_bench on;
    auto link = on.connect();
    outcome waiting;
    outcome later;
    on.start_task(read_once(link.ours.get(), second, &waiting));
    link.ours->cancel_reading();
    on.settle();
    CHECK(waiting.error == asio::error::operation_aborted);
    send_text(link.theirs, "x");
    on.settle();
    on.start_task(read_once(link.ours.get(), second, &later));
    CHECK(later.error == asio::error::operation_aborted);

    outcome allowed;
    link.ours->allow_reading();
    on.start_task(read_once(link.ours.get(), second, &allowed));
    CHECK(allowed.text == "x");
}

TEST_CASE("a writer waits while the peer does not read, and everything arrives in order")
{
    socket_bench on;
    auto link = on.connect();
    std::string text(4 * 1024 * 1024, 'x');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 26);
    outcome written;
    on.start_task(write_everything(link.ours.get(), text, second, &written));
    CHECK(!written.over);
    std::string received;
    for (int round = 0; round < 10'000 && !written.over; ++round) {
        received += take_text(link.theirs);
        on.settle();
    }
    received += take_text(link.theirs);
    CHECK(written.over);
    CHECK(!written.error);
    CHECK(received == text);
}

TEST_CASE("a writer whose peer never reads times out; one whose peer has gone fails without a signal")
{
    socket_bench on;
    auto link = on.connect();
    std::string const text(4 * 1024 * 1024, 'x');
    outcome stalled;
    on.start_task(write_everything(link.ours.get(), text, second, &stalled));
    on.pass(second + 2 * deadline_wheel::tick);
    CHECK(stalled.error == asio::error::timed_out);
    link.theirs.close();
    outcome broken;
    on.start_task(write_everything(link.ours.get(), text, second, &broken));
    CHECK(broken.over);
    CHECK(broken.error);
}

TEST_CASE("a reader and a writer wait at the same time and do not disturb each other")
{
    socket_bench on;
    auto link = on.connect();
    std::string const text(4 * 1024 * 1024, 'x');
    outcome written;
    outcome read;
    on.start_task(write_everything(link.ours.get(), text, 60 * second, &written));
    on.start_task(read_once(link.ours.get(), 60 * second, &read));
    CHECK(!written.over);
    CHECK(!read.over);
    send_text(link.theirs, "hi");
    take_text(link.theirs);
    on.settle(); // both directions are ready in one event
    CHECK(read.text == "hi");
    for (int round = 0; round < 10'000 && !written.over; ++round) {
        take_text(link.theirs);
        on.settle();
    }
    CHECK(!written.error);
    CHECK(written.over);
}

TEST_CASE("H1-58: an idle connection is quiet until its peer sends or closes")
{
    for (bool const closes : {false, true}) {
        CAPTURE(closes);
        socket_bench on;
        auto link = on.connect();
        on.settle();
        CHECK(link.ours->is_quiet());
        if (closes)
            link.theirs.close();
        else
            send_text(link.theirs, "HTTP/1.1 200 OK\r\n");
        on.settle();
        CHECK(!link.ours->is_quiet());
    }
}

TEST_CASE("whoever listens for closure hears of it once, and not after it has stopped listening")
{
    socket_bench on;
    auto heard = on.connect();
    auto unheard = on.connect();
    listener hears;
    listener gone;
    heard.ours->listen_for_closure(&hears);
    unheard.ours->listen_for_closure(&gone);
    send_text(heard.theirs, "bytes are no closure");
    on.settle();
    CHECK(hears.times == 0);
    unheard.ours->listen_for_closure(nullptr);
    heard.theirs.close();
    unheard.theirs.close();
    on.settle();
    CHECK(hears.times >= 1);
    CHECK(gone.times == 0);
}

TEST_CASE("a half-closed peer can still be written to")
{
    socket_bench on;
    auto link = on.connect();
    REQUIRE(::shutdown(link.theirs.get(), SHUT_WR) == 0);
    on.settle();
    outcome end;
    outcome written;
    on.start_task(read_once(link.ours.get(), second, &end));
    on.start_task(write_everything(link.ours.get(), "answer", second, &written));
    CHECK(end.over);
    CHECK(end.text.empty());
    CHECK(take_text(link.theirs) == "answer");
    link.ours->shutdown_write();
    char byte = 0;
    CHECK(::recv(link.theirs.get(), &byte, 1, 0) == 0);
}

TEST_CASE("A10: stopping the poller ends every wait, now and from then on")
{
    socket_bench on;
    auto link = on.connect();
    auto other = on.connect();
    outcome first;
    outcome second_wait;
    on.start_task(wait_once(link.ours.get(), second, &first));
    on.start_task(wait_once(other.ours.get(), second, &second_wait));
    on.events.stop();
    on.settle();
    CHECK(on.events.is_stopped());
    CHECK(first.error == asio::error::operation_aborted);
    CHECK(second_wait.error == asio::error::operation_aborted);
    outcome later;
    on.start_task(wait_once(link.ours.get(), second, &later));
    CHECK(later.error == asio::error::operation_aborted);
}

TEST_CASE("whoever is resumed may destroy its own stream; streams ready in the same moment are served")
{
    socket_bench on;
    auto first = on.connect();
    auto next = on.connect();
    outcome destroyed;
    outcome served;
    on.start_task(read_and_destroy(&first.ours, &destroyed));
    on.start_task(read_once(next.ours.get(), second, &served));
    send_text(first.theirs, "x");
    send_text(next.theirs, "y");
    on.settle();
    CHECK(destroyed.over);
    CHECK(first.ours == nullptr);
    CHECK(served.text == "y");
}

TEST_CASE("a coroutine that still waits when its stream goes is destroyed with it")
{
    socket_bench on;
    auto link = on.connect();
    outcome waiting;
    on.start_task(wait_once(link.ours.get(), second, &waiting));
    link.ours.reset();
    on.pass(2 * second);
    CHECK(!waiting.over);
}
