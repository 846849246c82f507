"""SIGTERM: not ready, no new connections, what is in flight is finished, status 0 (OP-2, OP-43, OP-45, OP-46)."""

import os
import signal
import threading
import time
import unittest

from support.fake_upstream import answering, reply
from support.gateway_case import GatewayCase
from support.gateway_process import run_command
from support.http_client import Connection, ask, request
from support.waiting import SLACK, wait_until


class Drain(GatewayCase):
    def start(self, text="", script=None):
        self.app = self.upstream(script)
        self.gate = self.gateway(self.app, text)

    def slow(self, exchange):
        exchange.read_body()
        exchange.wait_for(self.go)
        exchange.send(reply(body=b"slow but whole"))

    def refuses(self):
        try:
            with Connection(self.gate.address):
                return False  # a request could meet an upstream that is held back
        except (OSError, AssertionError):
            return True

    def test_an_idle_gateway_ends_at_once(self):
        self.start()
        ask(self.gate.address)
        idle = self.connect(self.gate)
        idle.ask()
        begin = time.monotonic()
        self.gate.signal(signal.SIGTERM)
        idle.expect_end()
        self.assertEqual(self.gate.wait_for_end(), 0)
        self.assertLess(time.monotonic() - begin, 2 + SLACK)

    def test_op_43_requests_in_flight_are_finished(self):
        self.go = threading.Event()
        self.start(script=self.slow)
        clients = [self.connect(self.gate) for _ in range(8)]
        for client in clients:
            client.send(request("POST", body=b"x" * 1000))
        wait_until(lambda: self.app.count() == 8, what="the requests")
        self.gate.signal(signal.SIGTERM)
        wait_until(self.refuses, what="refused connections")
        self.assertTrue(self.gate.running)
        self.go.set()
        for client in clients:
            response = client.read_response()
            self.assertEqual((response.status, response.body), (200, b"slow but whole"))
            self.assertIn("close", response.fields.tokens("Connection"))
            client.expect_end()
        self.assertEqual(self.gate.wait_for_end(), 0)

    def test_op_43_a_client_between_two_requests_may_send_one_more(self):
        self.start()
        clients = [self.connect(self.gate) for _ in range(2)]
        for client in clients:
            client.ask()
        self.gate.signal(signal.SIGTERM)
        wait_until(self.refuses, what="refused connections")
        response = clients[0].ask()
        self.assertEqual((response.status, response.fields.tokens("Connection")), (200, ["close"]))
        clients[0].expect_end()
        clients[1].expect_end()  # who asks nothing is not waited for
        self.assertEqual(self.gate.wait_for_end(), 0)

    def test_op_43_a_response_that_is_streaming_is_finished(self):
        self.go = threading.Event()

        def script(exchange):
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
            exchange.wait_for(self.go)
            exchange.send(b"-last")
        self.start(script=script)
        client = self.connect(self.gate)
        client.send(request())
        response = client.read_final_head()
        pieces = client.body_pieces(response)
        got = next(pieces)
        self.gate.signal(signal.SIGTERM)
        wait_until(self.refuses, what="refused connections")
        self.go.set()
        self.assertEqual(got + b"".join(pieces), b"first-last")
        self.assertEqual(self.gate.wait_for_end(), 0)

    def test_op_43_no_request_fails_under_load(self):
        self.start("timeouts: {pre_drain: 300ms}")
        stopping = threading.Event()

        def work(number):
            if number == 0:
                wait_until(lambda: self.app.count() > 100, what="the load")
                self.gate.signal(signal.SIGTERM)
                stopping.set()
                return 0
            served = 0
            with Connection(self.gate.address) as client:
                while True:
                    try:
                        client.send(request())
                    except ConnectionError:
                        self.assertTrue(stopping.is_set())
                        return served
                    try:
                        response = client.read_response()
                    except (ConnectionError, AssertionError):
                        # an idle connection may be closed while a request is on its way; nothing of it is answered
                        self.assertTrue(stopping.is_set())
                        return served
                    self.assertEqual(response.status, 200)
                    served += 1
                    if "close" in response.fields.tokens("Connection"):
                        return served
        served = sum(self.together(5, work))
        self.assertEqual(self.gate.wait_for_end(), 0)
        self.assertEqual(served, self.app.count())

    def test_op_43_the_drain_has_an_end(self):
        self.start("timeouts: {drain: 500ms}", lambda exchange: exchange.hang())
        client = self.connect(self.gate)
        client.send(request())
        wait_until(lambda: self.app.count() == 1, what="the request")
        begin = time.monotonic()
        self.gate.signal(signal.SIGTERM)
        self.gate.wait_for_end()
        self.assertLess(time.monotonic() - begin, 0.5 + 2 + SLACK)
        self.gate.expected_statuses = (1, )  # what was cut short is said

    def test_op_2_not_ready_while_still_serving(self):
        self.start("timeouts: {pre_drain: 3s}")
        self.assertEqual(ask(self.gate.admin, target="/readyz").status, 200)
        self.gate.signal(signal.SIGTERM)
        wait_until(lambda: ask(self.gate.admin, target="/readyz").status == 503, what="readyz 503")
        self.assertEqual(ask(self.gate.admin, target="/livez").status, 200)
        host, port = self.gate.admin
        self.assertEqual(run_command("healthcheck", "--admin", f"{host}:{port}").returncode, 1)
        self.assertEqual(ask(self.gate.address).status, 200)
        self.assertEqual(self.gate.wait_for_end(), 0)

    def test_op_43_sigint_drains_too(self):
        self.start()
        ask(self.gate.address)
        self.gate.signal(signal.SIGINT)
        self.assertEqual(self.gate.wait_for_end(), 0)

    def test_op_45_and_op_46_other_signals_do_not_end_it(self):
        self.start(script=answering(reply(body=b"x" * 1_000_000)))
        for number in (signal.SIGPIPE, signal.SIGWINCH, signal.SIGCHLD):
            self.gate.signal(number)
        for _ in range(20):
            client = Connection(self.gate.address)
            client.send(request())
            client.reset()
        self.assertEqual(ask(self.gate.address).status, 200)


