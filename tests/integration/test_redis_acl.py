"""The least rights of docs/redis.md are enough for every script, and what they leave out is refused."""

import os
import re

from support.gateway_case import GatewayCase
from support.http_client import ask
from support.sentinel import Sentinel
from support.waiting import wait_until

DOCUMENT = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "redis.md")

LIMITS = """
limits:
  bucket: {key: client.ip, token_bucket: {capacity: 100, refill: 100/minute}}
  second: {key: client.ip, token_bucket: {capacity: 200, refill: 100/hour}}
  fixed: {key: client.ip, fixed_window: {limit: 100, window: 1m}}
  clock: {key: client.ip, fixed_window: {limit: 100, window: 1m, align: clock}}
  calendar: {key: client.ip, fixed_window: {limit: 100, calendar: day, time_zone: UTC}}
  sliding: {key: client.ip, sliding_window: {limit: 100, window: 30s, segments: 3}}
  counter: {key: client.ip, sliding_window_counter: {limit: 100, window: 30s}}
  log: {key: client.ip, sliding_log: {limit: 100, window: 30s}}
  periodic: {key: client.ip, token_bucket: {capacity: 100, refill: 100/minute, replenish: periodic}}
  held: {key: everyone, concurrency: {limit: 100}}
  leased: {key: everyone, token_bucket: {capacity: 10000, refill: 10000/second}, precision: leased}
  here: {key: everyone, scope: instance, fixed_window: {limit: 100, window: 1h}}
routes:
  - {match: {path: /a}, upstream: app, limits: [bucket, second, fixed, clock, calendar, sliding, counter, log, periodic, held]}
  - {match: {path: /leased}, upstream: app, limits: [leased]}
"""


def rights():
    """The words of ACL SETUSER as the page has them, after the password."""
    with open(DOCUMENT, encoding="utf-8") as file:
        return re.search(r"^ACL SETUSER penstock on >PASSWORD (.*)$", file.read(), re.MULTILINE)[1].split()


def denying(limits):
    """The same limits, of which those of the fleet turn away whom Redis does not answer about."""
    return limits.replace("{key: ", "{on_store_failure: deny, key: ").replace("{on_store_failure: deny, key: everyone, scope",
                                                                              "{key: everyone, scope")


def cluster_rights():
    """What a cluster takes besides."""
    with open(DOCUMENT, encoding="utf-8") as file:
        return re.search(r"Each user needs `([^`]*)` besides", file.read())[1].split()


def sentinel_rights():
    with open(DOCUMENT, encoding="utf-8") as file:
        return re.search(r"At the sentinels `([^`]*)`", file.read())[1]


