"""How large and how slow a request may be: 414, 431, 413, 408 (H1-28, H1-110, H1-111)."""

import time

from support.gateway_case import GatewayCase
from support.http_client import ask, exchange, request
from support.http_wire import chunked
from support.waiting import SLACK, wait_seconds, wait_until


class Sizes(GatewayCase):
    def setUp(self):
        self.app = self.upstream()

    def start(self, text=""):
        self.gate = self.gateway(self.app, text)

    def status(self, data):
        answer = exchange(self.gate.address, data)
        self.assertRegex(answer, rb"\AHTTP/1\.1 \d\d\d ")
        return int(answer[9:12])

    def line(self, length):
        """A request whose request line, without its CRLF, has this length."""
        return request(target="/" + "a" * (length - len("GET / HTTP/1.1")), fields=[("Connection", "close")])

    def test_h1_28_a_request_line_of_8000_bytes_and_up_to_the_limit_is_served(self):
        self.start()
        self.assertEqual(self.status(self.line(8000)), 200)
        self.assertEqual(self.status(self.line(8192)), 200)

    def test_h1_28_a_longer_request_line_is_414(self):
        self.start()
        self.assertEqual(self.status(self.line(8193)), 414)
        self.assertEqual(self.status(self.line(100_000)), 414)
        self.assertEqual(self.app.count(), 0)

    def test_h1_28_a_request_line_without_end_is_414(self):
        self.start()
        self.assertEqual(self.status(b"GET /" + b"a" * 200_000), 414)

    def test_h1_110_the_request_line_limit_is_configurable(self):
        self.start("message_limits: {request_line: 512B}")
        self.assertEqual(self.status(self.line(512)), 200)
        self.assertEqual(self.status(self.line(513)), 414)

    def test_h1_110_one_field_of_more_than_16_kib_is_431(self):
        self.start()
        self.assertEqual(self.status(request(fields=[("X-Long", "a" * 16_000), ("Connection", "close")])), 200)
        self.assertEqual(self.status(request(fields=[("X-Long", "a" * 16_385)])), 431)
        self.assertEqual(self.app.count(), 1)

    def test_h1_111_more_than_64_kib_of_fields_is_431(self):
        self.start()
        self.assertEqual(self.status(request(fields=[(f"X-{n}", "a" * 10_000) for n in range(6)] + [("Connection", "close")])), 200)
        self.assertEqual(self.status(request(fields=[(f"X-{n}", "a" * 10_000) for n in range(7)])), 431)
        self.assertEqual(self.app.count(), 1)

    def test_h1_110_more_than_100_fields_is_431(self):
        self.start()
        self.assertEqual(self.status(request(fields=[("X", "a")] * 98 + [("Connection", "close")])), 200)
        self.assertEqual(self.status(request(fields=[("X", "a")] * 100)), 431)
        self.assertEqual(self.app.count(), 1)

    def test_h1_112_431_does_not_echo_the_value(self):
        self.start()
        answer = exchange(self.gate.address, request(fields=[("X-Secret", "s3cr3t" * 4000)]))
        self.assertNotIn(b"s3cr3t", answer)

    def test_h1_110_a_declared_body_above_the_limit_is_413_at_once(self):
        self.start("message_limits: {body: 1KiB}")
        self.assertEqual(ask(self.gate.address, "POST", body=b"x" * 1024).status, 200)
        self.app.expect_nothing()
        with self.connect(self.gate) as client:
            client.send(request("POST", fields=[("Content-Length", "1025")]))
            self.assertEqual(client.read_response().status, 413)

    def test_h1_56_a_huge_length_without_a_body_is_413_at_once(self):
        self.start("message_limits: {body: 1GiB}")
        self.app.expect_nothing()
        with self.connect(self.gate) as client:
            client.send(request("POST", fields=[("Content-Length", "9223372036854775807")]))
            self.assertEqual(client.read_response().status, 413)

    def test_h1_110_a_chunked_body_above_the_limit_is_413(self):
        self.start("message_limits: {body: 1KiB}")
        with self.connect(self.gate) as client:
            client.send(request("POST", fields=[("Transfer-Encoding", "chunked")]) + chunked(b"x" * 600, b"y" * 600))
            self.assertEqual(client.read_response().status, 413)
        self.assertFalse(any(each.complete for each in self.app.requests))

    def test_h1_110_without_a_limit_any_body_passes(self):
        self.start()
        self.assertEqual(ask(self.gate.address, "POST", body=b"x" * 5_000_000).status, 200)


class Times(GatewayCase):
    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, "timeouts: {header: 500ms, body: 500ms, keep_alive: 500ms}")

    def test_h1_10_and_h1_110_a_head_that_stalls_is_408_and_reaches_nobody(self):
        self.app.expect_nothing()
        client = self.connect(self.gate)
        begin = time.monotonic()
        client.send(b"GET / HTTP/1.1\r\n")
        response = client.read_response()
        self.assertEqual((response.status, response.fields.tokens("Connection")), (408, ["close"]))
        client.expect_end()
        self.assertLess(time.monotonic() - begin, 0.5 + SLACK + 1)

    def test_h1_110_the_head_has_one_deadline_not_one_per_byte(self):
        self.app.expect_nothing()
        client = self.connect(self.gate)
        client.send(b"GET / HTTP/1.1\r\nX: ")
        begin = time.monotonic()

        def answered():
            if not client.is_quiet(0.1):
                return True
            client.send(b"a")
            return False
        wait_until(answered, what="408")
        self.assertEqual(client.read_response().status, 408)
        self.assertLess(time.monotonic() - begin, 0.5 + SLACK + 1)

    def test_h1_115_a_connection_that_sends_nothing_is_closed_without_a_word(self):
        self.connect(self.gate).expect_end()

    def test_h1_110_a_body_that_stalls_is_408_or_an_end(self):
        client = self.connect(self.gate)
        client.send(request("POST", fields=[("Content-Length", "100")]) + b"x" * 10)
        answer = client.read_to_end()
        self.assertRegex(answer, rb"\A\Z|\AHTTP/1\.1 408 ")
        wait_until(lambda: self.app.ended == self.app.connections, what="the end of the upstream's request")
        self.assertFalse(any(each.complete for each in self.app.requests))

    def test_a_slow_answer_is_not_an_idle_connection(self):
        client = self.connect(self.gate)
        self.app.script = lambda each: (each.read_body(), wait_seconds(1.2), each.send(b"HTTP/1.1 204 No Content\r\n\r\n"))
        client.send(request())
        wait_until(lambda: self.app.count() == 1, what="the request")
        self.assertEqual(client.read_response().status, 204)
