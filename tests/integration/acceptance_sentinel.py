"""Sentinel failovers under wrk's load: three sentinels, a primary, two replicas, two gateways. No client may notice; what was
admitted is compared with what the limit permits. Prints a table in Markdown. Run by `make acceptance` (about four minutes),
or by hand:

PENSTOCK_BINARY=build/release/gateway/penstock PYTHONPATH=tests python3 tests/integration/acceptance_sentinel.py
"""

import json
import os
import subprocess
import time
import unittest

from support.gateway_case import GatewayCase
from support.quick_upstream import QuickUpstream
from support.redis_server import RedisServer
from support.sentinel import Watched
from support.tables import Table
from support.waiting import wait_seconds, wait_until

BURST, RATE = 500, 500   # permits, and permits per second, of the one key that everybody shares
SECONDS, BEFORE = 20, 6  # of load, and of it until the failover
GATEWAYS = 2
PATIENCE = 60            # seconds: the most that a failover may take on a busy machine

# Counts what each thread saw, prints it as one line of JSON.
SCRIPT = """
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() seen = {} for s = 100, 599 do seen[s] = 0 end admitted, late, failed = 0, 0, 0 end
function response(status)
  if status == 200 then admitted = admitted + 1 elseif status == 429 then late = late + 1 else failed = failed + 1 end
end
function done(summary, latency)
  local a, l, f = 0, 0, 0
  for _, t in ipairs(threads) do a = a + t:get('admitted') l = l + t:get('late') f = f + t:get('failed') end
  local e = summary.errors
  io.write(string.format('JSON {"admitted":%d,"refused":%d,"failed":%d,"socket":%d,"longest_ms":%.1f,"seconds":%.3f}\\n',
    a, l, f, e.connect + e.read + e.write + e.timeout, latency.max / 1000, summary.duration / 1e6))
end
"""

table = Table("failover", "on_store_failure", "admitted", "permitted", "over", "refused", "other answers", "socket errors",
              "longest, ms", "from the event to the new primary, s", "to its first check, s")


def configuration(url, mode):
    return f"""
workers: 1
redis: {{url: "{url}", check_timeout: 50ms, breaker: {{failures: 5, open_for: 200ms, open_for_max: 1s}}}}
limits: {{shared: {{key: everyone, on_store_failure: {mode}, token_bucket: {{capacity: {BURST}, refill: {RATE}/second}}}}}}
global_limits: [shared]
upstreams: {{app: {{servers: ["SERVER"]}}}}
"""


class Failovers(GatewayCase):
    def run_with(self, name, mode, action):
        watched = Watched(self.folder, down_after_ms=2000)
        self.addCleanup(watched.kill)
        app = QuickUpstream()
        self.addCleanup(app.close)
        gates = [self.gateway(None, configuration(watched.url, mode).replace("SERVER", app.server)) for _ in range(GATEWAYS)]
        for gate in gates:
            wait_until(lambda: self.metrics(gate).value("penstock_store_up") == 1, what="the primary")
        script = os.path.join(self.folder(), "count.lua")
        with open(script, "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        loads = [subprocess.Popen(["wrk", "-t1", "-c8", f"-d{SECONDS}s", "--timeout", "5s", "-s", script,
                                   "http://%s:%d/" % gate.address], stdout=subprocess.PIPE) for gate in gates]
        wait_seconds(BEFORE)
        old = watched.primary()
        action(watched, old)
        begin = time.monotonic()
        wait_until(lambda: watched.primary() is not old, PATIENCE, "another primary")
        moved = time.monotonic() - begin
        new = watched.primary()
        wait_until(lambda: new.calls().get("evalsha", 0) > 0, PATIENCE, "checks at the new primary")
        served = time.monotonic() - begin
        results = [json.loads(load.communicate()[0].decode().split("JSON ")[1].splitlines()[0]) for load in loads]
        total = {key: sum(each[key] for each in results) for key in results[0]}
        permitted = BURST + RATE * max(each["seconds"] for each in results)
        over = max(0.0, total["admitted"] / permitted - 1)
        table.row(name, mode, total["admitted"], f"{permitted:.0f}", f"{over:.1%}", total["refused"], total["failed"],
                  total["socket"], f"{max(each['longest_ms'] for each in results):.0f}", f"{moved:.1f}", f"{served:.1f}")
        self.assertEqual(total["socket"], 0, "a client lost its connection")
        if mode != "deny":
            self.assertEqual(total["failed"], 0, "a client was told of a failure")
        else:  # nothing passes uncounted: only what the failover lost, and its clock, may loosen the limit
            self.assertLess(total["admitted"], permitted * 1.1)
        self.doCleanups()

    def test_failovers(self):
        for mode in ("local", "deny"):
            for name, action in (("primary killed", lambda _, primary: primary.kill()),
                                 ("primary stands still", lambda _, primary: RedisServer.freeze(primary)),
                                 ("SENTINEL FAILOVER", lambda watched, _: watched.fail_over())):
                with self.subTest(name, mode=mode):
                    self.run_with(name, mode, action)


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    print(f"\n{GATEWAYS} gateways, one bucket of {BURST} and {RATE}/s for all, {SECONDS} s, failover after {BEFORE} s; "
          "sentinels: down-after 2 s\n")
    print(table)
    raise SystemExit(not result.wasSuccessful())
