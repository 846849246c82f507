"""The access log: one JSON object per line on stdout, no secrets, never in the way of traffic (OP-30, OP-33, OP-34, OP-36)."""

import json
import os
import time

from support.gateway_case import GatewayCase
from support.http_client import Connection, ask, exchange, request
from support.waiting import SLACK, wait_until

ON = """
access_log: on
auth: {api_keys: {from: [header X-API-Key]}}
limits: {per-key: {key: api_key, fixed_window: {limit: 2, window: 1h}}}
routes: [{name: everything, match: {path: /**}, upstream: app, limits: [per-key]}]
"""


def values(document):
    """Every scalar in a document."""
    if isinstance(document, dict):
        return [found for value in document.values() for found in values(value)]
    if isinstance(document, list):
        return [found for value in document for found in values(value)]
    return [document]


class AccessLog(GatewayCase):
    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, "workers: 1\n" + ON)

    def lines(self, count):
        wait_until(lambda: self.gate.stdout.count("\n") >= count, what=f"{count} lines")
        lines = [json.loads(line) for line in self.gate.stdout.splitlines()]
        self.assertEqual(len(lines), count)
        return lines

    def test_op_30_one_object_per_request_with_what_happened(self):
        for _ in range(3):
            ask(self.gate.address, "PUT", "/a/b", fields=[("X-API-Key", "k")])
        first, _, third = self.lines(3)
        for wanted in ("PUT", "/a/b", 200, "everything", "127.0.0.1", "per-key", "allowed", self.app.server):
            self.assertIn(wanted, values(first))
        for wanted in (429, "refused"):
            self.assertIn(wanted, values(third))

    def test_op_30_lines_stay_whole_under_load(self):
        def work(number):
            with Connection(self.gate.address) as client:
                return [client.ask(target=f"/{number}/{turn}").status for turn in range(100)]
        self.gate = self.gateway(self.app, "workers: 2\n" + ON)
        self.together(8, work)
        seen = {value for line in self.lines(800) for value in values(line) if isinstance(value, str) and value.startswith("/")}
        self.assertLessEqual({f"/{number}/{turn}" for number in range(8) for turn in range(100)}, seen)

    def test_op_33_and_ak_4_secrets_are_in_no_line(self):
        secrets = [("Authorization", "Bearer canary-a"), ("Cookie", "session=canary-b"), ("X-API-Key", "canary-c"), ("Proxy-Authorization", "Basic canary-d")]
        ask(self.gate.address, target="/x?api_key=canary-e&access_token=canary-f&token=canary-g&key=canary-h&password=canary-i&sig=canary-j", fields=secrets)
        exchange(self.gate.address, b"GET /bad path HTTP/1.1\r\nAuthorization: canary-k\r\n\r\n")
        self.lines(2)
        self.assertNotIn("canary", self.gate.stdout + self.gate.stderr)

    def test_op_34_any_bytes_leave_valid_json(self):
        sent = 0
        for byte in [9, *range(0x20, 0x7f), *range(0x80, 0x100)]:
            ask(self.gate.address, fields=[("User-Agent", f"a{chr(byte)}b"), ("Referer", f"{chr(byte)}x"), ("X-Forwarded-For", f"x{chr(byte)}")])
            sent += 1
        for target in ("/%22%5C%0A", "/%e2%80%a8", "/%F0%9F%98%80", "/\"quoted\"", "/a?%0d%0ab={\"x\":1}", "/a?'\"<>"):
            ask(self.gate.address, target=target)
            sent += 1
        self.lines(sent)

    def test_op_34_malformed_requests_leave_valid_json(self):
        for data in (b"\x00\x01\x02\r\n\r\n", b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: \"\\\r\n\r\n"):
            exchange(self.gate.address, data)
        ask(self.gate.address)
        wait_until(lambda: "everything" in self.gate.stdout, what="the last line")
        for line in map(json.loads, self.gate.stdout.splitlines()):
            self.assertNotIn("", values(line))  # what is not known is left out

    def test_off_writes_nothing(self):
        gate = self.gateway(self.app, "access_log: off")
        for _ in range(20):
            ask(gate.address)
        gate.stop()
        self.assertEqual(gate.stdout, "")

    def test_lines_are_not_lost_at_the_end(self):
        for _ in range(500):
            ask(self.gate.address)
        self.gate.stop()
        self.lines(500)


class Stalled(GatewayCase):
    def test_op_36_a_stalled_sink_drops_lines_and_blocks_nobody(self):
        app = self.upstream()
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)  # after the gateway was stopped: a stalled sink does not keep it alive either
        gate = self.gateway(app, ON, stdout=writer)
        os.close(writer)
        with Connection(gate.address) as client:
            slowest = 0.0

            def dropped():
                nonlocal slowest
                for _ in range(200):
                    begin = time.monotonic()
                    client.send(request(target="/" + "x" * 2000))
                    self.assertEqual(client.read_response().status, 200)
                    slowest = max(slowest, time.monotonic() - begin)
                metrics = self.metrics(gate)
                return any(value > 0 for name, _, value in metrics.samples if "log" in name and "dropped" in name)
            wait_until(dropped, deadline=120, what="a count of dropped lines")
        self.assertLess(slowest, 0.3 + SLACK)