@unittest.skipUnless(os.environ.get("PENSTOCK_HANGING_RESOLVER"), "the sanitizers' build cannot preload a library")
class NameServerHangs(GatewayCase):
    """Looking up a name never ends: the process does."""

    KEYS = """
auth: {jwt: {issuers: [{issuer: "https://issuer.test", audience: api, algorithms: [ES256], jwks_url: "https://keys.test/set"}]}}
"""

    def start(self, url, more=""):
        gate = self.gateway(self.upstream(), f"""
workers: 3
redis: {{url: "{url}", check_timeout: 50ms, connect_timeout: 500ms}}
limits: {{a: {{key: everyone, on_store_failure: allow, fixed_window: {{limit: 100, window: 1h}}}}}}
global_limits: [a]
""" + more, environment=dict(os.environ, LD_PRELOAD=os.environ["PENSTOCK_HANGING_RESOLVER"]))
        self.assertEqual(ask(gate.address).status, 200)
        return gate

    def test_it_ends_with_status_0_and_says_stopped_last(self):
        for url, more in (("redis://slow.test", ""), ("redis+cluster://slow.test:7000", ""), ("redis+sentinel://slow.test/main", ""),
                          ("redis://127.0.0.1:1", self.KEYS)):
            with self.subTest(url, more=more):
                gate = self.start(url, more)
                gate.signal(signal.SIGTERM)
                self.assertEqual(gate.wait_for_end(), 0)
                wait_until(lambda: gate.stderr.splitlines()[-1].endswith("stopped"), what="its last word")

    def test_a_second_signal_ends_it_with_status_1(self):
        gate = self.start("redis://slow.test", "timeouts: {drain: 1h, pre_drain: 1h}")
        gate.expected_statuses = (1, )
        gate.signal(signal.SIGTERM)
        wait_until(lambda: "draining" in gate.stderr, what="the drain")
        self.assertTrue(gate.running)
        gate.signal(signal.SIGTERM)
        self.assertEqual(gate.wait_for_end(), 1)
        wait_until(lambda: gate.stderr.splitlines()[-1].endswith("stopped"), what="its last word")
