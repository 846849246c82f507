"""Limits on requests in flight: a permit is held to the last byte and given back once, however a request ends."""

import signal
import threading

from support.fake_upstream import reply
from support.gateway_case import GatewayCase
from support.http_client import ask, request
from support.waiting import wait_until

LIMITS = """
limits:
  database: {key: everyone, concurrency: {limit: 1}}
routes:
  - {match: {path: /free}, upstream: app, limits: none}
  - {match: {path: /**}, upstream: app, limits: [database]}
"""


class Permits(GatewayCase):
    def start(self, script=None, text="", upstreams=""):
        self.go = threading.Event()
        self.app = self.upstream(script or self.answer_when_told)
        self.gate = self.gateway(self.app, text + upstreams.replace("SERVER", self.app.server) + LIMITS)

    def answer_when_told(self, exchange):
        exchange.read_body()
        if exchange.request.target != "/probe":
            exchange.wait_for(self.go)
        exchange.send(reply(body=b"done"))

    def begin(self, data=None):
        before = self.app.count()
        client = self.connect(self.gate)
        client.send(data or request())
        wait_until(lambda: self.app.count() > before, what="the request at the upstream")
        return client

    def probe(self):
        return ask(self.gate.address, target="/probe").status

    def expect_held(self):
        self.assertEqual(self.probe(), 429)

    def expect_one_free(self):
        """Exactly one permit: two requests at once would show a second one, or none."""
        wait_until(lambda: self.probe() == 200, what="the permit")
        self.go.clear()
        client = self.begin(request(target="/check"))
        self.expect_held()
        self.go.set()
        self.assertEqual(client.read_response().status, 200)
        wait_until(lambda: self.probe() == 200, what="the permit")

    def test_it_is_held_until_the_answer_has_been_sent(self):
        self.start()
        client = self.begin()
        self.expect_held()
        self.go.set()
        self.assertEqual(client.read_response().status, 200)
        self.expect_one_free()

    def test_a_connection_that_is_kept_holds_none(self):
        self.start()
        self.go.set()
        client = self.connect(self.gate)
        for _ in range(5):
            self.assertEqual(client.ask().status, 200)
            wait_until(lambda: self.probe() == 200, what="the permit")
        self.expect_one_free()

    def test_it_is_held_until_the_last_byte_of_a_long_answer(self):
        def script(exchange):
            exchange.read_body()
            if exchange.request.target == "/long":
                exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
                exchange.wait_for(self.go)
                exchange.send(b"-last")
                return
            self.answer_when_told(exchange)
        self.start(script)
        client = self.begin(request(target="/long"))
        pieces = client.body_pieces(client.read_final_head())
        got = next(pieces)
        self.expect_held()
        self.go.set()
        self.assertEqual(got + b"".join(pieces), b"first-last")
        self.expect_one_free()

    def test_a_client_that_resets_while_it_waits_for_the_answer(self):
        self.start()
        client = self.begin()
        self.expect_held()
        client.reset()
        self.expect_one_free()

    def test_a_client_that_resets_while_it_uploads(self):
        self.start()
        client = self.begin(b"POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 5000)
        self.expect_held()
        client.reset()
        self.expect_one_free()

    def test_a_client_that_resets_while_it_downloads(self):
        def script(exchange):
            exchange.read_body()
            if exchange.request.target != "/big":
                return self.answer_when_told(exchange)
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while True:
                exchange.send(b"x" * 100_000)
        self.start(script)
        client = self.begin(request(target="/big"))
        next(client.body_pieces(client.read_final_head()))
        self.expect_held()
        client.reset()
        self.expect_one_free()

    def test_an_upstream_that_breaks(self):
        def script(exchange):
            exchange.read_body()
            return exchange.reset() if exchange.request.target == "/break" else self.answer_when_told(exchange)
        self.start(script)
        self.assertEqual(ask(self.gate.address, method="POST", target="/break", body=b"x").status, 502)
        self.expect_one_free()

    def test_a_retry_holds_one_permit(self):
        seen = []

        def script(exchange):
            exchange.read_body()
            if exchange.request.target == "/again" and not seen:
                seen.append(exchange.request)
                return exchange.reset()  # on a connection that had served a request: worth a retry
            self.answer_when_told(exchange)
        self.start(script, "workers: 1\n")
        self.assertEqual(self.probe(), 200)
        client = self.connect(self.gate)
        client.send(request(target="/again"))
        wait_until(lambda: self.app.count("/again") == 2, what="the second try")
        self.expect_held()
        self.go.set()
        self.assertEqual(client.read_response().status, 200)
        self.expect_one_free()

    def test_an_upstream_that_takes_too_long(self):
        self.start(upstreams="upstreams: {app: {servers: [\"SERVER\"], timeouts: {response: 200ms}}}\n")
        client = self.begin()
        self.assertEqual(client.read_response().status, 504)
        self.expect_one_free()

    def test_a_tunnel_holds_it_to_its_end(self):
        def script(exchange):
            if exchange.request.target != "/socket":
                return self.answer_when_told(exchange)
            exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
            exchange.hang()
        self.start(script)
        client = self.begin(request(target="/socket", fields=[("Connection", "upgrade"), ("Upgrade", "websocket")]))
        self.assertEqual(client.read_head().status, 101)
        self.expect_held()
        client.close()
        self.expect_one_free()

    def test_a_refused_request_holds_none(self):
        self.start()
        client = self.begin()
        for _ in range(3):
            self.expect_held()
        self.go.set()
        client.read_response()
        self.expect_one_free()

    def test_a_reload_forgets_no_permit(self):
        self.start()
        client = self.begin()
        self.gate.signal(signal.SIGHUP)
        wait_until(lambda: "was reloaded" in self.gate.stderr, what="the reload")
        self.expect_held()
        self.go.set()
        self.assertEqual(client.read_response().status, 200)
        self.expect_one_free()

    def test_op_43_a_drain_waits_for_who_holds_one(self):
        self.start()
        client = self.begin()
        self.gate.signal(signal.SIGTERM)
        wait_until(lambda: ask(self.gate.admin, target="/readyz").status == 503, what="readyz 503")
        self.go.set()
        self.assertEqual(client.read_response().status, 200)
        self.assertEqual(self.gate.wait_for_end(), 0)

    def test_routes_without_the_limit_go_on(self):
        self.start()
        client = self.begin()
        self.go.set()
        self.assertEqual(ask(self.gate.address, target="/free").status, 200)
        client.read_response()
