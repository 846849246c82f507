"""Redis killed and started again and again under light load: nothing is lost, nothing leaks."""

import os
import subprocess

from support.gateway_case import GatewayCase
from support.ports import free_port
from support.quick_upstream import QuickUpstream
from support.waiting import DEADLINE, SLOWNESS, wait_seconds, wait_until
from test_redis_failures import Load

CONFIGURATION = """
workers: 2
redis: {{url: "redis://127.0.0.1:{port}/0", check_timeout: 100ms, breaker: {{open_for: 10ms, open_for_max: 20ms}}}}
limits: {{k: {{key: client.ip, on_store_failure: allow, fixed_window: {{limit: 1000000, window: 1h}}}}}}
global_limits: [k]
upstreams: {{app: {{servers: ["{server}"]}}}}
"""
MEBIBYTE = 1024 ** 2
PROVEN = 1.1  # seconds, after which a connection was a good one, so that the next is tried for at once
SETTLED = 10  # restarts, after which nothing should grow any more


class Restarts(GatewayCase):
    restarts = 20

    def seen(self, count, state):
        """For a run that prints."""

    def state(self, gate, load):
        metrics = self.metrics(gate)
        return (len(os.listdir(f"/proc/{gate.process.pid}/fd")), gate.resident_bytes() // 1024, len(load.results),
                int(metrics.value("penstock_store_connects_total")), gate.stderr.count("\n"))

    def start_redis(self, port):
        process = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--logfile",
                                    "/dev/null"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._server = process
        return process

    def test_descriptors_and_memory_stay(self):
        app, port = QuickUpstream(), free_port()
        self._server = None
        self.addCleanup(lambda: self._server and self._server.kill())
        self.addCleanup(app.close)
        gate = self.gateway(None, CONFIGURATION.format(port=port, server=app.server))
        load = Load(gate, clients=2)
        first = None
        for count in range(1, self.restarts + 1):
            before = self.metrics(gate).value("penstock_store_connects_total")
            server = self.start_redis(port)
            # Both workers are connected to this one.
            wait_until(lambda: self.metrics(gate).value("penstock_store_connects_total") >= before + 2, what="connections")
            load.more(4)
            wait_seconds(PROVEN)
            server.kill()
            server.wait(DEADLINE)
            state = self.state(gate, load)
            if count == SETTLED:
                first = state
            self.seen(count, state)
        self.assertEqual({response.status for response, _ in load.finish()}, {200})
        # Two connections may be on their way at either look.
        self.assertLessEqual(state[0], first[0] + 4)
        if SLOWNESS == 1:  # a sanitizer keeps what is freed, and says at the end what is not
            self.assertLess(state[1] * 1024, first[1] * 1024 + 4 * MEBIBYTE)
