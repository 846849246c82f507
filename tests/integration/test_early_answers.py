"""Answers that the gateway gives before it has read the request's body (H1-53, H1-80)."""

from support.fake_upstream import reply
from support.gateway_case import GatewayCase
from support.http_client import request
from support.waiting import wait_until

ONE = """
limits: {one: {key: everyone, fixed_window: {limit: 1, window: 1h}}}
routes:
  - {match: {path: /free}, upstream: app}
  - {match: {path: /**}, upstream: app, limits: [one]}
"""
SIZE = 10 * 1024 * 1024


class OverQuota(GatewayCase):
    def setUp(self):
        self.app = self.upstream(lambda each: (each.read_body(keep=False), each.send(reply(body=each.request.target.encode()))))
        self.gate = self.gateway(self.app, ONE)
        with self.connect(self.gate) as client:
            self.assertEqual(client.ask().status, 200)

    def refused_and_then(self, client):
        """The whole 429 is readable; afterwards the connection ends, or serves the next request correctly."""
        response = client.read_response()
        self.assertEqual(response.status, 429)
        self.assertIn(b"quota-exceeded", response.body)
        if "close" in response.fields.tokens("Connection"):
            client.expect_end()
        else:
            self.assertEqual(client.ask(target="/free").body, b"/free")
        self.assertEqual(self.app.count("/up"), 0)

    def test_h1_53_a_client_that_sends_10_mib_reads_the_whole_429(self):
        client = self.connect(self.gate)
        try:
            client.send(request("POST", "/up", [("Content-Length", str(SIZE))]))
            block = b"x" * 65536
            for _ in range(SIZE // len(block)):
                client.send(block)
        except ConnectionError:
            pass  # the gateway stopped reading after its answer
        self.refused_and_then(client)

    def test_h1_53_a_client_that_announces_10_mib_and_waits_reads_the_429(self):
        client = self.connect(self.gate)
        client.send(request("POST", "/up", [("Content-Length", str(SIZE))]))
        response = client.read_response()
        self.assertEqual((response.status, response.fields.tokens("Connection")), (429, ["close"]))

    def test_h1_53_a_small_unread_body_does_not_disturb_the_next_request(self):
        client = self.connect(self.gate)
        client.send(request("POST", "/up", body=b"GET /up HTTP/1.1\r\nHost: x\r\n\r\n"))
        self.refused_and_then(client)

    def test_h1_53_a_chunked_unread_body_does_not_disturb_the_next_request(self):
        client = self.connect(self.gate)
        client.send(request("POST", "/up", [("Transfer-Encoding", "chunked")]) + b"5\r\nhello\r\n0\r\n\r\n")
        self.refused_and_then(client)

    def test_h1_53_an_endless_body_is_not_read_forever(self):
        client = self.connect(self.gate)
        client.send(request("POST", "/up", [("Transfer-Encoding", "chunked")]))

        def stopped():
            try:
                client.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                return False
            except OSError:
                return True
        wait_until(stopped, what="the end of the gateway's patience")

    def test_h1_80_over_quota_with_an_expectation_is_429_at_once_without_100(self):
        client = self.connect(self.gate)
        client.send(request("POST", "/up", [("Expect", "100-continue"), ("Content-Length", str(SIZE))]))
        response = client.read_response()
        self.assertEqual((response.status, response.interim), (429, []))
        if "close" in response.fields.tokens("Connection"):
            client.expect_end()

    def test_h1_80_a_body_that_was_never_sent_is_not_taken_from_the_next_request(self):
        client = self.connect(self.gate)
        client.send(request("POST", "/up", [("Expect", "100-continue"), ("Content-Length", "10")]))
        response = client.read_response()
        self.assertEqual(response.status, 429)
        try:
            client.send(request(target="/up") + request(target="/up"))
            client.half_close()
            client.read_to_end()
        except ConnectionError:
            pass
        self.assertEqual(self.app.count("/up"), 0)

    def test_h1_85_pipelined_requests_are_each_limited(self):
        gate = self.gateway(self.app, "limits: {five: {key: everyone, fixed_window: {limit: 5, window: 1h}}}\nglobal_limits: [five]")
        client = self.connect(gate)
        client.send(request(target="/piped") * 10)
        self.assertEqual([client.read_response().status for _ in range(10)], [200] * 5 + [429] * 5)
        self.assertEqual(self.app.count("/piped"), 5)

    def test_a_429_keeps_the_connection_of_a_request_without_body(self):
        client = self.connect(self.gate)
        for _ in range(3):
            self.assertEqual(client.ask(target="/up").status, 429)
        self.assertEqual(client.ask(target="/free").status, 200)
