"""A gateway that is there before its cluster: it serves in its failure mode, and enforces when the slots have owners."""

import itertools
import subprocess
import threading

from support.cluster_case import ClusterCase, held_of, used_of
from support.fake_upstream import reply
from support.http_client import ask, request
from support.redis_cluster import RedisCluster
from support.waiting import DEADLINE, wait_until

CONFIGURATION = """
workers: 1
redis: {{url: "{url}", check_timeout: 200ms, breaker: {{open_for: 100ms, open_for_max: 500ms}}}}
limits:
  window: {{key: everyone, on_store_failure: {mode}, fixed_window: {{limit: 30, window: 1h}}}}
  held: {{key: header.x-a, on_store_failure: {mode}, concurrency: {{limit: 3}}}}
routes:
  - {{match: {{path: /held}}, upstream: app, limits: [held]}}
  - {{match: {{path: /**}}, upstream: app, limits: [window]}}
"""


class LateStart(ClusterCase):
    def start_alone(self, mode):
        """A gateway whose cluster is not there yet; where it will be is known."""
        self.let_go = threading.Event()
        self.addCleanup(self.let_go.set)

        def script(exchange):
            if exchange.request.target == "/held":
                exchange.wait_for(self.let_go)
            exchange.send(reply(body=b"ok"))
        self.app = self.upstream(script)
        self.nodes = RedisCluster(self.folder(), primaries=0)
        self.addCleanup(self.nodes.close)
        ports = self.nodes.reserve(3)
        url = "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in ports)
        self.gate = self.gateway(self.app, CONFIGURATION.format(url=url, mode=mode))

    def create(self):
        """As an operator does: servers first, then `redis-cli --cluster create`."""
        for _ in range(3):
            self.nodes.add_node()
        self.nodes.primaries = self.nodes.nodes
        self.assertEqual(self.metrics(self.gate).value("penstock_store_up"), 0)
        subprocess.run(self.nodes.command_of_tool("create", *(node.name for node in self.nodes.nodes)), check=True, timeout=4 * DEADLINE,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.nodes.wait_until_whole()
        wait_until(lambda: self.metrics(self.gate).value("penstock_store_up") == 1, what="the gateway to know the slots")

    def ask_many(self, count):
        return [ask(self.gate.address).status for _ in range(count)]

    def test_it_limits_by_itself_then_hands_over_and_enforces(self):
        self.start_alone("local")
        # Nothing is known of the counter: half of it, as for any gateway that starts without Redis.
        self.assertEqual(self.ask_many(18), [200] * 15 + [429] * 3)
        clients = []
        for _ in range(2):
            clients.append(self.connect(self.gate))
            clients[-1].send(request(target="/held", fields=[("X-A", "a")]))
        wait_until(lambda: self.app.count("/held") == 2, what="requests in flight")
        wait_until(lambda: "cannot learn the slots of the cluster" in self.gate.stderr, what="the reason in the log")
        self.create()
        wait_until(lambda: self.metrics(self.gate).value("penstock_outage_counters") == 0, what="the handover")
        self.assertEqual(self.metrics(self.gate).value("penstock_outage_permits_handed_over_total"), 15)
        self.assertEqual([used_of(value) for value in self.values(":window:")], [15])
        self.assertEqual(self.ask_many(18), [200] * 15 + [429] * 3)
        # Permits that were granted while nobody knew the slots are counted in Redis now, and go back there.
        wait_until(lambda: [held_of(value) for value in self.values(":held:")] == [2], what="the permits to be announced")
        third = self.connect(self.gate)
        third.send(request(target="/held", fields=[("X-A", "a")]))
        wait_until(lambda: self.app.count("/held") == 3, what="the third")
        self.assertEqual(ask(self.gate.address, target="/held", fields=[("X-A", "a")]).status, 429)
        self.let_go.set()
        self.assertEqual([client.read_response().status for client in (*clients, third)], [200] * 3)
        wait_until(lambda: not self.values(":held:"), what="every permit to be back")
        # Nodes do not all know the slots at once, so that one may tell of slots without an owner when another has told of all.
        news = ["connected to the cluster: 3 nodes" in line for line in self.gate.stderr.splitlines() if " redis: " in line]
        self.assertIn(True, news)
        self.assertNotIn((True, True), list(itertools.pairwise(news)), self.gate.stderr)

    def test_deny_turns_away_until_the_slots_have_owners(self):
        self.start_alone("deny")
        self.app.expect_nothing()
        self.assertEqual(self.ask_many(3), [503] * 3)
        wait_until(lambda: self.metrics(self.gate).value("penstock_store_breaker_state") == 2, what="the breaker of the slots to open")
        self.assertEqual(self.ask_many(20), [503] * 20)
        refused = self.metrics(self.gate).value("penstock_store_errors_total", kind="breaker_open")
        self.assertGreaterEqual(refused, 20)
        self.assertEqual(self.gate.stderr.count("nobody tells the slots of the cluster"), 1)
        self.assertIn(b"cannot learn the slots of the cluster", ask(self.gate.admin, target="/readyz").body)
        self.app.allow()
        self.create()
        wait_until(lambda: self.metrics(self.gate).value("penstock_store_breaker_state") == 0, what="the breaker to close")
        self.assertEqual(self.metrics(self.gate).value("penstock_store_errors_total", kind="breaker_open"), refused)
        self.assertEqual(self.ask_many(35), [200] * 30 + [429] * 5)
        self.assertEqual([used_of(value) for value in self.values(":window:")], [30])
