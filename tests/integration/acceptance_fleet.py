"""Every limit that a fleet can share, at overload: three gateways, one Redis, the upstream's own count against what the
algorithm permits over every interval. Prints a table in Markdown. Run by `make acceptance` (about six minutes), or by hand:

PENSTOCK_BINARY=build/release/gateway/penstock PYTHONPATH=tests python3 tests/integration/acceptance_fleet.py
"""

import threading
import time
import unittest

import test_redis_fleet
from support.fake_upstream import reply
from support.fleet import SHARED, Overload
from support.gateway_case import GatewayCase
from support.permitted import all_forms
from support.tables import Table
from support.waiting import wait_seconds

table = Table("limit", "allowed", "permitted", "used", "refused", "script calls per request")
held_table = Table("limit on concurrency", "permits", "most at once", "used", "served", "refused")


class Rates(test_redis_fleet.Fleet):
    """100 permits per 5 s, asked for by ten clients during 18 s."""

    limit, window, seconds = 100, 5, 18

    def test_every_form(self):
        for form in all_forms(self.limit, self.window):
            with self.subTest(form.name):
                redis, load = self.overload(form)
                permitted = form.since(load.begin, load.begin + self.seconds)
                asked = len(load.statuses)
                calls = redis.calls()
                table.row(form.name, len(load.arrivals), f"{permitted:.0f}", f"{len(load.arrivals) / permitted:.1%}",
                          load.statuses.count(429), f"{(calls.get('evalsha', 0) + calls.get('eval', 0)) / asked:.3f}")
                self.doCleanups()


class Held:
    """An upstream's script that counts who is with it at once."""

    def __init__(self, seconds):
        self._seconds, self._lock = seconds, threading.Lock()
        self.now = self.most = 0
        self.total = 0.0

    def __call__(self, exchange):
        begin = time.monotonic()
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        wait_seconds(self._seconds)
        with self._lock:
            self.now -= 1
            self.total += time.monotonic() - begin
        exchange.send(reply(body=b"ok"))


class Concurrency(GatewayCase):
    """12 permits for 36 clients, each request 50 ms with the upstream, during 10 s."""

    permits, clients, seconds = 12, 36, 10

    def test_never_more_at_once_than_permitted(self):
        for name, more in (("refused at once", ""), ("waiting in a queue", ", queue: {limit: 100, timeout: 30s}")):
            with self.subTest(name):
                redis, held = self.redis(), Held(0.05)
                app = self.upstream(held)
                words = f"concurrency: {{limit: {self.permits}}}{more}"
                gateways = [self.gateway(app, SHARED.format(url=redis.url, words=words)) for _ in range(3)]
                self.wait_for_connections(redis, 3)
                load = Overload(app, gateways, self.clients, self.seconds)
                self.assertLessEqual(set(load.statuses), {200, 429})
                self.assertLessEqual(held.most, self.permits)
                self.assertEqual(held.most, self.permits, "not all permits were ever used")
                used = held.total / (self.permits * (load.end - load.begin))
                held_table.row(name, self.permits, held.most, f"{used:.0%}", load.statuses.count(200), load.statuses.count(429))
                self.doCleanups()


if __name__ == "__main__":
    result = unittest.main(verbosity=2, exit=False, argv=["acceptance_fleet", "Rates.test_every_form", "Concurrency"]).result
    print(table)
    print(held_table)
    raise SystemExit(not result.wasSuccessful())
