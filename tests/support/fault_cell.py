"""One fault of Redis under steady load with one `on_store_failure`: what was done, seen, and whether that is as docs/faults.md says."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from support.fault_rig import CHECK_TIMEOUT, LIMIT, OPEN_FOR, OPEN_FOR_MAX, RATE, Load, Rig
from support.waiting import DEADLINE, SLOWNESS, wait_seconds, wait_until

MOST_WARNINGS = 3     # kinds of trouble that one fault may show
LONGEST_PAUSE = 5.0   # seconds between two tries to connect


@dataclass
class Timing:
    """How long a cell is watched, seconds, and how much the scheduler may add to what the gateway promises."""
    before: float
    during: float
    after: float
    slack: float


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
        self.longest_fault = timing.during + 3 * SLOWNESS
        rig = Rig(fault, mode, self.longest_fault)
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
        return [text for when, is_warning, text in self.log
                if is_warning and when <= self.back and (self.fault.from_start or when >= self.broken - 0.001)]

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
        begin = (self.mended if self.fault.lasts else self.broken) - 0.001  # the log's times are cut to milliseconds
        return next((max(0.0, when - self.healed) for when, is_warning, _ in self.log if when >= begin and not is_warning), None)

    # ---- whether it is as it should be

    def _judge(self):
        self._judge_answers()
        self._judge_warnings()
        self._judge_times()
        if self.mended > self.broken + self.longest_fault:  # a pause that ends by itself was over before it was to be
            self.wrong, self.late = [], [*self.wrong, *self.late, "the machine was too slow"]

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
            stalled = fault.unnoticed and self.errors_of_store  # then there was an outage after all
            self._expect(self.beyond <= self.bound, f"{self.beyond:.1f} beyond the limit, bound {self.bound:.1f}",
                         self.late if stalled else self.wrong)
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
            good = [text for when, is_warning, text in self.log if self.broken <= when <= self.back and not is_warning]
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
    for attempt in range(attempts):
        cell = Cell(fault, mode, timing)
        cell.repeated = attempt > 0
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
