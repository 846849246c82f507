"""Queues of limits: who waits, in which order, how long, and what a wait in vain costs (design.md section 3)."""

import json
import pathlib
import signal
import threading
import time

from support.fake_upstream import reply
from support.gateway_case import GatewayCase
from support.http_client import ask, request
from support.waiting import SLACK, SLOWNESS, wait_until

ROUTES = "routes: [{match: {path: /**}, upstream: app, limits: [LIMITS]}]\n"


def limits(*texts):
    """The configuration of these limits, all on the one route."""
    names = ", ".join(text.split(":", 1)[0] for text in texts)
    return "limits:\n" + "".join(f"  {text}\n" for text in texts) + ROUTES.replace("LIMITS", names)


def held(limit=1, queue=2, order="oldest_first", timeout="10s", more=""):
    """A limit on requests in flight, with a queue."""
    return (f"database: {{key: everyone, concurrency: {{limit: {limit}}}, "
            f"queue: {{limit: {queue}, order: {order}, timeout: {timeout}}}{more}}}")


class QueueCase(GatewayCase):
    """An upstream that answers a request when the test says so."""

    def start(self, text, **more):
        self.go, self.lock = {}, threading.Lock()
        self.app = self.upstream(self.answer_when_told)
        self.gate = self.gateway(self.app, text, **more)
        return self.gate

    def event(self, target):
        with self.lock:
            return self.go.setdefault(target, threading.Event())

    def answer_when_told(self, exchange):
        exchange.read_body()
        exchange.wait_for(self.event(exchange.request.target))
        exchange.send(reply(body=b"done"))

    def release(self, target):
        self.event(target).set()

    def begin(self, target, method="GET", body=None, fields=()):
        """Sends a request on a connection of its own, whose answer is read later."""
        client = self.connect(self.gate)
        client.send(request(method, target, fields, body))
        return client

    def arrived(self):
        return [each.target for each in list(self.app.requests)]

    def wait_for_arrivals(self, count):
        wait_until(lambda: self.app.count() >= count, what=f"{count} requests at the upstream")

    def waiting(self, limit="database"):
        return self.metrics(self.gate).value("penstock_queue_waiting", limit=limit)

    def wait_for_waiting(self, count, limit="database"):
        wait_until(lambda: self.waiting(limit) == count, what=f"{count} requests waiting")

    def hold(self, target="/first"):
        """A request that has the only permit."""
        before = self.app.count()
        client = self.begin(target)
        self.wait_for_arrivals(before + 1)
        return client

    def queue_up(self, target, **more):
        before = self.waiting()
        client = self.begin(target, **more)
        self.wait_for_waiting(before + 1)
        return client

    def finish(self, target, client):
        self.release(target)
        response = client.read_response()
        self.assertEqual((response.status, response.body), (200, b"done"), target)
        return response


class Order(QueueCase):
    def serve_three(self, order):
        self.start(limits(held(queue=3, order=order)))
        clients = {"/first": self.hold()}
        for target in ("/a", "/b", "/c"):
            clients[target] = self.queue_up(target)
        self.assertEqual(self.arrived(), ["/first"])
        for count in range(2, 6):
            target = self.arrived()[-1]
            self.finish(target, clients[target])
            if count < 5:
                self.wait_for_arrivals(count)
        self.wait_for_waiting(0)
        return self.arrived()

    def test_oldest_first(self):
        self.assertEqual(self.serve_three("oldest_first"), ["/first", "/a", "/b", "/c"])

    def test_newest_first(self):
        self.assertEqual(self.serve_three("newest_first"), ["/first", "/c", "/b", "/a"])

    def test_one_permit_after_the_other_and_never_two_at_once(self):
        most = [0, 0]

        def answer(exchange):
            with self.lock:
                most[0] += 1
                most[1] = max(most)
            threading.Event().wait(0.002)  # the work that others wait for
            with self.lock:  # before the answer: its last byte may give the permit to the next before we go on
                most[0] -= 1
            exchange.send(reply(body=b"done"))
        self.lock = threading.Lock()
        self.app = self.upstream(answer)
        self.gate = self.gateway(self.app, limits(held(limit=2, queue=100)))
        statuses = self.together(24, lambda number: [ask(self.gate.address).status for _ in range(10)])
        self.assertEqual({status for each in statuses for status in each}, {200})
        self.assertLessEqual(most[1], 2)
        self.assertEqual(self.waiting(), 0)


