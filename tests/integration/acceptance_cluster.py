"""A cluster of three primaries and three replicas under wrk: resharded by redis-cli, there and back; and a primary killed, so that its
replica takes over. No client error, and the upstream's own count against what each limit permits over every interval, with the
bound of docs/outages.md for the slots of the dead. Prints tables in Markdown; needs wrk and redis-cli. About four minutes:

PENSTOCK_BINARY=build/release/gateway/penstock PYTHONPATH=tests python3 tests/integration/acceptance_cluster.py
"""

import os
import re
import subprocess
import time
import unittest

from support.gateway_case import GatewayCase
from support.outage_bound import bound
from support.permitted import fixed_window, sliding_log, token_bucket
from support.tables import Table
from support.waiting import DEADLINE, wait_seconds, wait_until

LIMIT, WINDOW = 100, 5  # permits, seconds
SECONDS = 40            # of wrk at the least, all resharding included
CALLERS = 2000

# A caller each time: their counters lie in all slots. Counts what came back, and the longest wait, in microseconds.
SCRIPT = """
ok, refused, other = 0, 0, 0
local callers = {%s}
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() math.randomseed(os.time()) end
function request() return wrk.format("GET", "/", {["X-Caller"] = tostring(callers[math.random(#callers)])}) end
function response(status)
  if status == 200 then ok = ok + 1 elseif status == 429 then refused = refused + 1 else other = other + 1 end
end
function done(summary, latency)
  local total = {ok = 0, refused = 0, other = 0}
  for _, thread in ipairs(threads) do
    for name in pairs(total) do total[name] = total[name] + tonumber(thread:get(name)) end
  end
  local e = summary.errors
  print(string.format("RESULT %%d %%d %%d %%d %%d", total.ok, total.refused, total.other, e.connect + e.read + e.write + e.timeout,
                      latency.max))
end
"""

CONFIGURATION = """
workers: 2
redis: {{url: "{url}", check_timeout: 2s}}
limits:
  caller: {{key: header.x-caller, on_store_failure: deny, fixed_window: {{limit: 1000000, window: 1h}}}}
  second: {{key: everyone, on_store_failure: deny, fixed_window: {{limit: 1000000000, window: 1h}}}}
  shared: {{key: everyone, on_store_failure: deny, {words}}}
global_limits: [caller, second, shared]
"""

table = Table("limit", "gateways × workers", "asked", "allowed", "permitted", "used", "refused", "errors", "slots moved", "MOVED", "ASK",
              "TRYAGAIN", "given back", "store errors", "over")


failovers = Table("limit", "slots", "asked by all, refused", "callers", "admitted of all, of a permitted",
                  "most beyond the limit of one, in any interval", "bound of one",
                  "client errors", "until the replica served, s")


