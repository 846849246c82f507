"""What else the fleet shares, on a real Redis Cluster: permits on lease, limits in shards, permits of requests in flight, and what
an outage's counts come to when the cluster is back."""

import threading

from support.cluster_case import HUGE, ClusterCase, held_of, used_of
from support.fake_upstream import reply
from support.http_client import ask, request
from support.waiting import wait_until
from test_redis_failures import Load


class Leases(ClusterCase):
    def test_permits_on_lease_move_with_their_slot_and_go_back(self):
        self.start(f"""
limits: {{shared: {{key: everyone, precision: leased, on_store_failure: deny, fixed_window: {{limit: {HUGE}, window: 1h}}}}}}
global_limits: [shared]
""")
        slot = self.nodes.slot_of("{everyone}")
        source = self.nodes.owner_of(slot)
        target = next(each for each in self.nodes.primaries if each is not source)
        load = Load(self.gate)
        on_lease = "penstock_admissions_on_lease_total"
        wait_until(lambda: self.metrics(self.gate).value(on_lease, limit="shared") > 100, what="permits on lease")
        self.nodes.begin_move(slot, target)
        load.more(200)
        self.nodes.end_move(slot, source, target)
        before = self.metrics(self.gate).value(on_lease, limit="shared")
        load.more(200)
        wait_until(lambda: self.metrics(self.gate).value(on_lease, limit="shared") > before + 100, what="permits on lease at the new node")
        results = load.finish()
        self.assertEqual({response.status for response, _ in results}, {200})
        self.assertEqual(self.app.count(), len(results))
        calls = sum(node.calls().get("evalsha", 0) for node in self.nodes.primaries)
        self.assertLess(calls, len(results) + 100 * len(self.nodes.primaries))
        self.gate.stop()
        self.assertEqual([used_of(value) for value in self.values(":shared:")], [len(results)])


class Shards(ClusterCase):
    def test_the_shards_of_a_limit_are_with_several_nodes_and_all_of_it_is_used(self):
        text = """
limits: {shared: {key: everyone, shards: 8, on_store_failure: deny, fixed_window: {limit: 203, window: 1h}}}
global_limits: [shared]
"""
        self.start(text)
        gates = [self.gate, self.another(text)]

        def client(number):
            connection = self.connect(gates[number % 2])
            return [connection.ask().status for _ in range(60)]
        statuses = sum(self.together(6, client), [])
        self.assertEqual((statuses.count(200), statuses.count(429)), (203, 157))
        self.assertEqual(self.app.count(), 203)
        self.assertEqual(sum(map(used_of, self.values(":shared"))), 203)
        self.assertGreater(len([node for node in self.nodes.primaries if node.keys()]), 1)


