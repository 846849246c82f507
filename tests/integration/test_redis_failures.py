"""Redis slow, dead, lying or late: nobody waits longer than check_timeout, nothing is lost, service returns by itself."""

import json
import threading
import time

from support.fake_redis import FickleRedis, LateRedis, RudeRedis, SilentRedis, WordyRedis
from support.gateway_case import GatewayCase
from support.http_client import Connection, ask
from support.ports import free_port
from support.structured_fields import parse_list
from support.waiting import SLACK, wait_seconds, wait_until

CHECK = 0.1  # seconds: check_timeout of these tests
REDUCED = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"


def configuration(url, mode, limit=100_000, breaker="failures: 5, open_for: 200ms, open_for_max: 400ms"):
    return f"""
redis: {{url: "{url}", check_timeout: 100ms, breaker: {{{breaker}}}}}
limits: {{k: {{key: everyone, on_store_failure: {mode}, fixed_window: {{limit: {limit}, window: 1h}}}}}}
global_limits: [k]
"""


class Load:
    """Clients that ask until stopped; what each request came to and how long it took."""

    def __init__(self, gate, clients=4):
        self.results, self.problems = [], []
        self._stop = threading.Event()
        self._gate = gate
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        try:
            with Connection(self._gate.address) as client:
                while not self._stop.is_set():
                    begin = time.monotonic()
                    response = client.ask()
                    self.results.append((response, time.monotonic() - begin))
        except Exception as problem:  # a lost request; finish() tells
            self.problems.append(problem)

    def more(self, count=200):
        """Waits for further answers."""
        target = len(self.results) + count
        wait_until(lambda: len(self.results) >= target or self.problems, what=f"{count} more answers")

    def finish(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self.problems:
            raise AssertionError(f"a request was lost: {self.problems[0]!r}")
        return self.results


class Failures(GatewayCase):
    during = {"local": {200}, "allow": {200}, "deny": {503}}  # statuses while Redis cannot answer

    def start(self, url, mode, **more):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, configuration(url, mode, **more))

    def expect_prompt(self, results):
        self.assertLess(max(taken for _, taken in results), CHECK + SLACK)

    def survive(self, mode, breaks, mends):
        server = self.redis()
        self.start(server.url, mode)
        load = Load(self.gate)
        load.more()
        breaks(server)
        load.more()
        broken = len(load.results)
        load.more()
        seen = {response.status for response, _ in load.results[broken:]}
        mends(server)
        begun = server.calls().get("evalsha", 0)
        wait_until(lambda: server.calls().get("evalsha", 0) > begun + 20, what="the return to Redis")
        wait_until(lambda: {response.status for response, _ in load.results[-100:]} == {200}, what="service as before")
        results = load.finish()
        self.assertEqual(seen, self.during[mode])
        self.expect_prompt(results)
        self.assertEqual(sum(response.status == 200 for response, _ in results), self.app.count())

    def test_killed_and_restarted_under_load(self):
        for mode in self.during:
            with self.subTest(mode=mode):
                self.survive(mode, lambda server: server.kill(), lambda server: server.start())

    def test_stopped_and_continued_under_load(self):
        for mode in self.during:
            with self.subTest(mode=mode):
                self.survive(mode, lambda server: server.freeze(), lambda server: server.thaw())

    def test_start_without_redis(self):
        for mode in self.during:
            with self.subTest(mode=mode):
                server = self.redis()
                server.kill()
                self.start(server.url, mode)
                begin = time.monotonic()
                self.assertIn(ask(self.gate.address).status, self.during[mode])
                self.assertLess(time.monotonic() - begin, CHECK + SLACK)
                server.start()
                wait_until(lambda: ask(self.gate.address).status == 200 and server.keys(), what="the first count in Redis")

    def test_servers_that_do_not_answer_well(self):
        fakes = {"silent": SilentRedis, "closing": lambda: RudeRedis(b""), "rubbish": lambda: RudeRedis(b"\x16\x03?!\r\n\r\n"),
                 "other replies": lambda: RudeRedis(b"+OK\r\n"), "too many replies": lambda: RudeRedis(b"+OK\r\n+OK\r\n+OK\r\n")}
        for word in ("LOADING Redis is loading the dataset in memory", "READONLY You can't write against a read only replica.",
                     "OOM command not allowed when used memory > 'maxmemory'.", "BUSY Redis is busy running a script.",
                     "MASTERDOWN Link with MASTER is down", "ERR max number of clients reached", "NOAUTH Authentication required.",
                     "NOPERM this user has no permissions", "NOSCRIPT No matching script."):
            fakes[word] = lambda word=word: RudeRedis(f"-{word}\r\n".encode())
        for name, make in fakes.items():
            for mode in ("allow", "deny"):
                with self.subTest(redis=name, mode=mode):
                    fake = make()
                    self.addCleanup(fake.close)
                    self.start(fake.url, mode)
                    for _ in range(8):
                        begin = time.monotonic()
                        self.assertIn(ask(self.gate.address).status, self.during[mode])
                        self.assertLess(time.monotonic() - begin, CHECK + SLACK)

    def test_late_replies_are_not_taken_for_others(self):
        late = LateRedis(self.redis().address)
        self.addCleanup(late.close)
        self.start(late.url, "allow", limit=100, breaker="failures: 1000, open_for: 100ms")
        with Connection(self.gate.address) as client:
            wait_until(lambda: client.ask()["RateLimit"], what="a connection to Redis")
            before = self.remaining(client.ask())
            late.hold()
            for _ in range(5):
                self.assertIsNone(client.ask()["RateLimit"])
            late.release()
            wait_until(lambda: client.ask()["RateLimit"], what="the return to Redis")
            found = [self.remaining(client.ask()) for _ in range(5)]
        self.assertEqual(found, list(range(found[0], found[0] - 5, -1)))
        self.assertLess(found[0], before)

    def remaining(self, response):
        return parse_list(response["RateLimit"])[0][1]["r"]

    def test_with_the_breaker_open_nobody_waits(self):
        server = self.redis()
        self.start(server.url, "allow", breaker="failures: 3, open_for: 30s, open_for_max: 30s")
        server.freeze()
        with Connection(self.gate.address) as client:
            wait_until(lambda: self.metrics(self.gate).value("penstock_store_breaker_state") > 0 or not client.ask(), what="an open breaker")
            begin = time.monotonic()
            for _ in range(100):
                self.assertEqual(client.ask().status, 200)
        self.assertLess(time.monotonic() - begin, 100 * CHECK / 2 + SLACK)
        server.thaw()