class Loaded(GatewayCase):
    def load(self, gateways, callers):
        path = os.path.join(self.folder(), "callers.lua")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SCRIPT % ", ".join(str(each) for each in callers))
        return [subprocess.Popen(["wrk", "--threads", "1", "--connections", "8", "--duration", f"{self.duration}s", "--timeout", "10s",
                                  "--script", path, "http://%s:%d/" % gateway.address],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for gateway in gateways]

    def finish(self, running):
        """(200s, 429s, other answers, broken connections), and the longest wait in seconds."""
        totals, longest = [0, 0, 0, 0], 0.0
        for each in running:
            out = each.communicate(timeout=self.duration + 4 * DEADLINE)[0].decode()
            found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", out)
            self.assertIsNotNone(found, out)
            totals = [have + int(more) for have, more in zip(totals, found.groups())]
            longest = max(longest, int(found[5]) / 1e6)
        return totals, longest


class Resharding(Loaded):
    duration = SECONDS

    def run_one(self, permitted):
        nodes, app = self.cluster(primaries=3, replicas=1), self.upstream()
        slot = nodes.slot_of("{everyone}")
        gateways = [self.gateway(app, CONFIGURATION.format(url=nodes.url, words=permitted.words)) for _ in range(2)]
        begin = time.time()
        running = self.load(gateways, range(1, CALLERS + 1))
        moved = self.move_slot_often(nodes, slot, begin + self.duration - 5)
        totals, _ = self.finish(running)
        end = time.time()
        ok, refused, other, errors = totals
        arrivals = sorted(each.arrived for each in list(app.requests))
        metrics = [self.metrics(gateway) for gateway in gateways]

        def total(name, **labels):
            return sum(int(each.value("penstock_store_" + name, **labels)) for each in metrics)
        excess = permitted.first_excess(begin, arrivals, 2.0)
        most = permitted.since(begin, begin + self.duration)
        store_errors = total("errors_total")
        table.row(permitted.name, "2 × 2", sum(totals[:3]), len(arrivals), f"{most:.0f}", f"{len(arrivals) / most:.1%}", refused, other + errors, moved,
                  total("cluster_redirects_total", kind="moved"), total("cluster_redirects_total", kind="ask"),
                  total("cluster_redirects_total", kind="try_again"), total("cluster_given_back_total"), store_errors, excess or 0)
        self.assertEqual((other, errors), (0, 0), "a client met an error")
        self.assertIsNone(excess)
        self.assertGreater(refused, LIMIT, "this was no overload")
        self.assertLess(end - begin, self.duration + 4 * DEADLINE)

    def move_slot_often(self, nodes, slot, until):
        moved = 0
        while time.time() < until:
            moved += self.reshard_once(nodes, slot)
        return moved

    def reshard_once(self, nodes, slot):
        """redis-cli takes the lowest slots of the source: as many of them as it takes to reach this one."""
        source = nodes.owner_of(slot)
        target = nodes.primaries[(nodes.primaries.index(source) + 1) % len(nodes.primaries)]
        ranges = [(first, last) for first, last, primary, *_ in source.command("CLUSTER", "SLOTS") if primary[1] == source.port]
        count = sum(min(last, slot) - first + 1 for first, last in ranges if first <= slot)
        nodes.reshard(count, source, target)
        return count

    def test_resharding_under_load(self):
        for permitted in (token_bucket(LIMIT, WINDOW), fixed_window(LIMIT, WINDOW), sliding_log(LIMIT, WINDOW)):
            with self.subTest(permitted.name):
                self.run_one(permitted)
                self.doCleanups()


class Failover(Loaded):
    """A primary killed: only what is counted there is decided without it, and that within the bound of an outage."""

    LIMIT, WINDOW, GATEWAYS = 20, 1, 2  # permits, seconds; of each caller
    duration, before = 25, 8            # seconds
    open_for_max = 0.5                  # seconds; of the breaker
    # Between the first gateway and the last to lose the node or to find its successor: the breaker's longest pause, twice, and the second in
    # which the slots are asked for once.
    APART = 2 * open_for_max + 1
    LAG = 0.1  # seconds that a replica on this machine may be behind

    text = """
workers: 2
redis: {{url: "{url}", check_timeout: 200ms, breaker: {{open_for: 100ms, open_for_max: 500ms}}}}
limits: {{caller: {{key: header.x-caller, on_store_failure: local, {words}}}}}
global_limits: [caller]
"""

    def callers_of(self, nodes, count):
        """So many callers of each primary, by its name."""
        found, number = {node.name: [] for node in nodes.primaries}, 0
        while any(len(each) < count for each in found.values()):
            number += 1
            owner = nodes.owner_of(nodes.slot_of("{header.x-caller=%d}" % number)).name
            if len(found[owner]) < count:
                found[owner].append(number)
        return found

    def run_one(self, permitted):
        nodes, app = self.cluster(primaries=3, replicas=1), self.upstream()
        gateways = [self.gateway(app, self.text.format(url=nodes.url, words=permitted.words)) for _ in range(self.GATEWAYS)]
        for gateway in gateways:
            wait_until(lambda each=gateway: self.metrics(each).value("penstock_gateways_alive") == self.GATEWAYS, what="the gateways to know of each other")
        callers = self.callers_of(nodes, 3)
        begin = time.time()
        running = self.load(gateways, sum(callers.values(), []))
        wait_seconds(self.before)
        dead = nodes.primaries[0]
        replica = nodes.replicas_of(dead)[0]
        dead.kill()
        died = time.time()
        wait_until(replica.is_primary, 2 * DEADLINE, "the replica to be promoted")
        served_before = replica.calls().get("evalsha", 0)
        wait_until(lambda: replica.calls().get("evalsha", 0) > served_before + 100, 2 * DEADLINE, "the replica to serve")
        served = time.time() - died
        (ok, refused, other, errors), longest = self.finish(running)
        end = begin + self.duration
        self.assertEqual((other, errors), (0, 0), "a client met an error")
        self.assertLessEqual(ok, app.count())
        self.assertLessEqual(app.count(), ok + 8 * self.GATEWAYS)  # wrk does not wait for what is under way when its time is up
        for gateway in gateways:
            wait_until(lambda each=gateway: self.metrics(each).value("penstock_outage_counters") == 0, what="the handover")
        arrived = {}
        for each in list(app.requests):
            arrived.setdefault(int(each.fields.get("X-Caller")), []).append(each.arrived)
        allowed = bound(self.LIMIT, self.LIMIT / self.WINDOW, self.GATEWAYS, self.APART) + self.LIMIT / self.WINDOW * self.LAG
        for hurt in (True, False):
            of = [sorted(arrived[each]) for name, some in callers.items() if (name == dead.name) == hurt for each in some]
            worst = max(permitted.worst_excess(begin, stamps, longest) for stamps in of)
            most = permitted.since(begin, end) * len(of)
            failovers.row(permitted.name, "of the dead primary" if hurt else "of the others", f"{ok + refused}, {refused}", len(of),
                          f"{sum(map(len, of))} of {most:.0f}", f"{max(worst, 0):.1f}", f"{allowed:.0f}" if hurt else "0", other + errors,
                          f"{served:.1f}" if hurt else "")
            self.assertLessEqual(worst, allowed if hurt else 0)
            for stamps in of:  # the gates did not close
                self.assertGreater(len(stamps), (0.5 if hurt else 0.9) * permitted.since(begin, end))

    def test_a_primary_killed_under_load(self):
        for form in (token_bucket, fixed_window):
            permitted = form(self.LIMIT, self.WINDOW)
            with self.subTest(permitted.name):
                self.run_one(permitted)
                self.doCleanups()


if __name__ == "__main__":
    result = unittest.main(verbosity=2, exit=False).result
    print(f"{table}\n\n{failovers}")
    raise SystemExit(not result.wasSuccessful())
