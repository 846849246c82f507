"""kill -9 of a gateway that holds what others wait for: its concurrency permits are free again within seconds, its leases lapse,
and at no time is more admitted than permitted. Prints a table in Markdown. Run by `make acceptance`, or by hand:

PENSTOCK_BINARY=build/release/gateway/penstock PYTHONPATH=tests python3 tests/integration/acceptance_crash.py
"""

import signal
import threading
import time
import unittest

from support.fake_upstream import reply
from support.fleet import SHARED, Overload
from support.gateway_case import GatewayCase
from support.http_client import ask, request
from support.permitted import fixed_window, named, token_bucket
from support.tables import Table
from support.waiting import SLACK, wait_until

LAPSE = 5  # seconds, after which nobody holds a permit that nobody renews

table = Table("what was held", "when killed", "what the others got", "free again after")


class Crash(GatewayCase):
    def fleet(self, app, words):
        redis = self.redis()
        gateways = [self.gateway(app, SHARED.format(url=redis.url, words=words)) for _ in range(2)]
        self.wait_for_connections(redis, 2)
        return gateways

    def crash(self, gateway):
        gateway.expected_statuses = (-signal.SIGKILL,)
        gateway.kill()
        return time.monotonic()


class Permits(Crash):
    limit, held = 10, 6

    def hold(self, exchange):
        exchange.read_body()
        if exchange.request.target == "/hold":
            exchange.wait_for(self.release)
        exchange.send(reply(body=b"ok"))

    def ask_for(self, count, gateway):
        """Asks for that many permits at once, each to be kept; returns the connections that were let through."""
        clients = [self.connect(gateway) for _ in range(count)]
        before = self.app.count("/hold")
        for client in clients:
            client.send(request(target="/hold"))
        refused = []

        def settled():
            refused[:] = [client for client in clients if client in refused or not client.is_quiet(0.01)]
            return len(refused) + self.app.count("/hold") - before == count
        wait_until(settled, what="a decision on each")
        for client in refused:
            self.assertEqual(client.read_response().status, 429)
        return [client for client in clients if client not in refused]

    def test_permits_of_a_killed_gateway_come_back(self):
        self.release = threading.Event()
        self.app = self.upstream(self.hold)
        self.addCleanup(self.release.set)
        first, second = self.fleet(self.app, f"concurrency: {{limit: {self.limit}}}")
        self.assertEqual(len(self.ask_for(self.held, first)), self.held)
        self.assertEqual(len(self.ask_for(self.limit, second)), self.limit - self.held)
        died = self.crash(first)
        self.assertEqual(ask(second.address).status, 429)  # nobody knows yet
        wait_until(lambda: ask(second.address).status == 200, LAPSE + SLACK + 5, "a free permit")
        free_after = time.monotonic() - died
        self.assertLessEqual(free_after, LAPSE + SLACK)
        self.assertEqual(len(self.ask_for(self.limit, second)), self.held, "all of its permits are free, and no more")
        table.row(f"{self.held} of {self.limit} concurrency permits", "all in use", f"{self.limit - self.held}, then all {self.limit}",
                  f"{free_after:.1f} s")

    def test_permits_of_a_gateway_that_lives_are_kept(self):
        self.release = threading.Event()
        self.app = self.upstream(self.hold)
        self.addCleanup(self.release.set)
        first, second = self.fleet(self.app, f"concurrency: {{limit: {self.limit}}}")
        kept = self.ask_for(self.limit, first)
        self.assertEqual(len(kept), self.limit)
        end = time.monotonic() + 2 * LAPSE

        def lapsed():
            self.assertEqual(ask(second.address).status, 429, "a permit in use was given to another")
            return time.monotonic() >= end
        wait_until(lapsed, 3 * LAPSE, "twice the time in which permits lapse")
        self.release.set()
        for client in kept:
            self.assertEqual(client.read_response().status, 200)
        wait_until(lambda: ask(second.address).status == 200, what="permits given back")
        table.row(f"{self.limit} concurrency permits, for {2 * LAPSE} s", "never", "nothing meanwhile", "at once when given back")


class Leases(Crash):
    """Two gateways at overload; one is killed in the middle."""

    limit, window, seconds = 400, 4, 14

    def overload(self, permitted, refills):
        app = self.upstream()
        gateways = self.fleet(app, permitted.words)
        begin = time.time()
        halfway = threading.Timer(self.seconds / 2, lambda: self.crash(gateways[0]))
        doomed = threading.Thread(target=self.quietly, args=(gateways[0],), daemon=True)
        doomed.start()
        halfway.start()
        load = Overload(app, gateways[1:], 5, self.seconds)
        halfway.join()
        doomed.join()
        arrivals = sorted(each.arrived for each in app.requests)
        self.assertIsNone(permitted.first_excess(begin, arrivals, load.slowest + SLACK))
        late = load.begin + self.seconds / 2 + 1
        after = sum(1 for each in arrivals if late <= each < load.begin + self.seconds)
        rate = self.limit / self.window
        share = after / (rate * (load.begin + self.seconds - late))
        table.row(permitted.name, "at overload", f"{len(arrivals)} of {permitted.used(load.begin, load.end):.0f} permitted",
                  f"{after} of {rate * (load.begin + self.seconds - late):.0f} refilled from 1 s later on" if refills else "with the window")
        return share

    def quietly(self, gateway):
        """Five clients of the gateway that will be gone."""
        def client(_):
            try:
                with self.connect(gateway) as connection:
                    while True:
                        connection.ask()
            except (OSError, AssertionError):
                pass  # it is gone
        self.together(5, client)

    def test_leases_of_a_killed_gateway_lapse(self):
        for each in (token_bucket, fixed_window):
            plain = each(self.limit, self.window)
            with self.subTest(plain.name):
                refills = each is token_bucket
                share = self.overload(named(plain, f"{plain.name}, leased", "precision: leased"), refills)
                if refills:
                    self.assertGreaterEqual(share, 0.98, "what the dead one held did not come back")
                self.doCleanups()


if __name__ == "__main__":
    result = unittest.main(verbosity=2, exit=False).result
    print(table)
    raise SystemExit(not result.wasSuccessful())
