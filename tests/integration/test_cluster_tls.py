"""A real Redis Cluster that speaks TLS, to its gateways and among its nodes, and wants a login: who is trusted, what the least rights
of docs/redis.md are enough for, slots that move, a primary that dies."""

from support.certificates import Authority
from support.cluster_case import HUGE, ClusterCase, used_of
from support.http_client import ask
from support.waiting import wait_until
from test_redis_acl import LIMITS, cluster_rights, denying, rights
from test_redis_failures import Load

WINDOW = f"""
limits: {{window: {{key: header.x-a, on_store_failure: deny, fixed_window: {{limit: {HUGE}, window: 1h}}}}}}
global_limits: [window]
"""


class Tls(ClusterCase):
    def setUp(self):
        self.authority = Authority(self.folder())
        self.files = (*self.authority.sign("node", "IP:127.0.0.1"), self.authority.certificate)
        self.trust = f", tls: {{ca_file: {self.authority.certificate}}}"

    def test_every_node_is_verified_and_a_slot_that_moves_is_followed(self):
        self.start(WINDOW, tls=self.files, terms=self.trust)
        callers = self.scattered(2)
        before = self.metrics(self.gate).value("penstock_store_errors_total")  # the first announcement may come before a connection
        statuses = [ask(self.gate.address, fields=[("X-A", caller)]).status for caller in callers for _ in range(3)]
        self.assertEqual(statuses, [200] * 18)
        self.assertEqual(sorted(map(used_of, self.values(":window:"))), [3] * 6)
        slot = self.nodes.slot_of("{header.x-a=" + callers[0] + "}")
        source = self.nodes.owner_of(slot)
        target = next(each for each in self.nodes.primaries if each is not source)
        self.nodes.begin_move(slot, target)
        self.assertEqual(ask(self.gate.address, fields=[("X-A", callers[0])]).status, 200)
        self.nodes.end_move(slot, source, target)
        self.assertEqual(ask(self.gate.address, fields=[("X-A", callers[0])]).status, 200)
        self.assertEqual(sorted(map(used_of, self.values(":window:"))), [3] * 5 + [5])
        metrics = self.metrics(self.gate)
        self.assertGreater(metrics.value("penstock_store_cluster_redirects_total"), 0)
        self.assertEqual(metrics.value("penstock_store_errors_total"), before)

    def test_an_authority_that_nobody_named_is_not_trusted(self):
        self.nodes = self.cluster(tls=self.files)
        self.app = self.upstream()
        self.app.expect_nothing()
        other = Authority(self.folder(), "other")
        gate = self.gateway(self.app, f"redis: {{url: \"{self.nodes.url}\", check_timeout: 1s, tls: {{ca_file: {other.certificate}}}}}\n" + WINDOW)
        wait_until(lambda: "cannot learn the slots" in gate.stderr, what="the reason in the log")
        self.assertEqual(ask(gate.address, fields=[("X-A", "a")]).status, 503)
        self.assertEqual(self.metrics(gate).value("penstock_store_up"), 0)
        self.assertEqual(self.values("window"), [])

    def test_a_primary_dies_and_its_replica_is_verified_too(self):
        self.start(WINDOW.replace("deny", "local"), replicas=1, tls=self.files, terms=self.trust, check_timeout="1s", node_timeout_ms=1000)
        caller = self.scattered(1)[0]
        load = Load(self.gate)
        self.assertEqual(ask(self.gate.address, fields=[("X-A", caller)]).status, 200)
        dead = self.owner_of_caller(caller)
        replica = self.nodes.replicas_of(dead)[0]
        dead.kill()
        wait_until(replica.is_primary, what="the replica to be promoted")

        def served():
            before = replica.calls().get("evalsha", 0)
            self.assertEqual(ask(self.gate.address, fields=[("X-A", caller)]).status, 200)
            return replica.calls().get("evalsha", 0) > before
        wait_until(served, what="the promoted replica to be asked")
        self.assertEqual({response.status for response, _ in load.finish()}, {200})


class LeastRights(ClusterCase):
    def test_the_documented_rights_are_enough_on_a_cluster_over_tls(self):
        authority = Authority(self.folder())
        self.nodes = self.cluster(tls=(*authority.sign("node", "IP:127.0.0.1"), authority.certificate))
        for node in self.nodes.primaries:
            node.command("ACL", "SETUSER", "penstock", "reset", "on", ">pw", *rights(), *cluster_rights())
        self.app = self.upstream()
        url = self.nodes.url.replace("://", "://penstock:pw@")
        gate = self.gateway(self.app, f"redis: {{url: \"{url}\", check_timeout: 5s, tls: {{ca_file: {authority.certificate}}}}}\n"
                            + denying(LIMITS))
        wait_until(lambda: self.metrics(gate).value("penstock_store_up") == 1, what="the connections")
        slot = self.nodes.slot_of("{everyone}")
        source = self.nodes.owner_of(slot)
        target = next(each for each in self.nodes.primaries if each is not source)
        for step in (lambda: None, lambda: self.nodes.begin_move(slot, target), lambda: self.nodes.end_move(slot, source, target)):
            step()
            for _ in range(3):
                self.assertEqual(ask(gate.address, target="/a").status, 200)
            for _ in range(100):
                self.assertEqual(ask(gate.address, target="/leased").status, 200)
        gate.stop()  # what is leased and held goes back
        self.assertEqual([node.command("ACL", "LOG") for node in self.nodes.primaries], [[]] * 3)
