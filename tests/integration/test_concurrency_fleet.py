"""Two gateways, one Redis, one limit on requests at once: never more at the upstream, and every permit comes back."""

import struct
import threading
import time

from support.fake_upstream import reply
from support.gateway_case import GatewayCase
from support.http_client import Connection, ask, request
from support.waiting import SLACK, wait_until

LIMIT = 5
LAPSE = 5.0  # seconds after which Redis frees what no gateway renews
UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"

CONFIGURATION = """
workers: 2
redis: {{url: "{url}", check_timeout: 500ms, breaker: {{failures: 5, open_for: 200ms, open_for_max: 400ms}}}}
limits: {{database: {{key: everyone, on_store_failure: deny, concurrency: {{limit: {limit}}}}}}}
global_limits: [database]
message_limits: {{body: 1KiB}}
upstreams: {{app: {{servers: ["{server}"], retries: 0, timeouts: {{response: {response}}}}}}}
"""


class SlowApp:
    """Holds each request for a while, or under /held until let go, and counts how many it has at once."""

    def __init__(self):
        self.let_go = threading.Event()
        self.now = self.most = 0
        self._lock = threading.Lock()

    def _count(self, step):
        with self._lock:
            self.now += step
            self.most = max(self.most, self.now)

    def __call__(self, exchange):
        self._count(1)
        try:
            self._work(exchange)
        finally:
            self._count(-1)
        if exchange.open and exchange.request.target != "/tunnel":
            exchange.send(reply(body=b"ok"))

    def _work(self, exchange):
        target = exchange.request.target
        if target == "/tunnel":
            exchange.send(SWITCH)
            exchange.hang()
        elif target == "/hang":
            exchange.hang()
        elif target == "/reset":
            exchange.wait_for(self.let_go)
            exchange.reset()
        elif target == "/held":
            exchange.wait_for(self.let_go)
        else:
            exchange.read_body()
            self.let_go.wait(0.02)