class Bounds(QueueCase):
    def test_who_finds_the_queue_full_is_refused_at_once(self):
        self.start(limits(held(queue=2)))
        first, a, b = self.hold(), self.queue_up("/a"), self.queue_up("/b")
        begin = time.monotonic()
        refused = ask(self.gate.address, target="/c")
        self.assertLess(time.monotonic() - begin, SLACK)
        self.assertEqual(refused.status, 429)
        self.assertEqual(refused["Retry-After"], "1")
        self.assertIn("database", refused["RateLimit"])
        self.assertEqual(self.metrics(self.gate).value("penstock_queue_full_total", limit="database"), 1)
        self.finish("/first", first)
        self.finish("/a", a)
        self.finish("/b", b)
        self.assertEqual(self.arrived(), ["/first", "/a", "/b"])

    def test_newest_first_refuses_the_oldest_of_a_full_queue(self):
        self.start(limits(held(queue=2, order="newest_first")))
        first, a, b = self.hold(), self.queue_up("/a"), self.queue_up("/b")
        c = self.begin("/c")
        self.assertEqual(a.read_response().status, 429)
        self.wait_for_waiting(2)
        self.finish("/first", first)
        self.finish("/c", c)
        self.finish("/b", b)
        self.assertEqual(self.arrived(), ["/first", "/c", "/b"])

    def test_the_bound_is_in_permits(self):
        self.start(limits(held(limit=4, queue=5, more=", cost: 3")))
        first, a = self.hold(), self.queue_up("/a")
        self.assertEqual(ask(self.gate.address, target="/b").status, 429)
        self.finish("/first", first)
        self.finish("/a", a)

    def test_all_queues_together_have_a_bound(self):
        self.start("memory: {max_waiters: 1}\nclient: {source: x-forwarded-for, trusted_proxies: [127.0.0.0/8]}\n" +
                   limits("database: {key: client.ip, concurrency: {limit: 1}, queue: {limit: 5, timeout: 10s}}"))
        def of(number):
            return {"fields": [("X-Forwarded-For", f"10.1.1.{number}")]}
        clients = {"/one": self.begin("/one", **of(1)), "/two": self.begin("/two", **of(2))}
        self.wait_for_arrivals(2)
        clients["/three"] = self.queue_up("/three", **of(1))
        self.assertEqual(ask(self.gate.address, target="/four", **of(2)).status, 429)
        self.assertEqual(self.metrics(self.gate).value("penstock_queue_full_total", limit="database"), 1)
        for target in ("/one", "/two", "/three"):
            self.finish(target, clients[target])

    def test_a_thousand_waiters_in_bounded_memory(self):
        self.start(limits(held(queue=1000, timeout="60s")))
        first = self.hold()
        before = self.gate.resident_bytes()
        for _ in range(1000):
            self.begin("/next")
        self.wait_for_waiting(1000)
        self.assertEqual(ask(self.gate.address).status, 429)
        if SLOWNESS == 1:  # a sanitizer keeps what is freed, and shadows
            self.assertLess((self.gate.resident_bytes() - before) / 1000, 64 * 1024)
        self.release("/next")
        self.finish("/first", first)
        self.wait_for_arrivals(1001)
        self.wait_for_waiting(0)


