"""Upstreams that refuse, hang, break off or talk rubbish: 503, 504, 502 (H1-84, design.md section 5)."""

import json
import socket
import time

from support.fake_upstream import answering, reply
from support.gateway_case import GatewayCase
from support.http_client import ask
from support.waiting import SLACK, wait_until

UPSTREAM = "upstreams: {{app: {{servers: [\"{}\"]}}}}"
PROMPT = "upstreams: {{app: {{servers: [\"{}\"], timeouts: {{connect: 300ms, response: 300ms, idle: 300ms}}}}}}"
PROMPT_BODY = "upstreams: {{app: {{servers: [\"{}\"], timeouts: {{idle: 300ms}}}}}}"


class Failures(GatewayCase):
    def start(self, script, upstream=UPSTREAM):
        """Only who waits in vain is given little time: a busy machine may make any answer late."""
        self.app = self.upstream(script)
        self.gate = self.gateway(text="workers: 1\n" + upstream.format(self.app.server))

    def expect_problem(self, response, status, title):
        self.assertEqual(response.status, status)
        self.assertEqual(response["Content-Type"], "application/problem+json")
        document = json.loads(response.body)
        self.assertEqual((document.get("type", "about:blank"), document["title"], document.get("status", status)),
                         ("about:blank", title, status))

    def test_h1_84_connection_refused(self):
        with socket.socket() as bound:  # bound but not listening: connecting is refused
            bound.bind(("127.0.0.1", 0))
            gate = self.gateway(text=PROMPT.format(f"127.0.0.1:{bound.getsockname()[1]}"))
            for method, body in (("GET", None), ("POST", b"x")):
                response = ask(gate.address, method, body=body)
                self.assertIn(response.status, (502, 503))
                self.assertEqual(response["Content-Type"], "application/problem+json")

    def test_h1_84_unix_socket_that_does_not_exist(self):
        gate = self.gateway(text=PROMPT.format(f"unix:{self.folder()}/none.sock"))
        self.assertIn(ask(gate.address).status, (502, 503))

    def test_h1_84_host_name_that_does_not_resolve(self):
        gate = self.gateway(text=PROMPT.format("nothing.invalid:80"))
        self.assertIn(ask(gate.address).status, (502, 503, 504))

    def test_h1_84_another_server_takes_over_where_one_refuses(self):
        app = self.upstream()
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            servers = f"\"127.0.0.1:{bound.getsockname()[1]}\", \"{app.server}\""
            gate = self.gateway(text=f"workers: 1\nupstreams: {{app: {{servers: [{servers}], balance: round_robin}}}}")
            for _ in range(6):
                self.assertEqual(ask(gate.address).status, 200)
        self.assertEqual(app.count(), 6)

    def test_h1_84_an_upstream_that_does_not_answer_is_504_in_time(self):
        self.start(lambda exchange: exchange.hang(), PROMPT)
        begin = time.monotonic()
        response = ask(self.gate.address)
        taken = time.monotonic() - begin
        self.expect_problem(response, 504, "Gateway Timeout")
        self.assertGreaterEqual(taken, 0.28)
        self.assertLess(taken, 0.3 * 2 + SLACK)
        wait_until(lambda: self.app.ended == self.app.connections, what="the end of the hanging connections")

    def test_h1_82_a_post_that_timed_out_is_not_sent_again(self):
        self.start(lambda exchange: (exchange.read_body(), exchange.hang()), PROMPT)
        self.assertEqual(ask(self.gate.address, "POST", body=b"x").status, 504)
        self.assertEqual(self.app.count(), 1)

    def test_h1_84_a_response_that_stops_in_its_head_is_504(self):
        self.start(lambda exchange: (exchange.send(b"HTTP/1.1 200 OK\r\nX-A: "), exchange.hang()), PROMPT)
        self.assertEqual(ask(self.gate.address).status, 504)

    def test_h1_59_a_response_that_stops_in_its_body_ends_the_client_too(self):
        self.start(lambda exchange: (exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), exchange.hang()), PROMPT_BODY)
        with self.connect(self.gate) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(client.read_final_head().status, 200)
            self.assertEqual(client.read_to_end(), b"half")

    def test_h1_84_an_upstream_that_closes_without_an_answer_is_502(self):
        self.start(lambda exchange: (exchange.read_body(), exchange.close()))
        self.expect_problem(ask(self.gate.address, "POST", body=b"x"), 502, "Bad Gateway")
        self.assertEqual(self.app.count(), 1)
        self.assertEqual(ask(self.gate.address).status, 502)

    def test_h1_84_an_upstream_that_resets_is_502(self):
        self.start(lambda exchange: (exchange.read_body(), exchange.reset()))
        self.assertEqual(ask(self.gate.address, "POST", body=b"x").status, 502)

    def test_h1_84_rubbish_is_502_and_its_connection_is_not_reused(self):
        for rubbish in (b"SSH-2.0-OpenSSH\r\n\r\n", b"\x16\x03\x01\x02\x00" * 20, b"HTTP/1.1 20 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
                        b"HTTP/3.0 200 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"):
            with self.subTest(rubbish=rubbish[:30]):
                self.start(answering(rubbish))
                self.expect_problem(ask(self.gate.address, "POST", body=b""), 502, "Bad Gateway")
                self.app.script = answering(reply(body=b"well"))
                self.assertEqual(ask(self.gate.address).body, b"well")
                self.assertEqual(self.app.last.connection, self.app.connections)
                self.assertGreaterEqual(self.app.connections, 2)

    def test_h1_57_contradicting_lengths_of_a_response_are_502(self):
        for fields in (b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length: 5x\r\n", b"Content-Length: -1\r\n",
                       b"Content-Length: 99999999999999999999\r\n", b"Content-Length:\r\n"):
            with self.subTest(fields=fields):
                self.start(answering(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\nhello"))
                self.assertEqual(ask(self.gate.address, "POST", body=b"").status, 502)

    def test_h1_57_a_response_with_both_framings_is_refused_or_read_as_chunked(self):
        self.start(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
        response = ask(self.gate.address, "POST", body=b"")
        self.assertIn((response.status, response.body if response.status == 200 else b""), ((502, b""), (200, b"hello")))
        self.app.script = answering(reply(body=b"well"))
        self.assertEqual(ask(self.gate.address).body, b"well")
        self.assertEqual(self.app.last.connection, 2)

    def test_h1_47_a_bad_chunk_in_a_response_is_an_error_not_an_end(self):
        self.start(answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n\r\n"))
        with self.connect(self.gate) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            answer = client.read_to_end()
        self.assertFalse(answer.endswith(b"0\r\n\r\n"), answer)

    def test_h1_5_whitespace_before_the_colon_of_a_response_field_does_not_pass(self):
        self.start(answering(b"HTTP/1.1 200 OK\r\nFoo : 1\r\nContent-Length: 0\r\n\r\n"))
        response = ask(self.gate.address)
        self.assertIn(response.status, (200, 502))
        if response.status == 200:
            self.assertEqual(response["Foo"], "1")

    def test_h1_6_a_folded_response_field_does_not_pass(self):
        self.start(answering(b"HTTP/1.1 200 OK\r\nFoo: a\r\n b\r\nContent-Length: 0\r\n\r\n"))
        response = ask(self.gate.address)
        self.assertIn(response.status, (200, 502))
        if response.status == 200:
            self.assertRegex(response["Foo"], r"^a +b$")

    def test_an_endless_response_head_is_502(self):
        self.start(answering(b"HTTP/1.1 200 OK\r\n" + b"X: %s\r\n" % (b"a" * 1000) * 3000))
        self.assertEqual(ask(self.gate.address).status, 502)

    def test_failures_are_counted(self):
        self.start(lambda exchange: (exchange.read_body(), exchange.close()))
        ask(self.gate.address, "POST", body=b"x")
        self.assertEqual(self.metrics(self.gate).value("penstock_requests_total", status_class="5xx"), 1)