class LeastRights(GatewayCase):
    def start(self, words, database=0, breaker="{}"):
        self.server = self.redis()
        self.server.command("ACL", "SETUSER", "penstock", "reset", "on", ">pw", *words)
        folder = self.folder()
        with open(os.path.join(folder, "pw"), "w", encoding="utf-8") as file:
            file.write("pw\n")
        redis = f'redis: {{url: "redis://penstock@127.0.0.1:{self.server.port}/{database}", password_file: {folder}/pw, check_timeout: 2s, breaker: {breaker}}}\n'
        return self.gateway(self.upstream(), redis + denying(LIMITS))

    def denied(self):
        """What the ACL has refused, as Redis remembers it."""
        return self.server.command("ACL", "LOG")

    def test_every_algorithm_permits_and_leases(self):
        gate = self.start(rights())
        wait_until(lambda: self.metrics(gate).value("penstock_store_up") == 1, what="the connection")
        for _ in range(5):
            self.assertEqual(ask(gate.address, target="/a").status, 200)
        for _ in range(300):
            self.assertEqual(ask(gate.address, target="/leased").status, 200)
        gate.stop()  # what is leased and held goes back
        self.assertEqual(self.denied(), [])

    def test_another_database_takes_select(self):
        gate = self.start([*rights(), "+select"], database=3)
        wait_until(lambda: self.metrics(gate).value("penstock_store_up") == 1, what="the connection")
        self.assertEqual(ask(gate.address, target="/a").status, 200)
        self.assertEqual(self.denied(), [])

    def test_sentinel_takes_role_and_a_login_of_its_own(self):
        server = self.redis()
        server.command("ACL", "SETUSER", "penstock", "reset", "on", ">pw", *rights(), "+role")
        sentinel = Sentinel(self.folder(), server.port, 1, 1000, ["user watcher on >watch -@all " + sentinel_rights()])
        self.addCleanup(sentinel.kill)
        gate = self.gateway(self.upstream(), f'''
redis:
  url: "redis+sentinel://penstock:pw@127.0.0.1:{sentinel.port}/main"
  check_timeout: 2s
  sentinel: {{user: watcher, password: watch}}
limits: {{k: {{key: everyone, on_store_failure: deny, fixed_window: {{limit: 5, window: 1h}}}}}}
global_limits: [k]
''')
        wait_until(lambda: self.metrics(gate).value("penstock_store_up") == 1, what="the connection")
        self.assertEqual(ask(gate.address).status, 200)
        self.assertEqual([server.command("ACL", "LOG"), sentinel.command("ACL", "LOG")], [[], []])

    def test_a_missing_right_is_named_and_degrades(self):
        gate = self.start([word for word in rights() if word != "+evalsha"])
        wait_until(lambda: ask(gate.address, target="/a").status == 503, what="the refusal")
        wait_until(lambda: "breaker open: refused_login: NOPERM" in gate.stderr, what="the reason in the log")
        self.assertEqual(gate.stderr.count("breaker open"), 1)
        self.assertLessEqual(gate.stderr.count("NOPERM"), 2)  # the announcement may be refused before a check is: a line of its own
        self.assertIn(b"NOPERM", ask(gate.admin, target="/readyz").body)
        self.server.command("ACL", "SETUSER", "penstock", "+evalsha")
        wait_until(lambda: ask(gate.address, target="/a").status == 200, what="service")

    def test_a_right_that_only_some_calls_need_keeps_the_breaker_open_until_it_is_given(self):
        """A charge of one bucket passes without these: a probe that were no more would close the breaker, for the next caller to open."""
        for right in ("+mget", "+incrby", "+append"):
            with self.subTest(right=right):
                gate = self.start([word for word in rights() if word != right], breaker="{open_for: 20ms, open_for_max: 100ms}")
                wait_until(lambda: ask(gate.address, target="/a").status == 503, what="the refusal")
                wait_until(lambda: "breaker open: refused_login: " in gate.stderr, what="the reason in the log")
                before = self.metrics(gate).value("penstock_store_errors_total", kind="refused_login")

                def probed_often():
                    self.assertEqual(ask(gate.address, target="/a").status, 503)
                    return self.metrics(gate).value("penstock_store_errors_total", kind="refused_login") >= before + 10
                wait_until(probed_often, what="ten probes in vain")
                self.assertEqual(gate.stderr.count("breaker open"), 1, gate.stderr)
                self.assertNotIn("breaker closed", gate.stderr)
                self.server.command("ACL", "SETUSER", "penstock", right)
                wait_until(lambda: self.metrics(gate).value("penstock_store_breaker_state") == 0, what="the return of every worker")
                for _ in range(20):
                    self.assertEqual(ask(gate.address, target="/a").status, 200)
                wait_until(lambda: "breaker closed" in gate.stderr, what="the good news in the log")
                self.assertEqual(gate.stderr.count("breaker closed"), 1, gate.stderr)

    def test_keys_that_the_user_may_not_use_are_probed_less_and_less(self):
        """The probe's own key is allowed: the breaker closes, and the next caller opens it."""
        gate = self.start(["~rl:{penstock*", *[word for word in rights() if not word.startswith("~")]],
                          breaker="{open_for: 10ms, open_for_max: 10s}")
        wait_until(lambda: "breaker open: refused_login: " in gate.stderr or ask(gate.address, target="/a").status == 0, what="the reason")
        began = self.metrics(gate).value("penstock_store_errors_total", kind="breaker_open")

        def waits():
            ask(gate.address, target="/a")
            return self.metrics(gate).value("penstock_store_errors_total", kind="breaker_open") >= began + 300
        wait_until(waits, what="callers")
        # From 10 ms on, doubling: with a pause that begins anew each time there would be dozens.
        self.assertLess(gate.stderr.count("breaker closed"), 15, gate.stderr)

    def test_a_right_missing_inside_the_script_is_named_and_degrades(self):
        for right in ("+set", "+time"):
            with self.subTest(right=right):
                gate = self.start([word for word in rights() if word != right])
                wait_until(lambda: ask(gate.address, target="/a").status == 503, what="the refusal")
                wait_until(lambda: "breaker open: refused_login: " in gate.stderr, what="the reason in the log")
                wait_until(lambda: b"redis: breaker open: refused_login" in ask(gate.admin, target="/readyz").body, what="degradation")
                self.server.command("ACL", "SETUSER", "penstock", right)
                wait_until(lambda: ask(gate.address, target="/a").status == 200, what="service")

    def test_an_error_of_the_script_that_no_breaker_counts_is_warned_of_once(self):
        self.server = self.redis(options=("--rename-command", "SET", "DISUSED"))
        gate = self.gateway(self.upstream(), f"workers: 1\nredis: {{url: {self.server.url}, check_timeout: 2s}}\n" + LIMITS)
        wait_until(lambda: self.metrics(gate).value("penstock_store_up") == 1, what="the connection")
        for _ in range(20):
            ask(gate.address, target="/a")
        wait_until(lambda: "calls fail: script: " in gate.stderr, what="the warning")
        for _ in range(20):
            ask(gate.address, target="/a")
        self.assertEqual(gate.stderr.count("calls fail: script: "), 1)

    def test_a_missing_right_to_read_does_not_pass_for_untouched_counters(self):
        gate = self.start([word for word in rights() if word != "+get"])
        wait_until(lambda: ask(gate.address, target="/leased").status == 503, what="the refusal")
        wait_until(lambda: "refused_login: " in gate.stderr, what="the reason in the log")
