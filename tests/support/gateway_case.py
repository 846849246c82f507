"""The base of the integration tests: starts what a test needs and ends it afterwards, in reverse order."""

import re
import shutil
import tempfile
import threading
import unittest

from support.fake_upstream import FakeUpstream
from support.gateway_process import Gateway
from support.http_client import Connection, ask
from support.metrics_text import Metrics
from support.redis_cluster import RedisCluster
from support.redis_server import RedisServer
from support.waiting import wait_until

# What a configuration has unless the test writes the key itself.
DEFAULTS = {
    "workers": "workers: 2",
    "listeners": "listeners: [{address: 127.0.0.1:0}]",
    "admin": "admin: {address: 127.0.0.1:0}",
    "access_log": "access_log: off",
    "routes": "routes: [{match: {path: /**}, upstream: app}]",
}


def compose(text, server=None):
    """`text` with the defaults for the top-level keys that it does not have."""
    has = set(re.findall(r"^([a-z_]+):", text, re.MULTILINE))
    lines = [line for key, line in DEFAULTS.items() if key not in has]
    if server and "upstreams" not in has:
        lines.append(f"upstreams: {{app: {{servers: [\"{server}\"]}}}}")
    return "\n".join(lines) + "\n" + text


class GatewayCase(unittest.TestCase):
    maxDiff = None

    def folder(self):
        path = tempfile.mkdtemp(prefix="penstock-")
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path

    def upstream(self, script=None, unix_path=None):
        upstream = FakeUpstream(script, unix_path)
        self.addCleanup(upstream.close)
        return upstream

    def gateway(self, upstream=None, text="", **more):
        """A running gateway; `text` is YAML, completed by compose()."""
        gateway = Gateway(compose(text, upstream.server if upstream else None), self.folder(), **more)
        self.addCleanup(gateway.stop)
        return gateway

    def redis(self, **more):
        server = RedisServer(self.folder(), **more)
        self.addCleanup(server.kill)
        self.addCleanup(server.thaw)
        return server

    def cluster(self, **more):
        cluster = RedisCluster(self.folder(), **more)
        self.addCleanup(cluster.close)
        return cluster

    def wait_for_connections(self, server, count):
        """Until that many gateways' workers are connected to Redis: what arrives earlier is answered by failure mode."""
        def connected():
            lines = server.command("CLIENT", "LIST").decode().splitlines()
            return len([line for line in lines if "cmd=client" not in line]) >= count
        wait_until(connected, what=f"{count} connections to Redis")

    def connect(self, gateway):
        connection = Connection(gateway.address)
        self.addCleanup(connection.close)
        return connection

    def metrics(self, gateway):
        response = ask(gateway.admin, target="/metrics")
        self.assertEqual(response.status, 200)
        return Metrics(response.body.decode())

    def together(self, count, action):
        """Runs action(0) .. action(count - 1) on threads of their own; their results, in order."""
        results, problems = [None] * count, []

        def run(index):
            try:
                results[index] = action(index)
            except BaseException as problem:  # handed to the test's own thread below
                problems.append(problem)
        threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if problems:
            raise problems[0]
        return results