class Permits(ClusterCase):
    LIMIT = 3
    text = f"""
limits: {{held: {{key: header.x-a, on_store_failure: MODE, concurrency: {{limit: {LIMIT}}}}}}}
routes:
  - {{match: {{path: /free}}, upstream: app, limits: none}}
  - {{match: {{path: /**}}, upstream: app, limits: [held]}}
"""

    def start_held(self, mode, **more):
        self.let_go = threading.Event()
        self.addCleanup(self.let_go.set)

        def script(exchange):
            if exchange.request.target == "/held":
                exchange.wait_for(self.let_go)
            exchange.send(reply(body=b"ok"))
        self.start(self.text.replace("MODE", mode), **more)
        self.app.script = script

    def hold(self, caller, count):
        clients, before = [], self.app.count("/held")
        for _ in range(count):
            clients.append(self.connect(self.gate))
            clients[-1].send(request(target="/held", fields=[("X-A", caller)]))
        wait_until(lambda: self.app.count("/held") == before + count, what="the requests at the upstream")
        return clients

    def ask_of(self, caller):
        return ask(self.gate.address, fields=[("X-A", caller)]).status

    def until_held(self, expected, what):
        wait_until(lambda: sorted(map(held_of, self.values(":held:"))) == expected, what=what)

    def test_permits_of_every_slot_move_with_it_and_come_back(self):
        self.start_held("deny")
        callers = self.scattered(1)
        clients = [client for caller in callers for client in self.hold(caller, self.LIMIT)]
        self.assertEqual([self.ask_of(caller) for caller in callers], [429] * 3)
        slot = self.nodes.slot_of("{header.x-a=" + callers[0] + "}")
        source = self.nodes.owner_of(slot)
        target = next(each for each in self.nodes.primaries if each is not source)
        self.nodes.begin_move(slot, target)
        self.nodes.end_move(slot, source, target)
        self.assertEqual([self.ask_of(caller) for caller in callers], [429] * 3)
        self.until_held([self.LIMIT] * 3, "the permits where their keys are")
        self.let_go.set()
        self.assertEqual([client.read_response().status for client in clients], [200] * len(clients))
        self.until_held([], "every permit to be back")
        self.assertEqual([self.ask_of(caller) for caller in callers], [200] * 3)

    def test_a_primary_that_dies_takes_no_permit_along(self):
        self.start_held("local", replicas=1, node_timeout_ms=1000, check_timeout="1s")
        caller = self.scattered(1)[0]
        clients = self.hold(caller, self.LIMIT)
        dead = self.owner_of_caller(caller)
        replica = self.nodes.replicas_of(dead)[0]
        dead.kill()
        self.assertEqual(self.ask_of(caller), 429)  # those that are held count against the share
        wait_until(replica.is_primary, what="the replica to be promoted")
        # Under the number of the new connection, and no longer under that of the old one, which lapses.
        self.until_held([self.LIMIT], "the permits at the new primary")
        self.assertEqual(self.ask_of(caller), 429)
        self.let_go.set()
        self.assertEqual([client.read_response().status for client in clients], [200] * self.LIMIT)
        wait_until(lambda: self.ask_of(caller) == 200, what="a permit that came back")
        self.until_held([], "every permit to be back")


class Outage(ClusterCase):
    LIMIT = 30
    text = f"""
workers: 2
limits: {{window: {{key: header.x-a, fixed_window: {{limit: {LIMIT}, window: 1h}}}}}}
global_limits: [window]
"""
    terms = ", breaker: {open_for: 100ms, open_for_max: 500ms}"

    def admitted(self, caller, count):
        return [ask(self.gate.address, fields=[("X-A", caller)]).status for _ in range(count)].count(200)

    def test_what_was_admitted_for_a_dead_node_is_charged_where_its_slots_are_then(self):
        self.start(self.text, replicas=1, node_timeout_ms=1000, check_timeout="1s", terms=self.terms)
        hurt, *well = self.scattered(1)
        # The whole of what is used is replicated before the primary dies: what was lost would be another matter.
        self.assertEqual(self.admitted(hurt, 20), 20)
        dead = self.owner_of_caller(hurt)
        replica = self.nodes.replicas_of(dead)[0]
        wait_until(lambda: replica.command("ROLE")[4] >= dead.command("ROLE")[1] or None, what="the replica to have it all")
        dead.kill()
        meanwhile = self.admitted(hurt, 40)
        self.assertGreater(meanwhile, 0)
        self.assertLessEqual(meanwhile, 10)  # what was left, as far as the gateway has heard
        # The others do not notice: their counters are exact all along.
        self.assertEqual([self.admitted(caller, 40) for caller in well], [self.LIMIT] * len(well))
        wait_until(replica.is_primary, what="the replica to be promoted")
        wait_until(lambda: self.metrics(self.gate).value("penstock_store_up") == 1, what="the store to be up")
        wait_until(lambda: self.metrics(self.gate).value("penstock_outage_counters") == 0, what="the handover")
        self.assertEqual(self.metrics(self.gate).value("penstock_outage_permits_handed_over_total"), meanwhile)
        self.assertEqual(self.admitted(hurt, 40), 10 - meanwhile)
        self.assertEqual(self.app.count(), self.LIMIT * (1 + len(well)))
