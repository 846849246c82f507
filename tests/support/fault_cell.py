"""One fault of Redis under steady load with one `on_store_failure`: what was done, seen, and whether that is as docs/faults.md says."""

import contextlib
import datetime
import json
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from support.bad_line import BadLine
from support.fake_upstream import FakeUpstream
from support.gateway_case import compose
from support.gateway_process import Gateway
from support.http_client import Connection, ask
from support.metrics_text import Metrics
from support.redis_server import RedisServer
from support.waiting import DEADLINE, SLOWNESS, wait_seconds, wait_until

LIMIT, RATE = 50, 50               # permits at most, and a second, of the one key that everybody shares
CLIENTS, PACE = 4, 150             # who ask, and requests a second, of all of them
CHECK_TIMEOUT = 0.2 * SLOWNESS     # seconds
OPEN_FOR, OPEN_FOR_MAX = 0.2, 0.4  # seconds: of the breaker
MOST_WARNINGS = 3                  # kinds of trouble that one fault may show
LONGEST_PAUSE = 5.0                # seconds between two tries to connect

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
class Timing:
    """How long a cell is watched, seconds, and how much the scheduler may add to what the gateway promises."""
    before: float
    during: float
    after: float
    slack: float


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

    def __init__(self, fault, mode, timing):
        self._stack = contextlib.ExitStack()
        self.operator = None  # a connection that a fault keeps
        self.longest_fault = timing.during + 3 * SLOWNESS
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
        """The lines about Redis: (seconds since the epoch, whether it is a warning, text)."""
        lines = [line.split(" ", 2) for line in self.gate.stderr.splitlines()]
        return [(datetime.datetime.strptime(line[0], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp(), line[1] != "info", line[2])
                for line in lines if len(line) == 3 and "redis" in line[2].lower()]

    def seen(self, count):
        """The access log, once it has that many lines."""
        wait_until(lambda: self.gate.stdout.count("\n") >= count, what="the access log")
        return [_seen(json.loads(line)) for line in self.gate.stdout.splitlines()]


def _seen(line):
    ended = datetime.datetime.fromisoformat(line["@timestamp"]).timestamp()
    took, check = line["event.duration"] / 1e9, line.get("penstock.check_us", 0) / 1e6
    begun = ended - took - 0.001
    return Seen(begun, begun + check + 0.002, check, took - line.get("penstock.upstream_us", 0) / 1e6, line["http.response.status_code"])


def most_beyond(admitted):
    """By how much the admitted requests of any interval exceed what the limit permits in it."""
    by_decision = sorted(admitted, key=lambda each: each.decided)
    worst = 0.0
    for first in admitted:
        count = 0
        for each in by_decision:
            if each.begun >= first.begun:
                count += 1
                worst = max(worst, count - LIMIT - RATE * (each.decided - first.begun))
    return worst


class Cell:
    """Runs by the constructor. `wrong` and `late` say what is not as it should be; `late` may be the machine's doing."""

    def __init__(self, fault, mode, timing):
        self.fault, self.mode, self.timing = fault, mode, timing
        self.wrong, self.late = [], []
        rig = Rig(fault, mode, timing)
        try:
            self._run(rig)
        finally:
            rig.close()
        self._judge()

    def _run(self, rig):
        fault, timing = self.fault, self.timing
        if not fault.from_start:
            wait_until(rig.serves, what="Redis before the fault")
        load = Load(rig.gate.address)
        try:
            wait_seconds(timing.before)
            self.broken = time.time()
            if not fault.from_start:
                fault.breaks(rig)
            if fault.lasts:
                wait_until(rig.breaker_open, 2 * DEADLINE, "an open breaker")
            self.settled = time.time() + 2 / RATE  # refusals that Redis has dated are over
            commands = rig.metrics().value("penstock_store_commands_total")
            wait_seconds(timing.during)
            self.commands = rig.metrics().value("penstock_store_commands_total") - commands
            self.mended = time.time()
            fault.mends(rig)
            self.healed = time.time()
            wait_until(rig.serves, 3 * DEADLINE, "the return to Redis")
            self.back = time.time()
            wait_seconds(timing.after)
        finally:
            load.finish()
        self.load = load
        self.requests = rig.seen(len(load.statuses))
        self.log = rig.log()
        self.arrived = rig.app.count()
        self.errors_of_store = rig.metrics().value("penstock_store_errors_total")

    # ---- what was seen

    def within(self, begin, end):
        return [each for each in self.requests if each.begun >= begin and each.decided <= end]

    @property
    def outage(self):
        """From where the failure mode rules to where it is mended; of a fault that does not last, to where Redis serves again."""
        return self.within(self.settled, self.mended) if self.fault.lasts else self.within(self.broken, self.back)

    def count(self, status):
        return sum(each.status == status for each in self.outage)

    @property
    def permitted(self):
        return RATE * (self.mended - self.settled) if self.fault.lasts else RATE * (self.back - self.broken)

    @property
    def beyond(self):
        return most_beyond([each for each in self.requests if each.status == 200])

    @property
    def bound(self):
        """docs/outages.md, for one gateway: its entry, a whole permit, and what Redis has lost."""
        entry = (LIMIT + 1) / 2 if self.mode == "local" else 0
        return (0 if self.fault.unnoticed else entry) + 1 + (LIMIT if self.fault.loses_counts else 0)

    @property
    def longest_check(self):
        return max(each.check for each in self.requests if each.decided >= self.broken)

    @property
    def longest_answer(self):
        return max(each.took for each in self.requests if each.decided >= self.broken)

    @property
    def warnings(self):
        return [text for when, is_warning, text in self.log if is_warning and (self.fault.from_start or when >= self.broken - 0.001)]

    @property
    def waited_though_open(self):
        """Requests that came with the breaker open and were kept for half of check_timeout all the same."""
        opened = next((when for when, _, text in self.log if "breaker open" in text), None)
        if opened is None or not self.fault.lasts:
            return 0
        return sum(each.check > CHECK_TIMEOUT / 2 for each in self.within(opened + 0.01, self.mended))

    @property
    def recovery(self):
        """Seconds from when Redis was well to the line that says so; None: there was no line."""
        begin = self.mended if self.fault.lasts else self.broken
        return next((max(0.0, when - self.healed) for when, is_warning, _ in self.log if when >= begin and not is_warning), None)

    # ---- whether it is as it should be

    def _judge(self):
        self._judge_answers()
        self._judge_warnings()
        self._judge_times()

    def _expect(self, true, words, among=None):
        if not true:
            (self.wrong if among is None else among).append(words)

    def _judge_answers(self):
        load, mode, fault = self.load, self.mode, self.fault
        asked, admitted = len(self.outage), self.count(200)
        self._expect(not load.errors, f"client errors: {load.errors[:3]}")
        self._expect(load.without_wait == 0, f"{load.without_wait} refusals without Retry-After")
        self._expect(load.statuses.count(200) == self.arrived, f"{self.arrived} at the upstream, {load.statuses.count(200)} admitted")
        self._expect(asked > 0, "nobody asked in the outage", self.late)
        if mode != "deny":
            self._expect(load.statuses.count(503) == 0, f"{load.statuses.count(503)} times 503")
        if mode != "allow" or fault.unnoticed:
            self._expect(self.beyond <= self.bound, f"{self.beyond:.1f} beyond the limit, bound {self.bound:.1f}")
        if not fault.lasts:
            return
        if mode == "allow":
            self._expect(admitted == asked, f"{asked - admitted} of {asked} not admitted")
        elif mode == "deny":
            self._expect(self.count(503) == asked, f"{asked - self.count(503)} of {asked} not answered with 503")
        else:  # the gates do not close either
            self._expect(admitted >= min(self.permitted, asked) / 2, f"{admitted} of {self.permitted:.0f} permitted", self.late)

    def _judge_warnings(self):
        fault, said = self.fault, self.warnings
        self._expect(len(said) == len(set(said)), f"said twice: {said}")
        self._expect(len(said) <= MOST_WARNINGS, f"{len(said)} warnings: {said}")
        self._expect(not any("not_connected: " in text for text in said), f"words of another failure: {said}")
        self._expect(fault.says in "\n".join(said), f"not a word of {fault.says}: {said}")
        if fault.lasts:
            self._expect(self.recovery is not None, "not a word of the return")
            good = [text for when, is_warning, text in self.log if when >= self.broken and not is_warning]
            self._expect(len(good) == 1, f"the return said {len(good)} times: {good}")
        if fault.unnoticed:
            self._expect(not said and self.errors_of_store == 0, f"noticed: {said}, {self.errors_of_store:.0f} errors", self.late)

    def _judge_times(self):
        most = CHECK_TIMEOUT + self.timing.slack
        self._expect(self.longest_check <= most, f"a request waited {self.longest_check:.3f} s for Redis", self.late)
        self._expect(self.longest_answer <= most, f"an answer took {self.longest_answer:.3f} s", self.late)
        self._expect(self.waited_though_open == 0, f"{self.waited_though_open} waited though the breaker was open", self.late)
        probes = (self.timing.during + self.timing.slack) * (2 / OPEN_FOR + 1) + 2  # and an announcement a second
        if self.fault.lasts:
            self._expect(self.commands <= probes, f"{self.commands:.0f} commands though the breaker was open", self.late)
            self._expect((self.recovery or 0) <= LONGEST_PAUSE + OPEN_FOR_MAX + self.timing.slack, f"back after {self.recovery} s", self.late)

    def row(self):
        back = "not noticed" if self.recovery is None else f"{self.recovery:.2f}"
        beyond = "any" if self.mode == "allow" and not self.fault.unnoticed else f"{max(0.0, self.beyond):.0f} of {self.bound:.0f}"
        return (self.fault.name, self.mode, f"{self.count(200)} of {self.permitted:.0f}", self.count(429), self.count(503),
                len(self.load.errors), beyond, f"{1000 * self.longest_check:.0f}",
                f"{1000 * self.longest_answer:.0f}", self.waited_though_open, len(self.warnings), back)


COLUMNS = ("fault", "`on_store_failure`", "admitted, of a permitted", "429", "503", "client errors", "beyond the limit, of the bound",
           "longest wait for Redis, ms", "longest answer, ms", "waited though open", "warnings", "back after, s")


def measure(fault, mode, timing, attempts=2):
    """A cell; measured once more if only times are not as they should be, for the machine may have stalled."""
    for _ in range(attempts):
        cell = Cell(fault, mode, timing)
        if cell.wrong or not cell.late:
            break
    return cell


def measure_all(cells, timing, at_once, tell=lambda cell: None):
    """Of (fault, mode), so many at a time; in the order of `cells`."""
    def one(what):
        cell = measure(*what, timing)
        tell(cell)
        return cell
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, cells))