class Load:
    """Clients that ask until stopped, on connections of their own."""

    def __init__(self, gateways, clients):
        self.statuses, self.problems = [], []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(gateways[i % len(gateways)],), daemon=True)
                         for i in range(clients)]
        for thread in self._threads:
            thread.start()

    def _run(self, gateway):
        try:
            with Connection(gateway.address) as client:
                while not self._stop.is_set():
                    self.statuses.append(client.ask().status)
        except Exception as problem:  # raised again by finish()
            self.problems.append(problem)

    def until_admitted(self, count):
        """Waits for so many further 200s."""
        target = self.statuses.count(200) + count
        wait_until(lambda: self.problems or self.statuses.count(200) >= target, what=f"{count} more requests admitted")

    def finish(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self.problems:
            raise self.problems[0]


class Fleet(GatewayCase):
    def start(self, response="60s"):
        self.server, self.slow = self.redis(), SlowApp()
        self.app = self.upstream(self.slow)
        self.addCleanup(self.slow.let_go.set)
        text = CONFIGURATION.format(url=self.server.url, limit=LIMIT, server=self.app.server, response=response)
        self.gates = [self.gateway(text=text) for _ in range(2)]
        self.wait_for_connections(self.server, 4)

    def held(self):
        """Permits that Redis counts, by whomever."""
        with self.server.client() as client:
            values = [client("GET", key.decode()) or b"" for key in client("KEYS", "*:cc")]
        return sum(int(permits) for value in values for _, permits, _ in struct.iter_unpack("<ddd", value))

    def until_held(self, count, deadline=LAPSE / 2):
        """Sooner than by lapsing, unless told otherwise."""
        wait_until(lambda: self.held() == count, deadline + SLACK, f"{count} permits held")

    def hold(self, gate, count, target="/held", fields=()):
        """Requests under way on connections of their own."""
        before, clients = self.slow.now, []
        for _ in range(count):
            clients.append(self.connect(gate))
            clients[-1].send(request(target=target, fields=fields))
        wait_until(lambda: self.slow.now == before + count, what=f"{count} requests at the upstream")
        return clients

    def test_never_more_than_the_limit_at_once_and_all_of_it_used(self):
        self.start()
        load = Load(self.gates, 4 * LIMIT)
        load.until_admitted(200)
        load.finish()
        self.assertEqual(set(load.statuses), {200, 429})
        self.assertEqual(self.slow.most, LIMIT)
        self.until_held(0)

    def test_permits_come_back_however_a_request_ends(self):
        self.start(response=f"{SLACK + 1:.0f}s")
        first = self.gates[0]

        def client_reset():
            for client in self.hold(first, LIMIT):
                client.reset()

        def upstream_reset():
            clients = self.hold(first, LIMIT, "/reset")
            self.slow.let_go.set()
            self.assertEqual([client.read_response().status for client in clients], [502] * LIMIT)

        def answer():
            clients = self.hold(first, LIMIT)
            self.slow.let_go.set()
            self.assertEqual([client.read_response().status for client in clients], [200] * LIMIT)

        def time_out():
            clients = self.hold(first, LIMIT, "/hang")
            self.assertEqual([client.read_response().status for client in clients], [504] * LIMIT)

        def too_large():
            for _ in range(LIMIT):
                with Connection(first.address) as client:
                    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n" + b"x" * 16 + b"\r\n")
                    client.send(b"1000\r\n" + b"x" * 4096 + b"\r\n0\r\n\r\n")
                    self.assertEqual(client.read_response().status, 413)

        for end in (answer, client_reset, upstream_reset, time_out, too_large):
            with self.subTest(end=end.__name__):
                self.slow.let_go.clear()
                end()
                self.until_held(0)
                self.assertEqual(ask(self.gates[1].address).status, 200)
                self.slow.let_go.set()
                wait_until(lambda: self.slow.now == 0, what="an idle upstream")

    def test_a_tunnel_holds_its_permit_to_its_end(self):
        self.start()
        tunnels = self.hold(self.gates[0], LIMIT, "/tunnel", UPGRADE)
        for tunnel in tunnels:
            self.assertEqual(tunnel.read_head().status, 101)
        until = time.monotonic() + LAPSE + 1  # longer than a permit that nobody renews
        while time.monotonic() < until:
            self.assertEqual(ask(self.gates[1].address).status, 429)
        tunnels[0].close()
        wait_until(lambda: ask(self.gates[1].address).status == 200, LAPSE / 2 + SLACK, "the tunnel's permit")
        for tunnel in tunnels[1:]:
            tunnel.reset()
        self.until_held(0)

    def test_kill_9_frees_the_permits_within_six_seconds(self):
        self.start()
        self.hold(self.gates[0], LIMIT)
        self.assertEqual(ask(self.gates[1].address).status, 429)
        self.gates[0].expected_statuses = (-9,)
        self.gates[0].kill()
        wait_until(lambda: ask(self.gates[1].address).status == 200, LAPSE + 1 + SLACK, "a permit of the dead")
        self.until_held(0, LAPSE)
        self.slow.let_go.set()

    def test_a_redis_that_stands_still_leaks_no_permit(self):
        self.start()
        held = self.hold(self.gates[0], 2)
        load = Load(self.gates, 2 * LIMIT)
        load.until_admitted(50)
        self.server.freeze()
        begin, seen = time.monotonic(), len(load.statuses)
        wait_until(lambda: time.monotonic() - begin > 3, what="three seconds")
        self.assertIn(503, load.statuses[seen:])
        self.server.thaw()
        load.until_admitted(50)
        load.finish()
        self.assertEqual(self.slow.most, LIMIT)
        self.until_held(2, LAPSE)  # what Redis granted to a connection that was given up lapses
        self.slow.let_go.set()
        self.assertEqual([client.read_response().status for client in held], [200, 200])
        self.until_held(0)

    def test_a_redis_that_comes_back_empty_is_told_what_is_held(self):
        self.start()
        held = self.hold(self.gates[0], LIMIT - 1) + self.hold(self.gates[1], 1)
        self.server.restart()
        self.until_held(LIMIT, LAPSE)
        wait_until(lambda: ask(self.gates[1].address).status == 429, what="a breaker that has closed")
        self.slow.let_go.set()
        self.assertEqual([client.read_response().status for client in held], [200] * LIMIT)
        self.until_held(0)
