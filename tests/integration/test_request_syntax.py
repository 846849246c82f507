"""Requests that are not HTTP/1.1 as RFC 9112 has it: refused, the connection closed, nothing forwarded."""

from support.gateway_case import GatewayCase
from support.http_client import exchange, request

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


class Refused(GatewayCase):
    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app)

    def refuse(self, data, *statuses):
        """`data`, with another request behind it, gets exactly one answer with one of these statuses, then the end."""
        statuses = statuses or (400,)
        self.app.expect_nothing()
        with self.subTest(data=data[:80]):
            answer = exchange(self.gate.address, data + SMUGGLED)
            self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)
            self.assertIn(int(answer[9:12]), statuses, answer)
            head = answer.split(b"\r\n\r\n")[0].lower()
            self.assertIn(b"\r\nconnection: close", head)
            self.assertIn(b"\r\ncontent-type: application/problem+json", head)

    def test_h1_1_request_line(self):
        for line in (b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b"GET\t/ HTTP/1.1", b"GET / HTTP/1.1 ", b" GET / HTTP/1.1", b"GET /",
                     b"GET", b"GET / http/1.1", b"GET / HTTP/1.01", b"GET / HTTP/01.1", b"GET / HTTP/1", b"GET / HTTP /1.1",
                     b"GET / HTTP/1.1x", b"GET / XTTP/1.1", b"G@T / HTTP/1.1", b"G\x80T / HTTP/1.1", b"/ HTTP/1.1", b"GET / HTTP/a.b"):
            self.refuse(line + b"\r\nHost: x\r\n\r\n")

    def test_h1_2_line_ends(self):
        for data in (b"GET / HTTP/1.1\nHost: x\n\n", b"GET / HTTP/1.1\r\nHost: x\n\r\n", b"GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n",
                     b"GET / HTTP/1.1\rHost: x\r\r", b"GET / HTTP/1.1\r\nHost: x\r\r\n\r\n", GET + b"X: a\nY: b\r\n\r\n"):
            self.refuse(data)

    def test_h1_3_empty_lines_before_a_request_are_bounded(self):
        self.refuse(b"\r\n" * 100 + GET + b"\r\n")

    def test_h1_4_whitespace_before_the_first_field(self):
        self.refuse(b"GET / HTTP/1.1\r\n Host: x\r\n\r\n")
        self.refuse(b"GET / HTTP/1.1\r\n\tX: y\r\nHost: x\r\n\r\n")

    def test_h1_5_whitespace_before_the_colon(self):
        for line in (b"Host : x", b"X\t: y\r\nHost: x"):
            self.refuse(b"GET / HTTP/1.1\r\n" + line + b"\r\n\r\n")

    def test_h1_6_folded_field(self):
        self.refuse(GET + b"X: a\r\n b\r\n\r\n")
        self.refuse(GET + b"X: a\r\n\tb\r\n\r\n")

    def test_h1_7_field_names(self):
        for line in (b": y", b"no colon", b"X(: y", b"X\x80: y", b"X Y: z", b"\"X\": y", b"X\0: y"):
            self.refuse(GET + line + b"\r\n\r\n")

    def test_h1_8_field_values(self):
        for value in (b"a\0b", b"a\x01b", b"a\x7fb", b"\x0b", b"a\x1bb"):
            self.refuse(GET + b"X: " + value + b"\r\n\r\n")

    def test_h1_12_versions(self):
        for version in (b"HTTP/2.0", b"HTTP/3.0", b"HTTP/0.9"):
            self.refuse(b"GET / " + version + b"\r\nHost: x\r\n\r\n", 400, 505)

    def test_h1_14_other_protocols(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                     b"SSH-2.0-client\r\n", b"\0" * 500, b"PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n"):
            self.app.expect_nothing()
            answer = exchange(self.gate.address, data + b"\r\n\r\n")
            self.assertRegex(answer, rb"\A\Z|\AHTTP/1\.1 (4\d\d|505) ")

    def test_h1_20_host(self):
        self.refuse(b"GET / HTTP/1.1\r\n\r\n")
        self.refuse(b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n")
        for host in (b"a, b", b"u@h", b"h/p", b"h:abc", b"h:99999", b"a b", b"a?b", b"a#b", b"[::1", b"a:80:80", b"h\\x", b"<h>"):
            self.refuse(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")

    def test_h1_21_empty_host(self):
        self.refuse(b"GET / HTTP/1.1\r\nHost:\r\n\r\n")
        self.refuse(b"GET / HTTP/1.1\r\nHost: \t\r\n\r\n")

    def test_h1_22_target(self):
        for target in (b"foo", b"/a b", b"/a#b", b"/\x80", b"/a\x01", b"\\a", b"?x", b""):
            self.refuse(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")

    def test_h1_23_absolute_form_of_other_schemes(self):
        for target in (b"ftp://a/x", b"file:///etc/passwd", b"http:///x", b"http://", b"http://u:p@a/x", b"http:a"):
            self.refuse(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")

    def test_h1_24_connect(self):
        for target in (b"x:443", b"x", b"/", b"x:99999"):
            self.refuse(b"CONNECT " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400, 405, 501)

    def test_h1_25_asterisk_form_of_other_methods(self):
        self.refuse(b"GET * HTTP/1.1\r\nHost: x\r\n\r\n")


class Accepted(GatewayCase):
    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app)

    def send(self, data):
        with self.connect(self.gate) as client:
            client.send(data)
            return client.read_response()

    def test_h1_9_whitespace_around_a_value_is_not_part_of_it(self):
        self.assertEqual(self.send(GET + b"X-Padded:  k \t \r\n\r\n").status, 200)
        self.assertEqual(self.app.last.fields.get("X-Padded"), "k")

    def test_h1_12_a_higher_minor_version_is_1_1(self):
        response = self.send(b"GET / HTTP/1.2\r\nHost: x\r\n\r\n")
        self.assertIn(response.status, (200, 505))

    def test_h1_20_hosts_that_are_valid(self):
        for host in ("x", "x:80", "a-b.example.com", "[2001:db8::1]:8080", "127.0.0.1", "xn--bcher-kva.example"):
            self.assertEqual(self.send(request(host=host)).status, 200, host)

    def test_h1_23_absolute_form_replaces_host(self):
        self.assertEqual(self.send(b"GET http://a.test:8080/x?y HTTP/1.1\r\nHost: b.test\r\n\r\n").status, 200)
        self.assertEqual((self.app.last.target, self.app.last.fields.all("Host")), ("/x?y", ["a.test:8080"]))

    def test_h1_23_absolute_form_with_an_empty_path_is_the_root(self):
        self.assertEqual(self.send(b"GET http://a.test HTTP/1.1\r\nHost: a.test\r\n\r\n").status, 200)
        self.assertEqual(self.app.last.target, "/")

    def test_h1_25_options_asterisk_is_answered_by_the_gateway(self):
        response = self.send(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(response.status, (200, 204))
        self.assertIn("get", response.fields.tokens("Allow"))
        self.assertEqual(self.app.count(), 0)

    def test_h1_27_trace_is_refused(self):
        response = self.send(b"TRACE / HTTP/1.1\r\nHost: x\r\nCookie: secret=1\r\n\r\n")
        self.assertIn(response.status, (405, 501))
        self.assertNotIn(b"secret", response.body)
        self.assertEqual(self.app.count(), 0)

    def test_h1_27_max_forwards_of_options(self):
        response = self.send(request("OPTIONS", fields=[("Max-Forwards", "0")]))
        self.assertIn(response.status, (200, 204))
        self.assertEqual(self.app.count(), 0)
        self.assertEqual(self.send(request("OPTIONS", fields=[("Max-Forwards", "5")])).status, 200)
        self.assertEqual(self.app.last.fields.get("Max-Forwards"), "4")

    def test_refusals_are_counted_by_reason(self):
        exchange(self.gate.address, b"GET / HTTP/1.1\r\n\r\n")
        self.assertGreaterEqual(self.metrics(self.gate).value("penstock_parse_rejections_total"), 1)