class Deadline(QueueCase):
    def test_a_wait_that_takes_too_long_ends_with_the_limit_s_refusal(self):
        self.start("access_log: on\n" + limits(held(timeout="300ms")))
        first = self.hold()
        begin = time.monotonic()
        refused = ask(self.gate.address, target="/late")
        took = time.monotonic() - begin
        self.assertEqual(refused.status, 429)
        self.assertIn("quota-exceeded", refused.body.decode())
        self.assertEqual(refused["Retry-After"], "1")
        self.assertGreaterEqual(took, 0.3)
        self.assertLess(took, 0.3 + SLACK)
        self.finish("/first", first)
        self.assertEqual(self.arrived(), ["/first"])
        line = self.logged("/late")
        self.assertGreaterEqual(line["penstock.queued_ms"], 295)
        self.assertEqual(line["penstock.decision"], "refused")
        metrics = self.metrics(self.gate)
        self.assertEqual(metrics.value("penstock_queue_wait_seconds_count", limit="database"), 1)
        self.assertGreaterEqual(metrics.value("penstock_queue_wait_seconds_sum", limit="database"), 0.295)
        self.assertEqual(metrics.value("penstock_decisions_total", limit="database", decision="refused"), 1)

    def test_who_came_behind_others_gets_the_same_refusal(self):
        self.start(limits(held(timeout="300ms")))
        first = self.hold()
        a, b = self.queue_up("/a"), self.queue_up("/b")
        refusals = [client.read_response() for client in (a, b)]
        self.assertEqual([each.status for each in refusals], [429, 429])
        self.assertEqual(refusals[0]["RateLimit"], refusals[1]["RateLimit"])
        self.finish("/first", first)

    def test_a_wait_that_cannot_end_in_time_is_refused_at_once(self):
        self.start(limits("slow: {key: everyone, fixed_window: {limit: 1, window: 1h}, queue: {limit: 9, timeout: 5s}}"))
        self.release("/")
        self.assertEqual(ask(self.gate.address).status, 200)
        begin = time.monotonic()
        self.assertEqual(ask(self.gate.address).status, 429)
        self.assertLess(time.monotonic() - begin, SLACK)

    def logged(self, target):
        def lines():
            return [json.loads(line) for line in self.gate.stdout.splitlines() if f'"{target}"' in line]
        return wait_until(lines, what="the access log")[0]


class Leaving(QueueCase):
    def test_a_client_that_leaves_frees_its_place_at_once(self):
        self.start("access_log: on\n" + limits(held(queue=1)))
        first, gone = self.hold(), self.queue_up("/gone")
        self.assertEqual(ask(self.gate.address, target="/full").status, 429)
        gone.close()
        self.wait_for_waiting(0)
        stays = self.queue_up("/stays")
        self.finish("/first", first)
        self.finish("/stays", stays)
        self.assertEqual(self.arrived(), ["/first", "/stays"])
        wait_until(lambda: '"http.response.status_code":499' in self.gate.stdout, what="499 in the access log")

    def test_a_client_that_resets_leaves_too(self):
        self.start(limits(held(queue=3)))
        first = self.hold()
        gone = self.queue_up("/gone", method="POST", body=b"x" * 100)
        last = self.queue_up("/last")
        gone.reset()
        self.wait_for_waiting(1)
        self.finish("/first", first)
        self.finish("/last", last)
        self.assertEqual(self.arrived(), ["/first", "/last"])

    def test_an_abandoned_or_refused_waiter_is_charged_nothing(self):
        bucket = "bucket: {key: everyone, token_bucket: {capacity: 4, refill: 1/1h}}"
        self.start("workers: 1\n" + limits(bucket, held(queue=1, timeout="300ms")))
        first, gone = self.hold(), self.queue_up("/gone")
        self.assertEqual(ask(self.gate.address, target="/full").status, 429)
        gone.close()
        self.wait_for_waiting(0)
        self.assertEqual(ask(self.gate.address, target="/late").status, 429)
        self.finish("/first", first)
        self.release("/count")
        statuses = [ask(self.gate.address, target="/count").status for _ in range(4)]
        self.assertEqual(statuses, [200, 200, 200, 429])


