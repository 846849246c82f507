"""Requests whose end two readers could see in two places: refused, the connection closed, nothing of them forwarded."""

from support.fake_upstream import reply
from support.gateway_case import GatewayCase
from support.http_client import exchange, request
from support.http_wire import chunked

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


class Framing(GatewayCase):
    """What is wrong is in the head: the upstream must not hear of it."""

    def setUp(self):
        self.app = self.upstream()
        self.app.expect_nothing()
        self.gate = self.gateway(self.app)

    def refuse(self, data, *statuses):
        statuses = statuses or (400,)
        with self.subTest(data=data[:90]):
            answer = exchange(self.gate.address, data)
            self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)
            self.assertIn(int(answer[9:12]), statuses, answer)
            self.assertIn(b"\r\nconnection: close", answer.split(b"\r\n\r\n")[0].lower())

    def test_h1_40_both_transfer_encoding_and_content_length(self):
        body = chunked(b"x")
        for fields in (b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
                       b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", b"transfer-encoding: chunked\r\ncontent-length: %d\r\n" % len(body)):
            self.refuse(POST + fields + b"\r\n" + body + SMUGGLED)
            self.refuse(POST + fields + b"\r\n0\r\n\r\n" + SMUGGLED)

    def test_h1_41_codings_other_than_chunked(self):
        for coding in (b"gzip", b"chunked, gzip", b"identity", b"xchunked", b"chunkedx", b"", b"gzip, chunked"):
            self.refuse(POST + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + chunked(b"x") + SMUGGLED, 400, 501)

    def test_h1_42_disguised_chunked(self):
        for value in (b"chunked, chunked", b",chunked", b"chunked,", b"chunked;a=b", b"\x0bchunked", b"chunked\x0c", b"chunked\0", b"\"chunked\"",
                      b"chunked chunked", b"chunked\r\nTransfer-Encoding: chunked", b"chunked\r\nTransfer-Encoding: identity",
                      b"identity\r\nTransfer-Encoding: chunked", b"x\r\n chunked", b"ch unked", b"[chunked"):
            self.refuse(POST + b"Transfer-Encoding: " + value + b"\r\n\r\n" + chunked(b"x") + SMUGGLED, 400, 501)
        for name in (b"Transfer-Encoding ", b"Transfer\x0bEncoding", b" Transfer-Encoding", b"Transfer-Encoding\t"):
            self.refuse(POST + name + b": chunked\r\n\r\n" + chunked(b"x") + SMUGGLED)

    def test_h1_43_transfer_encoding_in_http_1_0(self):
        self.refuse(b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"x") + SMUGGLED)

    def test_h1_44_content_length_that_is_no_number(self):
        for value in (b"+5", b"-1", b"0x5", b"5 5", b"1_0", b"", b"5,", b"5, 6", b"5, 5", b"five", b"5.0", b"1e1", b"9223372036854775808",
                      b"18446744073709551621", b"99999999999999999999999", b"5\r\nContent-Length: 6", b"5\r\nContent-Length: 5", b"\xc2\xb5"):
            self.refuse(POST + b"Content-Length: " + value + b"\r\n\r\nhello" + SMUGGLED, 400, 413)

    def test_h1_101_a_refused_upgrade_leaves_the_next_request_a_request(self):
        self.app = self.upstream(lambda each: each.send(reply(body=each.request.target.encode())))
        gate = self.gateway(self.app)
        with self.connect(gate) as client:
            client.send(request(target="/up", fields=[("Connection", "upgrade"), ("Upgrade", "h2c")]) + request(target="/next", fields=[("Connection", "close")]))
            self.assertEqual(client.read_response().body, b"/up")
            left = client.read_to_end()  # H1-104: what came before a refusal may end the connection
            self.assertTrue(left == b"" or left.endswith(b"/next"), left)


