"""A real Redis Cluster behind the real gateway: limits over several slots, slots on their way, a primary that dies."""

from support.cluster_case import HUGE, ClusterCase, used_of
from support.http_client import Connection, ask
from support.waiting import wait_until
from test_redis_failures import Load


class Slots(ClusterCase):
    def test_limits_of_several_slots_are_charged_all_or_none(self):
        self.start(f"""
limits:
  wide: {{key: header.x-a, on_store_failure: deny, fixed_window: {{limit: {HUGE}, window: 1h}}}}
  narrow: {{key: header.x-b, on_store_failure: deny, fixed_window: {{limit: 3, window: 1h}}}}
  all: {{key: everyone, on_store_failure: deny, token_bucket: {{capacity: {HUGE}, refill: 1/1s}}}}
global_limits: [wide, narrow, all]
""")
        with Connection(self.gate.address) as client:
            for caller in range(6):
                fields = [("X-A", f"a{caller}"), ("X-B", f"b{caller}")]
                statuses = [client.ask(fields=fields).status for _ in range(10)]
                self.assertEqual(statuses, [200] * 3 + [429] * 7)
        self.assertEqual(self.app.count(), 18)

        def charged():
            return sorted(used_of(value) for value in self.values(":wide:"))
        # What the wide limit was charged for refused requests comes back.
        wait_until(lambda: charged() == [3] * 6, what="charges of refused requests to be given back")
        metrics = self.metrics(self.gate)
        self.assertEqual(metrics.value("penstock_store_cluster_nodes"), 3)
        self.assertGreater(metrics.value("penstock_store_cluster_split_requests_total"), 0)
        self.assertGreater(metrics.value("penstock_store_cluster_given_back_total"), 0)
        self.assertEqual(metrics.value("penstock_store_errors_total"), 0)

    def test_a_slot_that_moves_key_by_key_under_load_costs_no_request_and_no_count(self):
        self.start(f"""
limits:
  window: {{key: everyone, on_store_failure: deny, fixed_window: {{limit: {HUGE}, window: 1h}}}}
  bucket: {{key: everyone, on_store_failure: deny, token_bucket: {{capacity: {HUGE}, refill: 1/1s}}}}
global_limits: [window, bucket]
""")
        load = Load(self.gate)
        load.more(50)
        slot = self.nodes.slot_of("{everyone}")
        for _ in range(2):
            source = self.nodes.owner_of(slot)
            target = next(each for each in self.nodes.primaries if each is not source)
            self.nodes.begin_move(slot, target)
            load.more(50)
            for key in source.command("CLUSTER", "GETKEYSINSLOT", slot, 10):
                self.nodes.move_key(key.decode(), source, target)
                load.more(50)
            self.nodes.end_move(slot, source, target)
            load.more(50)
        results = load.finish()
        self.assertEqual({response.status for response, _ in results}, {200})
        metrics = self.metrics(self.gate)
        for kind in ("moved", "ask", "try_again"):
            self.assertGreater(metrics.value("penstock_store_cluster_redirects_total", kind=kind), 0, kind)
        self.assertEqual(metrics.value("penstock_store_errors_total"), 0)
        self.assertEqual(metrics.value("penstock_store_breaker_state"), 0)
        owner = self.nodes.owner_of(slot)
        window = next(key for key in owner.keys() if ":window:" in key)
        self.assertEqual(used_of(owner.command("GET", window)), len(results))
        self.assertEqual(self.app.count(), len(results))

    def test_a_new_node_gets_slots_and_the_old_one_leaves(self):
        self.start(f"""
limits: {{window: {{key: everyone, on_store_failure: deny, fixed_window: {{limit: {HUGE}, window: 1h}}}}}}
global_limits: [window]
""", primaries=3)
        slot = self.nodes.slot_of("{everyone}")
        old, new = self.nodes.owner_of(slot), self.nodes.add_node()
        self.nodes.meet(new)
        wait_until(lambda: new.cluster_info("cluster_known_nodes") == "4", what="the new node to be known")
        self.nodes.wait_until_whole()
        load = Load(self.gate)
        load.more(50)
        source = self.nodes.begin_move(slot, new)
        load.more(50)
        self.nodes.end_move(slot, source, new)
        load.more(50)
        wait_until(lambda: self.metrics(self.gate).value("penstock_store_cluster_nodes") == 4, what="the gateway to know the new node")
        results = load.finish()
        self.assertEqual({response.status for response, _ in results}, {200})
        self.assertIsNot(new, old)
        self.assertEqual(used_of(new.command("GET", new.keys()[0])), len(results))