class Answers(GatewayCase):
    """What a client is told while Redis cannot answer (RL-75)."""

    def start(self, mode, limit=10):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, configuration(f"redis://127.0.0.1:{free_port()}/0", mode, limit))

    def test_rl_75_deny_is_503_with_a_wait(self):
        self.start("deny")
        self.app.expect_nothing()
        response = ask(self.gate.address)
        self.assertEqual((response.status, response["Content-Type"]), (503, "application/problem+json"))
        self.assertRegex(response["Retry-After"], "^[1-9][0-9]*$")
        document = json.loads(response.body)
        self.assertEqual((document["type"], document["title"], document["status"]), (REDUCED, "Temporary Reduced Capacity", 503))
        self.assertIn(document["violated-policies"], ([], ["k"]))
        self.assertEqual(self.metrics(self.gate).value("penstock_decisions_total", limit="k", decision="unanswered_denied"), 1)

    def test_rl_75_allow_invents_no_counts(self):
        self.start("allow")
        response = ask(self.gate.address)
        self.assertEqual((response.status, response.fields.all("RateLimit")), (200, []))
        self.assertEqual(self.metrics(self.gate).value("penstock_decisions_total", limit="k", decision="unanswered_allowed"), 1)

    def test_local_enforces_the_limit_in_memory(self):
        self.start("local")
        statuses = [ask(self.gate.address).status for _ in range(30)]
        self.assertEqual(set(statuses), {200, 429})
        self.assertLessEqual(statuses.count(200), 10)
        self.assertEqual(statuses.count(200), self.app.count())

    def test_op_1_ready_while_the_limits_can_decide(self):
        for mode, expected in (("allow", 200), ("local", 200), ("deny", 503)):
            with self.subTest(mode=mode):
                self.start(mode)
                ask(self.gate.address)
                self.assertEqual(ask(self.gate.admin, target="/livez").status, 200)
                wait_until(lambda: ask(self.gate.admin, target="/readyz").status == expected, what=f"readyz {expected}")
                self.assertIn(b"redis", ask(self.gate.admin, target="/readyz").body.lower())

    def test_a_wrong_password_is_degraded_and_named_once(self):
        server = self.redis(options=["--user", "gate", "on", ">right", "~*", "&*", "+@all"])
        app = self.upstream()
        gate = self.gateway(app, configuration(f"redis://gate:wrong@127.0.0.1:{server.port}/0", "allow"))
        for _ in range(20):
            self.assertEqual(ask(gate.address).status, 200)
        self.assertIn(b"degraded", ask(gate.admin, target="/readyz").body.lower())
        wait_until(lambda: "WRONGPASS" in gate.stderr or "password" in gate.stderr.lower(), what="the error in the log")
        self.assertNotIn("wrong@", gate.stderr)

    def test_the_outage_is_counted_and_logged_a_few_times_only(self):
        self.start("allow")
        for _ in range(100):
            ask(self.gate.address)
        metrics = self.metrics(self.gate)
        self.assertEqual(metrics.value("penstock_store_up"), 0)
        self.assertGreaterEqual(metrics.value("penstock_store_errors_total"), 1)
        self.assertLess(self.gate.stderr.count("\n"), 40)


class ManyWorkers(GatewayCase):
    def test_what_befalls_all_of_them_is_warned_of_once_whatever_the_words(self):
        fake = WordyRedis()
        self.addCleanup(fake.close)
        gate = self.gateway(self.upstream(), "workers: 4\n" + configuration(fake.url, "allow"))
        # Each worker's first try and four more, that open its breaker.
        wait_until(lambda: self.metrics(gate).value("penstock_store_errors_total", kind="script") >= 20, what="some tries of each")
        self.assertEqual(gate.stderr.count("cannot use"), 1, gate.stderr)
        self.assertLessEqual(gate.stderr.count("breaker open"), 1, gate.stderr)

    def test_a_connection_that_never_lasts_does_not_let_them_wake_each_other_on_and_on(self):
        fake = FickleRedis(self.redis().address)
        self.addCleanup(fake.close)
        self.gateway(self.upstream(), "workers: 16\n" + configuration(fake.url, "allow"))
        wait_seconds(5)  # the pauses grow meanwhile
        before = fake.count
        wait_seconds(5)
        # Each tries twice by itself, and once as somebody else had found it well; when they woke each other it was 2,600.
        self.assertLess(fake.count - before, 300)
