"""The limits once more with their counters in Redis, and what Redis gets to see of it."""

import re

import test_limits

from support.gateway_case import GatewayCase
from support.http_client import Connection, ask
from support.waiting import wait_until


class InRedis:
    """Gives a suite of test_limits a Redis of its own."""

    def setUp(self):
        super().setUp()
        self.server = self.redis()
        self.store = f"redis: {{url: \"{self.server.url}\", check_timeout: 2s}}\n"

    def start(self, text):
        self.server.command("FLUSHALL")
        super().start(text)
        self.wait_for_connections(self.server, 2)


class AlgorithmsInRedis(InRedis, test_limits.Algorithms):
    pass


class SeveralInRedis(InRedis, test_limits.Several):
    pass


class KeysInRedis(InRedis, test_limits.Keys):
    pass


class ExceptionsInRedis(InRedis, test_limits.Exceptions):
    pass


THREE = """
auth: {api_keys: {from: [header X-API-Key]}}
limits:
  per-key: {key: api_key, token_bucket: {capacity: 1000, refill: 1000/minute}}
  per-address: {key: client.ip, fixed_window: {limit: 1000, window: 60s}}
  small: {key: everyone, fixed_window: {limit: 60, window: 60s}}
global_limits: [per-key, per-address, small]
"""


