"""Connections on both sides: reuse, pipelining, closing, pooled connections that have gone stale."""

import os
import resource
import threading

from support.fake_upstream import answering, reply
from support.gateway_case import GatewayCase
from support.http_client import Connection, ask, request
from support.waiting import wait_seconds, wait_until

ONE_WORKER = "workers: 1\n"


class Downstream(GatewayCase):
    def setUp(self):
        self.app = self.upstream(lambda each: (each.read_body(), each.send(reply(body=each.request.target.encode()))))
        self.gate = self.gateway(self.app, ONE_WORKER)

    def test_h1_86_a_connection_serves_many_requests(self):
        client = self.connect(self.gate)
        for number in range(50):
            self.assertEqual(client.ask(target=f"/{number}").body, b"/%d" % number)
        self.assertEqual(self.app.connections, 1)

    def test_h1_86_close_is_respected_and_echoed(self):
        client = self.connect(self.gate)
        client.send(request(fields=[("Connection", "close")]) + request(target="/after"))
        response = client.read_response()
        self.assertIn("close", response.fields.tokens("Connection"))
        client.expect_end()
        self.assertEqual(self.app.count("/after"), 0)

    def test_h1_85_pipelined_requests_are_answered_in_order(self):
        client = self.connect(self.gate)
        client.send(b"".join(request(target=f"/{number}") for number in range(100)))
        for number in range(100):
            self.assertEqual(client.read_response().body, b"/%d" % number)

    def test_h1_85_pipelined_requests_with_bodies_are_answered_in_order(self):
        client = self.connect(self.gate)
        client.send(b"".join(request("POST", f"/{number}", body=b"b" * number * 100) for number in range(30)))
        for number in range(30):
            self.assertEqual(client.read_response().body, b"/%d" % number)
        self.assertEqual([len(each.body) for each in self.app.requests], [number * 100 for number in range(30)])

    def test_h1_3_an_empty_line_before_a_request_is_ignored(self):
        client = self.connect(self.gate)
        client.send(b"\r\n" + request(target="/a"))
        self.assertEqual(client.read_response().body, b"/a")

    def test_a_head_that_arrives_byte_by_byte_is_served(self):
        client = self.connect(self.gate)
        for byte in request(target="/slow"):
            client.send(bytes([byte]))
        self.assertEqual(client.read_response().body, b"/slow")

    def test_h1_110_an_idle_connection_is_closed_silently(self):
        gate = self.gateway(self.app, ONE_WORKER + "timeouts: {keep_alive: 300ms}")
        client = self.connect(gate)
        self.assertEqual(client.ask().status, 200)
        client.expect_end()

    def test_many_connections_at_once(self):
        gate = self.gateway(self.app)

        def work(number):
            client = self.connect(gate)
            return [client.ask(target=f"/{number}/{turn}").body for turn in range(20)]
        for number, bodies in enumerate(self.together(32, work)):
            self.assertEqual(bodies, [b"/%d/%d" % (number, turn) for turn in range(20)])


