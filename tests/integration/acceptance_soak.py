"""Ten minutes of callers who never come back: 1 M different addresses, each counted in this process and in Redis. The memory
of both stays within its bounds, and nothing goes wrong. Prints a table in Markdown. Run by `make acceptance`, or by hand:

PENSTOCK_BINARY=build/release/gateway/penstock PYTHONPATH=tests python3 tests/integration/acceptance_soak.py [SECONDS [CALLERS]]
"""

import collections
import itertools
import multiprocessing
import re
import sys
import time
import unittest

from support.gateway_case import GatewayCase
from support.http_wire import connect
from support.quick_upstream import QuickUpstream
from support.tables import Table
from support.waiting import DEADLINE, wait_seconds, wait_until

SECONDS, CALLERS = 600, 1_000_000
CLIENTS, BATCH = 4, 25       # processes; requests of each that are on their way at once
ONE_IN = 10                  # callers whom this process may remember at once (memory.max_keys): the others must go
WINDOW = 30                  # seconds, after which a caller's keys have no reason to be anywhere
HEAD_START = 8 * 1024 ** 2   # bytes that a process may gain besides its keys (connections, buffers, the allocator's)
BYTES_HERE, BYTES_IN_REDIS = 160, 250  # of one key, all in

CONFIGURATION = """
workers: 2
redis: {{url: "{url}", check_timeout: 2s}}
client: {{source: x-forwarded-for, trusted_proxies: [127.0.0.0/8]}}
memory: {{max_keys: {keys}}}
limits:
  here: {{key: client.ip, scope: instance, fixed_window: {{limit: 10, window: 1h}}}}
  everywhere: {{key: client.ip, on_store_failure: deny, fixed_window: {{limit: 10, window: {window}s}}}}
global_limits: [here, everywhere]
upstreams: {{app: {{servers: ["{server}"]}}}}
"""
STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")


def ask_as(address, numbers, begin, rate, results):
    """Asks once as each of these callers, no faster than `rate` per second; puts the statuses, counted, into `results`."""
    statuses, numbers = collections.Counter(), iter(numbers)
    with connect(address, DEADLINE) as sock:
        while batch := list(itertools.islice(numbers, BATCH)):
            sock.sendall(b"".join(b"GET / HTTP/1.1\r\nHost: soak.test\r\nX-Forwarded-For: 10.%d.%d.%d\r\n\r\n"
                                  % (number >> 16, number >> 8 & 255, number & 255) for number in batch))
            answers = b""
            while len(STATUS.findall(answers)) < len(batch) or not answers.endswith((b"\r\n\r\nok", b"}")):
                piece = sock.recv(65536)
                if not piece:
                    raise ConnectionError("the gateway ended a connection")
                answers += piece
            statuses.update(int(each) for each in STATUS.findall(answers))
            ahead = begin + sum(statuses.values()) / rate - time.monotonic()
            if ahead > 0:
                wait_seconds(ahead)
    results.put(statuses)


class Soak(GatewayCase):
    def setUp(self):
        self.server = self.redis()
        app = QuickUpstream()
        self.addCleanup(app.close)
        self.gate = self.gateway(text=CONFIGURATION.format(url=self.server.url, keys=CALLERS // ONE_IN, window=WINDOW, server=app.server))
        self.wait_for_connections(self.server, 2)
        self.samples = []

    def sample(self):
        memory = self.server.command("INFO", "memory").decode()
        metrics = self.metrics(self.gate)
        self.samples.append((time.monotonic() - self.begin, self.gate.resident_bytes(), int(metrics.value("penstock_memory_store_keys")),
                             int(re.search(r"used_memory:([0-9]+)", memory)[1]), self.server.command("DBSIZE"),
                             int(metrics.value("penstock_requests_total"))))

    def clients(self):
        share = CALLERS // CLIENTS
        self.results = multiprocessing.get_context("fork").Queue()
        for number in range(CLIENTS):
            client = multiprocessing.get_context("fork").Process(
                target=ask_as, daemon=True,
                args=(self.gate.address, range(number * share, (number + 1) * share), self.begin, share / SECONDS, self.results))
            client.start()
            self.addCleanup(client.join)
            self.addCleanup(client.kill)
            yield client

    def test_memory_is_bounded_and_nothing_fails(self):
        self.begin = time.monotonic()
        self.sample()
        running = list(self.clients())
        while any(each.is_alive() for each in running):
            wait_until(lambda: time.monotonic() - self.begin >= len(self.samples) * SECONDS / 20 or not any(each.is_alive() for each in running),
                       SECONDS, "the next sample")
            self.sample()
        statuses = sum((self.results.get(timeout=DEADLINE) for _ in running), collections.Counter())
        self.assertEqual(dict(statuses), {200: CALLERS // CLIENTS * CLIENTS})
        metrics = self.metrics(self.gate)
        for limit in ("here", "everywhere"):
            self.assertEqual(metrics.value("penstock_decisions_total", limit=limit, decision="allowed"), sum(statuses.values()))
        self.assertEqual(metrics.value("penstock_store_errors_total"), 0)
        here = CALLERS // ONE_IN
        self.assertGreaterEqual(metrics.value("penstock_memory_store_evictions_total"), sum(statuses.values()) - here)

        _, resident, _, used, _, _ = self.samples[0]
        alive = sum(statuses.values()) / self.samples[-1][0] * 2 * WINDOW  # Redis takes out what has ended within another such time
        for age, now_resident, keys, now_used, in_redis, _ in self.samples:
            self.assertLessEqual(keys, here, f"after {age:.0f} s")
            self.assertLessEqual(now_resident, resident + here * BYTES_HERE + HEAD_START, f"after {age:.0f} s")
            self.assertLessEqual(in_redis, alive, f"after {age:.0f} s")
            self.assertLessEqual(now_used, used + alive * BYTES_IN_REDIS + HEAD_START, f"after {age:.0f} s")
        wait_until(lambda: self.server.command("DBSIZE") == 0, 4 * WINDOW, "the end of every key in Redis")

    def table(self):
        made = Table("seconds", "requests", "gateway, resident", "keys in it", "Redis, used_memory", "keys in it")
        for age, resident, keys, used, in_redis, requests in self.samples:
            made.row(f"{age:.0f}", requests, f"{resident / 2 ** 20:.1f} MiB", keys, f"{used / 2 ** 20:.1f} MiB", in_redis)
        return made

    def tearDown(self):
        print(f"\n{self.table()}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        SECONDS = float(sys.argv[1])
    if len(sys.argv) > 2:
        CALLERS = int(sys.argv[2])
    unittest.main(verbosity=2, argv=sys.argv[:1])