class Exchange(GatewayCase):
    """What passes between a gateway and Redis."""

    def start(self, text=THREE, workers=2, more="", **options):
        self.server = self.redis(**options)
        self.app = self.upstream()
        self.gate = self.gateway(self.app, f"workers: {workers}\nredis: {{url: \"{self.server.url}\", check_timeout: 2s{more}}}\n" + text)
        self.wait_for_connections(self.server, workers)

    def watched(self, action):
        """The commands, without those of scripts and announcements, that Redis got from others while `action` ran."""
        lines = []
        with self.server.client() as watcher:
            watcher("MONITOR")
            action()
            self.server.command("ECHO", "the-end")
            while "the-end" not in (line := watcher.file.readline().decode("latin-1")):
                if not re.search(r"\[\d+ lua\]", line) and "penstock-gateways" not in line:
                    lines.append(re.search(r'"([^"]*)"', line)[1].lower())
        return lines

    def test_one_evalsha_per_request_until_the_first_refusal_and_nothing_else(self):
        self.start()
        with Connection(self.gate.address) as client:
            client.ask(fields=[("X-API-Key", "k")])
            commands = self.watched(lambda: [client.ask(fields=[("X-API-Key", "k")]) for _ in range(100)])
        self.assertEqual([each for each in commands if each != "ping"], ["evalsha"] * 60)  # the first refusal stands for the other 40
        self.assertEqual(self.app.count(), 60)

    def test_a_request_without_limits_does_not_reach_redis(self):
        self.start(THREE + "routes: [{match: {path: /**}, upstream: app, limits: none}]")
        commands = self.watched(lambda: [ask(self.gate.address) for _ in range(20)])
        self.assertNotIn("evalsha", commands)

    def test_a_limit_of_the_instance_does_not_reach_redis(self):
        self.start("limits: {k: {key: everyone, scope: instance, fixed_window: {limit: 5, window: 1h}}}\nglobal_limits: [k]")
        found = []
        commands = self.watched(lambda: found.extend(ask(self.gate.address).status for _ in range(8)))
        self.assertNotIn("evalsha", commands)
        self.assertLessEqual(found.count(200), 5)

    def test_what_memory_refuses_does_not_reach_redis(self):
        self.start("limits:\n  here: {key: everyone, scope: instance, fixed_window: {limit: 1, window: 1h}}\n"
                   "  fleet: {key: everyone, fixed_window: {limit: 100, window: 1h}}\nglobal_limits: [fleet, here]", workers=1)
        self.assertEqual(ask(self.gate.address).status, 200)
        commands = self.watched(lambda: [self.assertEqual(ask(self.gate.address).status, 429) for _ in range(10)])
        self.assertNotIn("evalsha", commands)

    def test_one_connection_per_worker(self):
        for workers in (1, 2):
            self.start(workers=workers)
            self.together(16, lambda _: [ask(self.gate.address).status for _ in range(5)])

            def connections():
                listed = self.server.command("CLIENT", "LIST").decode().splitlines()
                return len([line for line in listed if "cmd=client" not in line])
            wait_until(lambda: connections() == workers, what=f"{workers} connections")

    def test_every_key_has_the_prefix_and_expires(self):
        self.start()
        ask(self.gate.address, fields=[("X-API-Key", "k")])
        keys = self.server.keys()
        self.assertGreaterEqual(len(keys), 1)
        for key in keys:
            self.assertTrue(key.startswith("rl:"), key)
            self.assertIn(self.server.command("PTTL", key), range(1, 120_001))

    def test_the_identity_is_readable_and_the_hash_tag(self):
        self.start()
        ask(self.gate.address)
        self.assertTrue(any("{" in key and "127.0.0.1" in key for key in self.server.keys()), self.server.keys())

    def test_the_prefix_is_configurable(self):
        self.start(more=", key_prefix: \"other:\"")
        ask(self.gate.address)
        self.assertTrue(all(key.startswith("other:") for key in self.server.keys()), self.server.keys())

    def test_ak_5_api_keys_are_never_written(self):
        self.start()
        with self.server.client() as watcher:
            watcher("MONITOR")
            ask(self.gate.address, fields=[("X-API-Key", "canary-key-77")])
            self.server.command("ECHO", "the-end")
            while "the-end" not in (line := watcher.file.readline().decode("latin-1")):
                self.assertNotIn("canary-key-77", line)

    def test_a_refusal_writes_nothing(self):
        self.start("limits:\n  a: {key: everyone, fixed_window: {limit: 1, window: 1h}}\n"
                   "  b: {key: client.ip, token_bucket: {capacity: 50, refill: 1/hour}}\nglobal_limits: [a, b]")
        self.assertEqual(ask(self.gate.address).status, 200)
        before = self.changes()
        for _ in range(200):
            self.assertEqual(ask(self.gate.address).status, 429)
        self.assertLess(self.changes() - before, 100)  # the gateway announces itself once a second, by a write

    def changes(self):
        return int(re.search(r"rdb_changes_since_last_save:(\d+)", self.server.command("INFO", "persistence").decode())[1])

    def test_noscript_is_answered_in_the_same_exchange(self):
        self.start("limits: {k: {key: everyone, on_store_failure: deny, fixed_window: {limit: 50, window: 1h}}}\nglobal_limits: [k]")
        for _ in range(5):
            self.assertEqual(ask(self.gate.address).status, 200)
            self.server.command("SCRIPT", "FLUSH")
        response = ask(self.gate.address)
        self.assertRegex(response["RateLimit"], r'^"k";r=44;t=\d+$')

    def test_two_gateways_share_a_counter(self):
        self.start("limits: {k: {key: everyone, fixed_window: {limit: 3, window: 1h}}}\nglobal_limits: [k]")
        other = self.gateway(self.app, f"redis: {{url: \"{self.server.url}\", check_timeout: 2s}}\n"
                                       "limits: {k: {key: everyone, fixed_window: {limit: 3, window: 1h}}}\nglobal_limits: [k]")
        self.wait_for_connections(self.server, 4)
        found = [ask(gate.address).status for gate in (self.gate, other, self.gate, other, self.gate)]
        self.assertEqual(found, [200, 200, 200, 429, 429])

    def test_redis_on_a_unix_socket(self):
        self.start(unix=True)
        ask(self.gate.address)
        self.assertGreaterEqual(len(self.server.keys()), 1)

    def test_another_database(self):
        self.start()
        gate = self.gateway(self.app, f"redis: {{url: \"{self.server.url[:-1]}3\", check_timeout: 2s}}\n" + THREE)
        ask(gate.address)
        with self.server.client() as client:
            client("SELECT", "3")
            self.assertGreaterEqual(client("DBSIZE"), 1)

    def test_a_password(self):
        server = self.redis(options=["--user", "gate", "on", ">s3cret", "~*", "&*", "+@all"])
        app = self.upstream()
        gate = self.gateway(app, f"redis: {{url: \"redis://gate:s3cret@127.0.0.1:{server.port}/0\", check_timeout: 2s}}\n" + THREE)
        ask(gate.address)
        self.assertGreaterEqual(len(server.keys()), 1)
        self.assertNotIn("s3cret", gate.stderr)