class Upstream(GatewayCase):
    def start(self, script=None, text=""):
        self.app = self.upstream(script)
        self.gate = self.gateway(self.app, ONE_WORKER + text)
        return self.connect(self.gate)

    def test_connections_to_the_upstream_are_reused_by_other_clients(self):
        self.start()
        for _ in range(10):
            self.assertEqual(ask(self.gate.address).status, 200)
        self.assertEqual(self.app.connections, 1)

    def test_close_of_the_upstream_is_respected(self):
        client = self.start(answering(reply(body=b"ok", fields=[("Connection", "close")])))
        self.assertEqual(client.ask().status, 200)
        self.assertEqual(client.ask().status, 200)
        self.assertEqual(self.app.connections, 2)

    def stale(self):
        """A gateway with one pooled connection that resets on its next request; later connections are well."""
        def script(exchange):
            exchange.read_body()
            if exchange.request.connection == 1 and self.app.count() > 1:
                exchange.reset()
            else:
                exchange.send(reply(body=b"ok"))
        client = self.start(script, "limits: {all: {key: everyone, fixed_window: {limit: 10, window: 60s}}}\n"
                                    "global_limits: [all]\n")
        self.assertEqual(client.ask().status, 200)
        return client

    def test_h1_82_a_get_on_a_stale_connection_is_retried(self):
        client = self.stale()
        response = client.ask(target="/again")
        self.assertEqual((response.status, self.app.count("/again")), (200, 2))

    def test_h1_83_a_retry_is_charged_once(self):
        client = self.stale()
        response = client.ask(target="/again")
        self.assertRegex(response["RateLimit"], r'^"all";r=8;t=\d+$')

    def test_h1_82_a_post_on_a_stale_connection_is_not_sent_again(self):
        client = self.stale()
        self.assertEqual(client.ask("POST", "/again", body=b"x").status, 502)
        self.assertEqual(self.app.count("/again"), 1)

    def test_h1_82_a_pooled_connection_that_was_closed_meanwhile_is_not_used(self):
        def script(exchange):
            exchange.read_body()
            exchange.send(reply(body=b"ok"))
            exchange.close()
        client = self.start(script)
        self.assertEqual(client.ask().status, 200)
        wait_until(lambda: self.app.ended == 1, what="the upstream's close")
        self.assertEqual(client.ask("POST", "/again", body=b"x").status, 200)
        self.assertEqual(self.app.count("/again"), 1)

    def test_h1_54_a_connection_that_still_owes_a_body_is_not_reused(self):
        finish = threading.Event()

        def script(exchange):
            if exchange.request.target == "/early":
                exchange.send(reply("403 Forbidden", b"early"))
                exchange.wait_for(finish)
            else:
                exchange.send(reply(body=b"next"))
        client = self.start(script)
        client.send(request("POST", "/early", [("Content-Length", "1000000")]) + b"x" * 1000)
        response = client.read_response()
        self.assertEqual((response.status, response.body), (403, b"early"))
        self.assertEqual(ask(self.gate.address, target="/next").body, b"next")
        self.assertEqual(self.app.last.connection, 2)
        finish.set()

    def test_h1_54_an_early_answer_and_a_client_that_sends_on_do_not_mix(self):
        def script(exchange):
            if exchange.request.target == "/early":
                exchange.send(reply("403 Forbidden", b"early"))
                exchange.hang()
            else:
                exchange.send(reply(body=b"next"))
        client = self.start(script)
        client.send(request("POST", "/early", [("Content-Length", "100000")]) + b"x" * 1000)
        self.assertEqual(client.read_response().status, 403)
        try:
            client.send(b"x" * 99_000 + request(target="/smuggled"))
            left = client.read_to_end() if self.app.count("/smuggled") == 0 else b""
        except ConnectionError:
            left = b""
        if left:
            self.assertTrue(left.startswith(b"HTTP/1.1 200"), left[:80])

    def test_h1_55_a_client_that_leaves_within_its_body_ends_the_upstreams_request(self):
        client = self.start()
        client.send(request("POST", "/cut", [("Content-Length", "1000")]) + b"x" * 10)
        wait_until(lambda: self.app.count("/cut") == 1, what="the request")
        client.reset()
        wait_until(lambda: self.app.ended == 1, what="the end of the upstream's connection")

    def test_a_client_that_half_closes_while_waiting_counts_as_gone(self):
        client = self.start(lambda exchange: exchange.hang())
        client.send(request(target="/hang"))
        wait_until(lambda: self.app.count("/hang") == 1, what="the request")
        client.half_close()
        wait_until(lambda: self.app.ended == 1, what="the end of the upstream's connection")

    def test_h1_55_a_chunked_body_cut_short_is_never_whole_at_the_upstream(self):
        client = self.start()
        client.send(request("POST", "/cut", [("Transfer-Encoding", "chunked")]) + b"5\r\nhello\r\n")
        wait_until(lambda: self.app.count("/cut") == 1, what="the request")
        client.half_close()
        response = client.read_response()
        self.assertEqual((response.status, response["Content-Type"]), (400, "application/problem+json"))
        client.expect_end()
        wait_until(lambda: self.app.ended == 1, what="the end of the upstream's connection")
        self.assertFalse(self.app.last.complete)

    def test_a_client_that_leaves_while_waiting_frees_the_upstream(self):
        client = self.start(lambda exchange: exchange.hang())
        client.send(request(target="/hang"))
        wait_until(lambda: self.app.count("/hang") == 1, what="the request")
        client.reset()
        wait_until(lambda: self.app.ended == 1, what="the end of the upstream's connection")


class Exhausted(GatewayCase):
    """More clients than the process may have descriptors."""

    def test_op_47_running_out_of_descriptors_is_said_once_and_passes(self):
        app = self.upstream()
        gate = self.gateway(app, ONE_WORKER)
        _, hard = resource.prlimit(gate.process.pid, resource.RLIMIT_NOFILE)
        taken = len(os.listdir(f"/proc/{gate.process.pid}/fd"))
        resource.prlimit(gate.process.pid, resource.RLIMIT_NOFILE, (taken + 8, hard))
        waiting = [self.connect(gate) for _ in range(24)]
        wait_until(lambda: "no connection can be accepted" in gate.stderr, what="a line about it")
        for client in waiting[:-1]:  # each makes room for one that waits
            client.close()
        self.assertEqual(waiting[-1].ask().status, 200)
        self.assertEqual(gate.stderr.count("no connection can be accepted"), 1, gate.stderr)

    def test_op_47_the_admin_interface_waits_for_descriptors_without_a_storm(self):
        gate = self.gateway(self.upstream(), ONE_WORKER)
        limits = resource.prlimit(gate.process.pid, resource.RLIMIT_NOFILE)
        taken = len(os.listdir(f"/proc/{gate.process.pid}/fd"))
        resource.prlimit(gate.process.pid, resource.RLIMIT_NOFILE, (taken, limits[1]))
        client = Connection(gate.admin)
        self.addCleanup(client.close)
        before = gate.processor_seconds()
        wait_seconds(1)
        self.assertLess(gate.processor_seconds() - before, 0.25)
        resource.prlimit(gate.process.pid, resource.RLIMIT_NOFILE, limits)
        self.assertEqual(client.ask(target="/livez").status, 200)
