"""A reload and the connections to Redis: other terms (check_timeout, connect_timeout, breaker, max_pending) are taken over by the ones
that stand; only another address, login, TLS, database or prefix makes new ones."""

import json
import select
import signal

from support.gateway_case import GatewayCase, compose
from support.http_client import ask, request
from support.waiting import DEADLINE, wait_until

OF_GATEWAY = ("evalsha", "eval", "ping", "asking")  # what a connection of a worker was asked last

CONFIGURATION = """
workers: {workers}
access_log: on
redis: {{url: "{url}", connect_timeout: 60s{terms}}}
limits: {{k: {{key: {key}, on_store_failure: deny, fixed_window: {{limit: 1000000, window: 1h}}}}}}
global_limits: [k]
"""


class Reload(GatewayCase):
    def start(self, url, terms, workers=2, key="everyone"):
        self.url, self.workers, self.key, self.app = url, workers, key, self.upstream()
        self.gate = self.gateway(self.app, self.configuration(url, terms))
        wait_until(lambda: self.metrics(self.gate).value("penstock_store_up") == 1, what="the connections")

    def configuration(self, url, terms):
        return CONFIGURATION.format(url=url, terms=terms, workers=self.workers, key=self.key)

    def reload(self, terms, url=None):
        before = self.metrics(self.gate).value("penstock_config_reloads_total", result="success")
        self.gate.write_configuration(compose(self.configuration(url or self.url, terms), self.app.server))
        self.gate.signal(signal.SIGHUP)
        wait_until(lambda: self.metrics(self.gate).value("penstock_config_reloads_total", result="success") > before, what="the reload")
        self.assertEqual(ask(self.gate.admin, target="/metrics").status, 200)  # every worker has answered: each has the new snapshot

    def connections(self, server):
        """Of the gateway, by the number that Redis gives each connection once in its life."""
        found = set()
        for line in server.command("CLIENT", "LIST").decode().splitlines():
            fields = dict(word.split("=", 1) for word in line.split())
            if fields["cmd"].split("|")[0] in OF_GATEWAY and fields["flags"] == "N":
                found.add(int(fields["id"]))
        return found

    def error_count(self, kind):
        return self.metrics(self.gate).value("penstock_store_errors_total", kind=kind)

    def test_another_check_timeout_is_in_force_on_the_connections_that_stand(self):
        server = self.redis()
        self.start(server.url, ", check_timeout: 10s")
        before = self.connections(server)
        self.assertEqual(len(before), 2)
        self.reload(", check_timeout: 50ms, breaker: {failures: 1000}")
        self.assertEqual(ask(self.gate.address).status, 200)
        self.assertEqual(self.connections(server), before)
        server.freeze()
        self.assertEqual(ask(self.gate.address).status, 503)
        server.thaw()
        wait_until(lambda: len(self.gate.stdout.splitlines()) == 2, what="the access log")
        waited = json.loads(self.gate.stdout.splitlines()[1])["penstock.check_us"] / 1e6
        self.assertLess(waited, 5)  # of the 10 s that it was
        self.assertGreater(self.error_count("timed_out"), 0)
        self.reload(", check_timeout: 10s")
        self.assertEqual(ask(self.gate.address).status, 200)
        self.assertEqual(self.connections(server), before)
        self.assertEqual(self.metrics(self.gate).value("penstock_store_connects_total"), 2)

    def test_a_breaker_that_is_open_stays_so_and_has_the_new_figures(self):
        server = self.redis()
        self.start(server.url, ", check_timeout: 5s, breaker: {failures: 3, open_for: 1h, open_for_max: 1h}", workers=1)
        before = self.connections(server)
        server.command("CONFIG", "SET", "maxmemory", "1")
        for _ in range(3):
            self.assertEqual(ask(self.gate.address).status, 503)
        wait_until(lambda: "breaker open: out_of_memory" in self.gate.stderr, what="the warning")
        server.command("CONFIG", "SET", "maxmemory", "0")
        self.assertEqual(ask(self.gate.address).status, 503)  # for up to an hour
        self.reload(", check_timeout: 5s, breaker: {failures: 1, open_for: 10ms, open_for_max: 10ms}")
        wait_until(lambda: "breaker closed" in self.gate.stderr, what="a probe as soon as the new figures have it")
        self.assertEqual(ask(self.gate.address).status, 200)
        self.assertEqual(self.gate.stderr.count("breaker open"), 1)
        server.command("CONFIG", "SET", "maxmemory", "1")
        self.assertEqual(ask(self.gate.address).status, 503)
        wait_until(lambda: self.gate.stderr.count("breaker open") == 2, what="one failure to be enough")
        self.assertEqual(self.connections(server), before)

    def test_another_max_pending_bounds_what_waits(self):
        server = self.redis()
        self.start(server.url, ", check_timeout: 10s", workers=1, key="header.x-a")
        before = self.connections(server)
        self.reload(", check_timeout: 10s, max_pending: 1")
        server.freeze()
        clients = {}
        for caller in ("a", "b"):
            client = self.connect(self.gate)
            client.send(request(fields=[("X-A", caller)]))
            clients[client.socket] = client
        (turned_away,), _, _ = select.select(clients, [], [], DEADLINE)
        self.assertEqual(clients.pop(turned_away).read_response().status, 503)
        self.assertGreater(self.error_count("overloaded"), 0)
        server.thaw()
        self.assertEqual([client.read_response().status for client in clients.values()], [200])
        self.assertEqual(self.connections(server), before)

    def test_twenty_reloads_make_no_connection(self):
        server = self.redis()
        self.start(server.url, ", check_timeout: 5s", workers=1)
        before = self.connections(server)
        for number in range(20):
            self.reload(f", check_timeout: {5000 + number}ms, breaker: {{failures: {5 + number}}}")
            self.assertEqual(ask(self.gate.address).status, 200)
        self.assertEqual(self.connections(server), before)

    def test_another_address_or_database_takes_a_new_connection(self):
        server = self.redis()
        self.start(server.url, ", check_timeout: 5s")
        before = self.connections(server)
        for url in (server.url.replace("127.0.0.1", "localhost"), server.url[:-1] + "3"):
            self.reload(", check_timeout: 5s", url)
            wait_until(lambda: self.metrics(self.gate).value("penstock_store_up") == 1, what="the new connections")
            self.assertEqual(ask(self.gate.address).status, 200)
            wait_until(lambda: len(self.connections(server)) == 2, what="the former ones to end")
            after = self.connections(server)
            self.assertFalse(before & after)
            before = after

    def test_in_a_cluster_too(self):
        nodes = self.cluster()
        self.start(nodes.url, ", check_timeout: 10s")
        for node in nodes.primaries:
            wait_until(lambda each=node: len(self.connections(each)) == 2, what="one connection for each worker")
        before = [self.connections(node) for node in nodes.primaries]
        self.reload(", check_timeout: 50ms, max_pending: 100, breaker: {failures: 1000, open_for: 10ms, open_for_max: 10ms}")
        self.assertEqual(ask(self.gate.address).status, 200)
        owner = nodes.owner_of(nodes.slot_of("{everyone}"))
        owner.freeze()
        self.assertEqual(ask(self.gate.address).status, 503)
        owner.thaw()
        wait_until(lambda: len(self.gate.stdout.splitlines()) == 2, what="the access log")
        self.assertLess(json.loads(self.gate.stdout.splitlines()[1])["penstock.check_us"] / 1e6, 5)
        self.assertGreater(self.error_count("timed_out"), 0)
        self.assertEqual([self.connections(node) for node in nodes.primaries], before)

    def test_another_connect_timeout_is_in_force_on_a_try_under_way(self):
        server = self.redis()
        self.start(server.url, ", check_timeout: 5s", workers=1)
        server.freeze()  # the kernel still accepts: the greeting stays without an answer
        self.reload(", check_timeout: 5s", server.url[:-1] + "3")
        refused = "penstock_store_connect_failures_total"
        self.assertEqual(self.metrics(self.gate).value(refused), 0)
        self.gate.write_configuration(compose(self.configuration(server.url[:-1] + "3", ", check_timeout: 5s").replace(
            "connect_timeout: 60s", "connect_timeout: 100ms"), self.app.server))
        self.gate.signal(signal.SIGHUP)
        wait_until(lambda: self.metrics(self.gate).value(refused) > 0, what="the try to end")
        server.thaw()