class Rates(QueueCase):
    def arrivals(self):
        return [each.arrived for each in list(self.app.requests)]

    def test_a_wait_for_a_rate_ends_when_it_may_begin(self):
        self.start(limits("rate: {key: everyone, token_bucket: {capacity: 1, refill: 5/1s}, "
                          "queue: {limit: 10, timeout: 10s}}"))
        self.release("/")
        statuses = self.together(6, lambda number: ask(self.gate.address).status)
        self.assertEqual(statuses, [200] * 6)
        came = self.arrivals()
        for nth in range(1, 6):
            # the first one was charged before it arrived here
            self.assertGreaterEqual(came[nth] - came[0], nth * 0.2 - 0.02)
            self.assertLess(came[nth] - came[0], nth * 0.2 + SLACK)

    def test_a_window_s_waiters_begin_with_the_next_window(self):
        self.start(limits("rate: {key: everyone, fixed_window: {limit: 2, window: 500ms}, "
                          "queue: {limit: 10, timeout: 10s}}"))
        self.release("/")
        self.assertEqual(self.together(6, lambda number: ask(self.gate.address).status), [200] * 6)
        came = self.arrivals()
        for nth in range(6):
            self.assertGreaterEqual(came[nth] - came[0], nth // 2 * 0.5 - 0.02)

    def test_a_limit_without_a_queue_refuses_whoever_waits_for_another(self):
        self.start(limits("strict: {key: everyone, fixed_window: {limit: 2, window: 1h}}", held(queue=5)))
        first, a, b = self.hold(), self.queue_up("/a"), self.queue_up("/b")
        self.finish("/first", first)
        self.finish("/a", a)
        self.assertEqual(b.read_response().status, 429)

    def test_both_limits_have_a_queue(self):
        self.start(limits("rate: {key: everyone, token_bucket: {capacity: 1, refill: 4/1s}, "
                          "queue: {limit: 9, timeout: 10s}}", held(limit=1, queue=9)))
        for target in ("/0", "/1", "/2", "/3"):
            self.release(target)
        statuses = self.together(4, lambda number: ask(self.gate.address, target=f"/{number}").status)
        self.assertEqual(statuses, [200] * 4)
        came = self.arrivals()
        for nth in range(1, 4):
            self.assertGreaterEqual(came[nth] - came[0], nth * 0.25 - 0.02)
        self.assertEqual(self.waiting("rate") + self.waiting("database"), 0)


class Fleet(QueueCase):
    """Two gateways that count in one Redis, each with waiters of its own."""

    def test_waiters_of_two_gateways_begin_no_earlier_than_the_fleet_s_rate(self):
        redis = self.redis()
        text = (f"workers: 1\nredis: {{url: {redis.url}, check_timeout: 2s}}\n" +
                limits("rate: {key: everyone, token_bucket: {capacity: 1, refill: 8/1s}, "
                       "queue: {limit: 20, timeout: 10s}}"))
        self.start(text)
        gates = [self.gate, self.gateway(self.app, text)]
        self.wait_for_connections(redis, 2)
        self.release("/")
        statuses = self.together(12, lambda number: ask(gates[number % 2].address).status)
        self.assertEqual(statuses, [200] * 12)
        came = sorted(each.arrived for each in list(self.app.requests))
        for nth in range(1, 12):
            self.assertGreaterEqual(came[nth] - came[0], nth * 0.125 - 0.02)


class Ends(QueueCase):
    def test_op_43_a_drain_lets_waiters_finish(self):
        self.start(limits(held(queue=5)))
        first, a = self.hold(), self.queue_up("/a")
        self.gate.signal(signal.SIGTERM)
        wait_until(lambda: ask(self.gate.admin, target="/readyz").status == 503, what="readyz 503")
        self.finish("/first", first)
        self.finish("/a", a)
        self.assertEqual(self.gate.wait_for_end(), 0)

    def test_op_43_a_drain_that_has_taken_its_time_ends_waiters(self):
        self.start("timeouts: {drain: 300ms}\n" + limits(held(queue=5, timeout="60s")))
        self.hold()
        self.queue_up("/a")
        begin = time.monotonic()
        self.gate.signal(signal.SIGTERM)
        self.gate.wait_for_end()
        self.assertLess(time.monotonic() - begin, 0.3 + 2 + SLACK)
        self.gate.expected_statuses = (1, )
        self.assertEqual(self.arrived(), ["/first"])

    def test_a_reload_leaves_waiters_where_they_are(self):
        self.start(limits(held(queue=2)))
        first, a = self.hold(), self.queue_up("/a")
        before = pathlib.Path(self.gate.path).read_text(encoding="utf-8")
        self.gate.write_configuration(before.replace("queue: {limit: 2", "queue: {limit: 1"))
        self.gate.signal(signal.SIGHUP)
        wait_until(lambda: "was reloaded" in self.gate.stderr, what="the reload")
        wait_until(lambda: ask(self.gate.address, target="/b").status == 429, what="the new bound")
        self.finish("/first", first)
        self.finish("/a", a)
        self.assertEqual(self.arrived(), ["/first", "/a"])

    def test_waiters_of_a_limit_that_a_reload_removes_are_served(self):
        self.start(limits(held(queue=2)))
        first, a = self.hold(), self.queue_up("/a")
        before = pathlib.Path(self.gate.path).read_text(encoding="utf-8")
        self.gate.write_configuration(before.replace("limits: [database]", "limits: none"))
        self.gate.signal(signal.SIGHUP)
        wait_until(lambda: "was reloaded" in self.gate.stderr, what="the reload")
        self.finish("/first", first)
        self.finish("/a", a)
