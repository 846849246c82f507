"""A gateway, its Redis, an app and clients that ask at a steady pace: what a fault is done to, and what can be seen of it."""

import contextlib
import datetime
import json
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass

from support.bad_line import BadLine
from support.fake_upstream import FakeUpstream
from support.gateway_case import compose
from support.gateway_process import Gateway
from support.http_client import Connection, ask
from support.metrics_text import Metrics
from support.redis_log import lines_about_redis
from support.redis_server import RedisServer
from support.waiting import SLOWNESS, wait_until

LIMIT, RATE = 50, 50               # permits at most, and a second, of the one key that everybody shares
CLIENTS, PACE = 4, 150             # who ask, and requests a second, of all of them
CHECK_TIMEOUT = 0.2 * SLOWNESS     # seconds
OPEN_FOR, OPEN_FOR_MAX = 0.2, 0.4  # seconds: of the breaker

CONFIGURATION = """
workers: 1
access_log: on
redis:
  url: "redis://{user}:{password}@127.0.0.1:{port}/0"
  check_timeout: {check_ms}ms
  breaker: {{failures: 3, open_for: {open_ms}ms, open_for_max: {max_ms}ms}}
limits: {{shared: {{key: everyone, on_store_failure: {mode}, token_bucket: {{capacity: {limit}, refill: {rate}/second}}}}}}
global_limits: [shared]
"""


@dataclass
class Seen:
    """One line of the access log. `begun` and `decided` are seconds since the epoch, to a millisecond before and after."""
    begun: float
    decided: float
    check: float
    took: float  # without the upstream's time
    status: int


class Load:
    """Clients that ask at a steady pace until stopped."""

    def __init__(self, address):
        self.statuses, self.errors, self.without_wait = [], [], 0
        self._address, self._stop = address, threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _run(self, number):
        due = time.monotonic() + number / PACE
        while not self._stop.is_set():
            try:
                with Connection(self._address) as connection:
                    while not self._stop.wait(max(0.0, due - time.monotonic())):
                        due = max(due + CLIENTS / PACE, time.monotonic() - 1)  # no more than a second is caught up with
                        self._note(connection.ask())
            except Exception as problem:  # the cell counts them; the next request comes on a new connection
                self.errors.append(repr(problem))

    def _note(self, response):
        self.statuses.append(response.status)
        if response.status not in (200, 429, 503):
            self.errors.append(f"status {response.status}")
        if response.status != 200 and not (response["Retry-After"] or "").isdigit():
            self.without_wait += 1

    def finish(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()


class Rig:
    """A redis-server, maybe a line to it, an app, a gateway. Ended by close()."""

    USER, PASSWORD = "gate", "right"

    def __init__(self, fault, mode, longest_fault):
        self._stack = contextlib.ExitStack()
        self.operator = None  # a connection that a fault keeps
        self.longest_fault = longest_fault  # seconds
        try:
            self._start(fault, mode)
        except BaseException:
            self._stack.close()
            raise

    def _start(self, fault, mode):
        self.server = RedisServer(self.folder(), options=["--user", self.USER, "on", ">" + self.PASSWORD, "~*", "&*", "+@all",
                                                          *fault.options()])
        self.cleanup(self.server.kill)
        self.cleanup(self.server.thaw)
        fault.prepares(self)
        self.line = BadLine(self.server.address) if fault.of_line else None
        if self.line:
            self.cleanup(self.line.close)
        if fault.from_start:
            fault.breaks(self)
        self.app = FakeUpstream()
        self.cleanup(self.app.close)
        text = CONFIGURATION.format(user=self.USER, password=self.PASSWORD, port=(self.line or self.server).port, mode=mode, limit=LIMIT,
                                    rate=RATE, check_ms=round(1000 * CHECK_TIMEOUT), open_ms=round(1000 * OPEN_FOR),
                                    max_ms=round(1000 * OPEN_FOR_MAX))
        self.gate = Gateway(compose(text, self.app.server), self.folder())
        self.cleanup(self.gate.stop)

    def folder(self):
        path = tempfile.mkdtemp(prefix="penstock-")
        self.cleanup(shutil.rmtree, path, True)
        return path

    def cleanup(self, action, *arguments):
        self._stack.callback(action, *arguments)

    def close(self):
        self._stack.close()

    def metrics(self):
        return Metrics(ask(self.gate.admin, target="/metrics").body.decode())

    def breaker_open(self):
        return self.metrics().value("penstock_store_breaker_state") > 0

    def serves(self):
        seen = self.metrics()
        return (seen.value("penstock_store_up") == 1 and seen.value("penstock_store_breaker_state") == 0
                and seen.value("penstock_outage_counters") == 0)

    def log(self):
        """The lines about Redis, as lines_about_redis() has them."""
        return lines_about_redis(self.gate)

    def seen(self, count):
        """The access log, once it has that many lines."""
        wait_until(lambda: self.gate.stdout.count("\n") >= count, what="the access log")
        return [_seen(json.loads(line)) for line in self.gate.stdout.splitlines()]


def _seen(line):
    ended = datetime.datetime.fromisoformat(line["@timestamp"]).timestamp()
    took, check = line["event.duration"] / 1e9, line.get("penstock.check_us", 0) / 1e6
    begun = ended - took - 0.001
    return Seen(begun, begun + check + 0.002, check, took - line.get("penstock.upstream_us", 0) / 1e6, line["http.response.status_code"])