class WithoutOwner(ClusterCase):
    def test_a_slot_without_an_owner_is_told_once_and_hides_no_other_trouble(self):
        self.start(f"""
workers: 3
limits: {{window: {{key: header.x-a, on_store_failure: deny, fixed_window: {{limit: {HUGE}, window: 1h}}}}}}
global_limits: [window]
""")
        orphan, *_ = self.scattered(1)
        slot = self.nodes.slot_of("{header.x-a=" + orphan + "}")
        owner = self.nodes.disown(slot)
        victim = next(node for node in self.nodes.primaries if node is not owner)

        def asked():
            return ask(self.gate.address, fields=[("X-A", orphan)]).status

        def until_said(line, times):
            def said():
                asked()  # by whichever worker: all of them are to know
                return self.gate.stderr.count(line) >= times
            wait_until(said, what=line)
        about = f"slot {slot} of the cluster has no owner"
        until_said(about, 1)
        wait_until(lambda: asked() == 503, what="the failure mode")
        wait_until(lambda: about.encode() in ask(self.gate.admin, target="/readyz").body, what="the reason of not being ready")
        for times in (1, 2):
            victim.kill()
            until_said("lost the connection to " + victim.name, times)
            until_said(victim.name + ": breaker open", times)
            victim.start()
            until_said("connected to " + victim.name, times)
        victim.kill()
        until_said(victim.name + ": breaker open", 3)
        owner.command("CLUSTER", "ADDSLOTS", slot)
        until_said("every slot of the cluster has an owner", 1)
        victim.start()
        until_said("connected to the cluster: 3 nodes, all slots", 2)
        self.assertEqual(asked(), 200)
        self.assertEqual(self.gate.stderr.count(about), 1)


class Failover(ClusterCase):
    def test_a_primary_dies_and_its_replica_serves(self):
        self.start(f"""
limits: {{window: {{key: header.x-a, fixed_window: {{limit: {HUGE}, window: 1h}}}}}}
global_limits: [window]
""", replicas=1, check_timeout="1s", node_timeout_ms=1000)
        callers = self.scattered(2)
        load = Load(self.gate)  # without a key: the gateway itself stays reachable
        def ask_all():
            return [ask(self.gate.address, fields=[("X-A", caller)]).status for caller in callers]
        self.assertEqual(ask_all(), [200] * len(callers))
        slot = self.nodes.slot_of("{header.x-a=" + callers[0] + "}")
        dead = self.nodes.owner_of(slot)
        replica = self.nodes.replicas_of(dead)[0]
        dead.kill()
        # Failure mode for the slots of the dead; nobody is turned away.
        self.assertEqual(ask_all(), [200] * len(callers))
        wait_until(replica.is_primary, what="the replica to be promoted")

        def served_by_replica():
            before = replica.calls().get("evalsha", 0)
            self.assertEqual(ask_all(), [200] * len(callers))
            return replica.calls().get("evalsha", 0) >= before + 2
        wait_until(served_by_replica, what="the promoted replica to be asked")
        wait_until(lambda: self.metrics(self.gate).value("penstock_store_up") == 1, what="the store to be up")
        self.assertEqual({response.status for response, _ in load.finish()}, {200})
        self.assertIn("lost the connection to " + dead.name, self.gate.stderr)