class Chunks(GatewayCase):
    """What is wrong is in the body: the upstream may have seen the head, never the end."""

    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app)

    def refuse(self, body, *statuses):
        with self.subTest(body=body[:60]):
            self.app.requests.clear()
            answer = exchange(self.gate.address, CHUNKED + body + SMUGGLED)
            self.assertLessEqual(answer.count(b"HTTP/1.1 "), 1, answer)
            if answer:
                self.assertIn(int(answer[9:12]), statuses or (400,), answer)
            self.assertEqual(self.app.count("/smuggled"), 0)
            self.assertFalse(any(each.complete for each in self.app.requests))

    def test_h1_47_chunk_sizes(self):
        for size in (b"0x5", b"+5", b"-1", b"5 ", b" 5", b"5_0", b"", b"g", b"10000000000000005", b"FFFFFFFFFFFFFFFFF", b"5\t"):
            self.refuse(size + b"\r\nhello\r\n0\r\n\r\n", 400, 413)

    def test_h1_47_chunk_data_that_does_not_end_where_it_says(self):
        for body in (b"5\r\nhelloX\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello0\r\n\r\n", b"6\r\nhello\r\n0\r\n\r\n"):
            self.refuse(body)

    def test_h1_48_lines_that_do_not_end_with_crlf(self):
        for body in (b"5\nhello\r\n0\r\n\r\n", b"5\rhello\r\n0\r\n\r\n", b"5;a\nhello\r\n0\r\n\r\n", b"5;a=b\rc\r\nhello\r\n0\r\n\r\n",
                     b"5;a=\"\r\nhello\r\n0\r\n\r\n\"\r\nhello\r\n0\r\n\r\n", b"5;a=\"b\nc\"\r\nhello\r\n0\r\n\r\n",
                     b"5\r\nhello\r\n0\n\n", b"5\r\nhello\r\n0\r\nX: y\n\r\n", b"5\r\nhello\r\n0\r\nX: y\rZ: w\r\n\r\n"):
            self.refuse(body)

    def test_h1_49_extensions_that_are_no_tokens(self):
        for extension in (b";", b";\x01", b";a=\x7f", b";a=b;", b";=b", b";a=\"b"):
            self.refuse(b"5" + extension + b"\r\nhello\r\n0\r\n\r\n")

    def test_h1_49_extensions_are_bounded(self):
        self.refuse(b"5;a=" + b"x" * 65536 + b"\r\nhello\r\n0\r\n\r\n", 400, 413, 431)

    def test_h1_50_trailers_are_bounded(self):
        self.refuse(b"0\r\n" + b"X: y\r\n" * 50_000 + b"\r\n", 400, 413, 431)


class Accepted(GatewayCase):
    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app)

    def send(self, data):
        with self.connect(self.gate) as client:
            client.send(data + request(target="/second"))
            self.assertEqual(client.read_response().status, 200)
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(self.app.requests[1].target, "/second")
        return self.app.requests[0]

    def test_h1_45_leading_zeros_of_a_length_never_mean_octal(self):
        with self.connect(self.gate) as client:
            client.send(POST + b"Content-Length: 0011\r\n\r\n" + b"hello world")
            status = client.read_response().status
        self.assertIn(status, (200, 400))
        if status == 200:
            self.assertEqual((self.app.last.fields.get("Content-Length"), self.app.last.body), ("11", b"hello world"))

    def test_h1_49_extensions_are_dropped(self):
        seen = self.send(CHUNKED + b"5;a=b;c=\"d;e\"\r\nhello\r\n0;z\r\n\r\n")
        self.assertEqual(seen.body, b"hello")

    def test_h1_47_sizes_in_either_case_and_with_leading_zeros(self):
        self.assertEqual(self.send(CHUNKED + b"00a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n").body, b"0123456789" * 2)

    def test_h1_50_forbidden_trailers_are_dropped(self):
        seen = self.send(CHUNKED + chunked(b"x", trailers=b"Content-Length: 9\r\nHost: evil\r\nX-Api-Key: other\r\nAuthorization: x\r\n"))
        self.assertEqual((seen.fields.get("Host"), seen.fields.all("X-Api-Key")), ("x", []))
        for name in ("Content-Length", "Host", "X-Api-Key", "Authorization"):
            self.assertEqual(seen.trailers.all(name), [], name)

    def test_h1_12_a_later_minor_version_is_framed_as_1_1(self):
        seen = self.send(CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.7") + chunked(b"hello"))
        self.assertEqual((seen.version, seen.framing, seen.body), ("HTTP/1.1", "chunked", b"hello"))

    def test_h1_51_without_length_there_is_no_body(self):
        self.assertIsNone(self.send(POST + b"\r\n").framing)
