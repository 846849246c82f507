"""A cluster of three primaries and three replicas, resharded under wrk by redis-cli, there and back: no client error, and the
upstream's own count against what each limit permits over every interval. Prints a table in Markdown; needs wrk and redis-cli.
About three minutes:

PENSTOCK_BINARY=build/release/gateway/penstock PYTHONPATH=tests python3 tests/integration/acceptance_cluster.py
"""

import os
import re
import subprocess
import time
import unittest

from support.gateway_case import GatewayCase
from support.permitted import fixed_window, sliding_log, token_bucket
from support.tables import Table
from support.waiting import DEADLINE

LIMIT, WINDOW = 100, 5  # permits, seconds
SECONDS = 40            # of wrk at the least, all resharding included
CALLERS = 2000

# A caller each time: their counters lie in all slots. Counts what came back.
SCRIPT = """
ok, refused, other = 0, 0, 0
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() math.randomseed(os.time()) end
function request() return wrk.format("GET", "/", {["X-Caller"] = tostring(math.random(%d))}) end
function response(status)
  if status == 200 then ok = ok + 1 elseif status == 429 then refused = refused + 1 else other = other + 1 end
end
function done(summary)
  local total = {ok = 0, refused = 0, other = 0}
  for _, thread in ipairs(threads) do
    for name in pairs(total) do total[name] = total[name] + tonumber(thread:get(name)) end
  end
  local e = summary.errors
  print(string.format("RESULT %%d %%d %%d %%d", total.ok, total.refused, total.other, e.connect + e.read + e.write + e.timeout))
end
""" % CALLERS

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


class Resharding(GatewayCase):
    def load(self, gateways):
        path = os.path.join(self.folder(), "callers.lua")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        return [subprocess.Popen(["wrk", "--threads", "1", "--connections", "8", "--duration", f"{self.duration}s", "--timeout", "10s",
                                  "--script", path, "http://%s:%d/" % gateway.address],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for gateway in gateways]

    duration = SECONDS

    def run_one(self, permitted):
        nodes, app = self.cluster(primaries=3, replicas=1), self.upstream()
        slot = nodes.slot_of("{everyone}")
        gateways = [self.gateway(app, CONFIGURATION.format(url=nodes.url, words=permitted.words)) for _ in range(2)]
        begin = time.time()
        running = self.load(gateways)
        moved = self.move_slot_often(nodes, slot, begin + self.duration - 5)
        totals = [0, 0, 0, 0]
        for each in running:
            out = each.communicate(timeout=self.duration + 4 * DEADLINE)[0].decode()
            found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+)", out)
            self.assertIsNotNone(found, out)
            totals = [have + int(more) for have, more in zip(totals, found.groups())]
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


if __name__ == "__main__":
    result = unittest.main(verbosity=2, exit=False).result
    print(table)
    raise SystemExit(not result.wasSuccessful())