RIGHTS = "+ping +evalsha +eval +time +get +mget +set +incrby +append +del"
OWING = """
workers: 1
redis: {{url: "{url}", key_prefix: "{prefix}", check_timeout: 5s, breaker: {{failures: 3, open_for: 100ms, open_for_max: 100ms}}}}
limits: {{k: {{key: header.x-a, on_store_failure: local, fixed_window: {{limit: 1000, window: 1d}}}}}}
global_limits: [k]
"""


class OwedForAnOutage(GatewayCase):
    """What was charged while Redis was gone, and what its user has no right to when it is back."""

    def start(self):
        self.server, self.app = self.redis(), self.upstream()
        self.server.command("ACL", "SETUSER", "old", "on", ">pw", "~rl:*", *RIGHTS.split())
        self.gate = self.gateway(self.app, self.configuration("old", "rl:"))
        self.wait_for("penstock_store_up", 1)
        for caller in "ab":
            self.assertEqual(self.ask(caller), 200)
        owned = self.server.keys()
        self.server.kill()
        self.wait_for("penstock_store_up", 0)
        for caller in "aaab":
            self.assertEqual(self.ask(caller), 200)
        self.wait_for("penstock_outage_counters", 2)
        return owned

    def configuration(self, user, prefix):
        return OWING.format(url=f"redis://{user}:pw@127.0.0.1:{self.server.port}/0", prefix=prefix)

    def ask(self, caller):
        return ask(self.gate.address, fields=[("X-A", caller)]).status

    def value(self, name, **labels):
        return self.metrics(self.gate).value(name, **labels)

    def wait_for(self, name, value):
        wait_until(lambda: self.value(name) == value, what=f"{name} {value}")

    def restart(self, user, keys):
        self.server.start(more=["--user", user, "on", ">pw", *(f"~{key}" for key in keys), *RIGHTS.split()])

    def expect_no_breaker_for(self, caller):
        self.wait_for("penstock_store_up", 1)
        self.wait_for("penstock_store_breaker_state", 0)
        for _ in range(20):
            self.assertEqual(self.ask(caller), 200)
        self.assertNotIn("breaker open: refused_login", self.gate.stderr)

    def test_under_a_prefix_that_a_reload_has_left(self):
        self.start()
        self.gate.write_configuration(compose(self.configuration("new", "p:"), self.app.server))
        self.gate.signal(signal.SIGHUP)
        self.wait_for("penstock_config_reloads_total", 1)
        self.wait_for("penstock_outage_permits_not_recorded_total", 4)
        self.assertEqual(self.value("penstock_outage_counters"), 0)
        self.restart("new", ["p:*"])
        self.expect_no_breaker_for("a")
        self.assertEqual(self.value("penstock_store_errors_total", kind="refused_login"), 0)

    def test_for_a_key_that_the_user_has_lost(self):
        owned = self.start()
        lost = next(key for key in owned if "{a" in key or "a}" in key)
        self.restart("old", [key for key in owned if key != lost] + ["rl:{penstock*"])
        self.expect_no_breaker_for("b")
        wait_until(lambda: self.value("penstock_store_errors_total", kind="refused_login") == 1, what="the refusal")
        self.wait_for("penstock_outage_counters", 1)
        self.assertEqual(self.value("penstock_outage_permits_not_recorded_total"), 0)
        self.expect_no_breaker_for("b")
        self.assertEqual(self.value("penstock_store_errors_total", kind="refused_login"), 1)  # it is not tried again
        self.server.command("ACL", "SETUSER", "old", "~rl:*")
        self.assertEqual(self.ask("a"), 200)
        self.wait_for("penstock_outage_counters", 0)
        self.assertEqual(self.value("penstock_outage_permits_handed_over_total"), 4)  # three of a, one of b
