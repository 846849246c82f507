"""Sentinel, with real ones: the primary is found, followed when it moves, and nothing else is taken for it."""

import os

from support.gateway_case import GatewayCase
from support.http_client import ask
from support.ports import free_port
from support.redis_server import RedisServer
from support.sentinel import Sentinel, Watched
from support.waiting import DEADLINE, wait_until
from test_redis_failures import Load

LONG = 2 * DEADLINE  # a failover takes the sentinels some seconds, on a busy machine more


def configuration(url, mode="allow", more="", limit=1_000_000):
    return f"""
redis: {{url: "{url}", check_timeout: 500ms, breaker: {{open_for: 100ms, open_for_max: 400ms}}{more}}}
limits: {{k: {{key: everyone, on_store_failure: {mode}, fixed_window: {{limit: {limit}, window: 1h}}}}}}
global_limits: [k]
"""


class Found(GatewayCase):
    """One sentinel that watches one server."""

    def watched(self, options=(), server_options=()):
        server = self.redis(options=server_options)
        sentinel = Sentinel(self.folder(), server.port, 1, 1000, options)
        self.addCleanup(sentinel.kill)
        return server, sentinel

    def serves(self, url, more=""):
        app = self.upstream()
        gate = self.gateway(app, configuration(url, "deny", more, limit=3))
        wait_until(lambda: self.metrics(gate).value("penstock_store_up") == 1, what="the primary")
        self.assertEqual([ask(gate.address).status for _ in range(4)], [200] * 3 + [429])
        return gate

    def test_sentinels_that_do_not_answer_are_passed_over(self):
        server, sentinel = self.watched()
        silent = self.redis()
        silent.freeze()
        gate = self.serves(f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{silent.port},127.0.0.1:{sentinel.port}/main?db=2")
        self.assertEqual(server.keys(), [])  # of database 0
        with server.client() as client:
            client("SELECT", "2")
            counters = [key for key in client("KEYS", "rl:*") if not key.startswith(b"rl:{penstock")]
            self.assertEqual(len(counters), 1)
        self.assertIn(f"redis: connected to 127.0.0.1:{server.port}, the primary of main", gate.stderr)

    def test_logins_of_sentinel_and_redis_are_two(self):
        server, sentinel = self.watched(["requirepass watcher"], ["--user", "gate", "on", ">pw", "~*", "+@all"])
        folder = self.folder()
        with open(os.path.join(folder, "secret"), "w", encoding="utf-8") as file:
            file.write("watcher\n")
        self.serves(f"redis+sentinel://gate:pw@127.0.0.1:{sentinel.port}/main", f", sentinel: {{password_file: {folder}/secret}}")
        connections = server.command("CLIENT", "LIST").decode().count("user=gate")
        self.assertGreater(connections, 0)
        app = self.upstream()
        gate = self.gateway(app, configuration(f"redis+sentinel://gate:pw@127.0.0.1:{sentinel.port}/main"))
        wait_until(lambda: "NOAUTH" in gate.stderr, what="the refusal in the log")
        self.assertEqual(ask(gate.address).status, 200)
        self.assertEqual(server.command("CLIENT", "LIST").decode().count("user=gate"), connections)

    def test_a_user_without_a_right_to_one_channel_listens_to_the_other_and_says_so(self):
        _, sentinel = self.watched(["user w on >pw resetchannels &+switch-master +auth +sentinel|get-master-addr-by-name +subscribe"])
        gate = self.gateway(self.upstream(), configuration(f"redis+sentinel://127.0.0.1:{sentinel.port}/main", "deny",
                                                           ", sentinel: {user: w, password: pw}"))
        refused = f"sentinel 127.0.0.1:{sentinel.port} refuses +promoted-slave, which tells of a moved primary: NOPERM"
        wait_until(lambda: refused in gate.stderr, what="the refusal in the log")

        def listeners():
            mine = [line for line in sentinel.command("CLIENT", "LIST").decode().splitlines() if "user=w" in line]
            return sum("sub=1" in line for line in mine)
        wait_until(lambda: listeners() == 2, what="both workers listening")
        self.assertEqual(gate.stderr.count("refuses +promoted-slave"), 1)
        wait_until(lambda: self.metrics(gate).value("penstock_store_errors_total", kind="refused_login") == 2, what="both refusals")
        self.assertEqual(ask(gate.address).status, 200)

    def test_a_name_that_nobody_knows_is_said_once(self):
        _, sentinel = self.watched()
        gate = self.gateway(self.upstream(), configuration(f"redis+sentinel://127.0.0.1:{sentinel.port}/other"))
        wait_until(lambda: self.metrics(gate).value("penstock_store_errors_total", kind="no_primary") >= 8, what="some tries")
        self.assertEqual(gate.stderr.count("cannot use"), 1)
        self.assertIn("knows no such primary", gate.stderr)
        self.assertEqual(ask(gate.address).status, 200)

    def test_what_a_sentinel_names_must_be_a_primary(self):
        server, sentinel = self.watched()
        replica = self.redis(options=["--replicaof", "127.0.0.1", str(server.port)])
        liar = Sentinel(self.folder(), replica.port, 9, 60_000)  # watches a replica as if it were a primary: and says so
        self.addCleanup(liar.kill)
        wait_until(lambda: b"master_link_status:up" in replica.command("INFO", "replication"), what="replication")
        url = f"redis+sentinel://127.0.0.1:{liar.port},127.0.0.1:{sentinel.port}/main"
        app = self.upstream()
        gate = self.gateway(app, configuration(url, "deny"))
        wait_until(lambda: ask(gate.address).status == 200, what="the true primary")
        self.assertEqual(replica.calls().get("evalsha", 0), 0)


def is_replica(server):
    try:
        return b"role:slave" in server.command("INFO", "replication")
    except ConnectionError:  # a sentinel that makes it one closes everybody's connections
        return False


class Failover(GatewayCase):
    def setUp(self):
        self.watched = Watched(self.folder)
        self.addCleanup(self.watched.kill)
        self.app = self.upstream()
        self.gate = self.gateway(self.app, configuration(self.watched.url))
        wait_until(lambda: self.metrics(self.gate).value("penstock_store_up") == 1, what="the primary")

    def follows(self, action):
        """Under load: no request is lost or failed, and the new primary counts within some seconds."""
        old = self.watched.primary()
        load = Load(self.gate)
        load.more()
        action(old)
        wait_until(lambda: self.watched.primary() is not old, LONG, "another primary")
        new = self.watched.primary()
        wait_until(lambda: new.calls().get("evalsha", 0) > 0, LONG, "checks at the new primary")
        wait_until(lambda: self.metrics(self.gate).value("penstock_store_breaker_state") == 0, LONG, "service")
        load.more()
        self.assertEqual({response.status for response, _ in load.finish()}, {200})
        wait_until(lambda: f"connected to 127.0.0.1:{new.port}, the primary of main" in self.gate.stderr, what="the good news in the log")
        self.assertLess(self.gate.stderr.count("\n"), 20, self.gate.stderr)
        return old, new

    def test_the_primary_dies_and_returns_as_a_replica(self):
        old, new = self.follows(lambda primary: primary.kill())
        old.start()
        wait_until(lambda: is_replica(old), LONG, "the old primary as a replica")
        calls = new.calls()["evalsha"]
        ask(self.gate.address)
        self.assertGreater(new.calls()["evalsha"], calls)

    def test_the_primary_stands_still(self):
        self.follows(RedisServer.freeze)

    def test_an_operator_moves_the_primary(self):
        self.follows(lambda _: self.watched.fail_over())
