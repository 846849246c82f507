"""Where a response ends: HEAD, 204, 304, 1xx, HTTP/1.0 clients, answers without a length, answers cut short."""

import threading

from support.fake_upstream import answering, reply
from support.gateway_case import GatewayCase
from support.http_client import ask, request
from support.http_wire import Truncated, chunked

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def then_close(data):
    def script(exchange):
        exchange.read_body()
        exchange.send(data)
        exchange.close()
    return script


class Spelling(GatewayCase):
    """Answers that are not spelled as they should be, but can be read in one way only."""

    def passes(self, answer):
        app = self.upstream(answering(answer))
        response = ask(self.gateway(app, "workers: 1").address)
        self.assertEqual((response.status, response.body), (200, b"hello"))
        return response

    def test_h1_5_a_blank_before_a_colon_is_taken_out(self):
        response = self.passes(b"HTTP/1.1 200 OK\r\nX-F : a\r\nContent-Length\t: 5\r\n\r\nhello")
        self.assertIn(b"\r\nX-F: a\r\n", response.head)
        self.assertIn(b"\r\nContent-Length: 5\r\n", response.head)

    def test_a_status_line_without_a_reason_or_its_blank(self):
        for line in (b"HTTP/1.1 200 ", b"HTTP/1.1 200"):
            response = self.passes(line + b"\r\nContent-Length: 5\r\n\r\nhello")
            self.assertTrue(response.head.startswith(b"HTTP/1.1 200 \r\n"), response.head)

    def test_h1_12_a_later_minor_version(self):
        response = self.passes(b"HTTP/1.4 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        self.assertEqual((response.version, response.framing), ("HTTP/1.1", "chunked"))


class Framing(GatewayCase):
    def start(self, script):
        self.app = self.upstream(script)
        self.gate = self.gateway(self.app, "workers: 1")
        return self.connect(self.gate)

    def test_h1_60_head_has_the_fields_of_get_and_no_body(self):
        client = self.start(lambda x: x.send(reply(body=b"x" * 1000)[:-1000] if x.request.method == "HEAD" else reply(body=b"y")))
        response = client.ask("HEAD")
        self.assertEqual((response.status, response["Content-Length"]), (200, "1000"))
        self.assertEqual(client.ask("GET").body, b"y")

    def test_h1_60_head_and_the_next_pipelined_response_are_aligned(self):
        client = self.start(lambda x: x.send(reply(body=b"x" * 1000)[:-1000] if x.request.method == "HEAD" else reply(body=b"y")))
        client.send(request("HEAD") + request("GET"))
        self.assertEqual(client.read_response("HEAD").status, 200)
        self.assertEqual(client.read_response().body, b"y")

    def test_h1_60_head_answered_with_chunked(self):
        client = self.start(lambda x: x.send(CHUNKED if x.request.method == "HEAD" else reply(body=b"y")))
        self.assertEqual(client.ask("HEAD").status, 200)
        self.assertEqual(client.ask("GET").body, b"y")

    def test_h1_60_204_and_304_have_no_body(self):
        for answer in (b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
                       b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"):
            with self.subTest(answer=answer):
                client = self.start(answering(answer))
                self.assertEqual(client.ask().status, int(answer[9:12]))
                self.assertEqual(client.ask().status, int(answer[9:12]))

    def test_h1_60_204_with_length_or_body_bytes_reaches_the_client_clean(self):
        for rest in (b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"hello"), b"\r\nhello"):
            with self.subTest(rest=rest):
                client = self.start(answering(b"HTTP/1.1 204 No Content\r\n" + rest))
                self.assertEqual(client.ask().status, 204)
                self.app.script = answering(reply(body=b"next"))
                self.assertEqual(client.ask().body, b"next")
                self.assertEqual(self.app.connections, 2)

    def test_h1_61_205_has_no_content(self):
        client = self.start(answering(b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n"))
        response = client.ask()
        self.assertEqual((response.status, response.body), (205, b""))
        self.assertEqual(client.ask().status, 205)

    def test_h1_59_a_body_that_ends_with_the_connection_becomes_chunked(self):
        client = self.start(then_close(b"HTTP/1.1 200 OK\r\n\r\n" + b"z" * 100_000))
        response = client.ask()
        self.assertEqual((response.framing, response.body), ("chunked", b"z" * 100_000))
        self.assertEqual(client.ask().body, b"z" * 100_000)

    def test_h1_59_http_1_0_upstream(self):
        client = self.start(then_close(b"HTTP/1.0 200 OK\r\n\r\nold"))
        response = client.ask()
        self.assertEqual((response.version, response.body), ("HTTP/1.1", b"old"))

    def test_h1_59_a_short_body_is_never_passed_off_as_whole(self):
        for data in (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart", CHUNKED + b"a\r\n0123456789\r\n", CHUNKED + b"a\r\n01234"):
            with self.subTest(data=data):
                client = self.start(then_close(data))
                client.send(request())
                with self.assertRaises(Truncated) as cut:
                    client.read_response()
                self.assertIn(cut.exception.body, (b"", b"part", b"0123456789", b"01234"))

    def test_h1_59_a_reset_in_a_body_that_ends_with_the_connection_is_an_error(self):
        started = threading.Event()

        def script(exchange):
            exchange.send(b"HTTP/1.1 200 OK\r\n\r\npart")
            exchange.wait_for(started)
            exchange.reset()
        client = self.start(script)
        client.send(request())
        response = client.read_final_head()
        pieces = client.body_pieces(response)
        next(pieces)
        started.set()
        with self.assertRaises((Truncated, ConnectionError)):
            list(pieces)

    def test_h1_58_bytes_after_a_response_are_never_a_response(self):
        client = self.start(answering(reply(body=b"one") + reply(body=b"evil")))
        self.assertEqual(client.ask().body, b"one")
        self.app.script = answering(reply(body=b"two"))
        self.assertEqual(client.ask().body, b"two")
        self.assertEqual(self.app.connections, 2)

    def test_h1_50_trailers_are_never_merged_into_the_head(self):
        client = self.start(answering(CHUNKED + chunked(b"x", trailers=b"X-Late: 1\r\nSet-Cookie: a=b\r\nContent-Length: 9\r\n")))
        response = client.ask()
        self.assertEqual((response.body, response["X-Late"], response["Set-Cookie"]), (b"x", None, None))
        self.assertEqual(response.trailers.all("Content-Length"), [])


class Interim(GatewayCase):
    def start(self, script):
        self.app = self.upstream(script)
        self.gate = self.gateway(self.app, "workers: 1")
        return self.connect(self.gate)

    def test_h1_79_interim_responses_are_forwarded(self):
        client = self.start(answering(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 2 + reply(body=b"end")))
        response = client.ask()
        self.assertEqual([(each.status, each["Link"]) for each in response.interim], [(103, "</a.css>")] * 2)
        self.assertEqual(response.body, b"end")

    def test_h1_79_an_http_1_0_client_sees_only_the_final_response(self):
        client = self.start(answering(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + reply(body=b"end")))
        response = client.ask(version="HTTP/1.0")
        self.assertEqual((response.interim, response.body), ([], b"end"))

    def test_h1_103_an_unrequested_101_is_502(self):
        client = self.start(answering(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"))
        self.assertEqual(client.ask().status, 502)

    def test_h1_80_the_expectation_is_forwarded_and_100_comes_from_the_upstream(self):
        asked, go = threading.Event(), threading.Event()

        def script(exchange):
            asked.set()
            exchange.wait_for(go)
            exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            exchange.read_body()
            exchange.send(reply(body=b"thanks"))
        client = self.start(script)
        client.send(request("POST", fields=[("Expect", "100-Continue"), ("Content-Length", "4")]))
        self.assertTrue(asked.wait(20))
        self.assertEqual(self.app.last.fields.get("Expect").lower(), "100-continue")
        self.assertTrue(client.is_quiet())
        go.set()
        self.assertEqual(client.read_head().status, 100)
        client.send(b"body")
        self.assertEqual(client.read_response().body, b"thanks")
        self.assertEqual(self.app.last.body, b"body")

    def test_h1_80_a_client_that_does_not_wait_for_100_is_served(self):
        client = self.start(answering(reply(body=b"ok")))
        response = client.ask("POST", fields=[("Expect", "100-continue")], body=b"eager")
        self.assertEqual((response.status, self.app.last.body), (200, b"eager"))

    def test_h1_81_a_final_answer_to_an_expectation_leaves_no_mix_up(self):
        client = self.start(lambda exchange: (exchange.send(reply("401 Unauthorized", b"no")), exchange.hang()))
        client.send(request("POST", fields=[("Expect", "100-continue"), ("Content-Length", "20")]))
        self.assertEqual(client.read_response().status, 401)
        self.app.script = answering(reply(body=b"fresh"))
        with self.connect(self.gate) as other:
            self.assertEqual(other.ask("GET", "/other").body, b"fresh")
        self.assertEqual(self.app.last.connection, 2)
        self.assertEqual(self.app.last.target, "/other")

    def test_h1_80_other_expectations_are_417(self):
        client = self.start(answering(reply()))
        self.app.expect_nothing()
        self.assertIn(client.ask("POST", fields=[("Expect", "y 100-continue")], body=b"x").status, (400, 417))


class OldClients(GatewayCase):
    def start(self, script):
        self.app = self.upstream(script)
        self.gate = self.gateway(self.app)

    def test_h1_86_a_1_0_client_is_not_kept_alive(self):
        self.start(answering(reply(body=b"ok")))
        for fields in ((), (("Connection", "keep-alive"),)):
            client = self.connect(self.gate)
            self.assertEqual(client.ask(version="HTTP/1.0", fields=fields).body, b"ok")
            client.expect_end()

    def test_h1_87_a_1_0_client_never_sees_transfer_encoding(self):
        for script in (answering(CHUNKED + chunked(b"a" * 10, b"b" * 100_000)), then_close(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 10 + b"b" * 100_000)):
            self.start(script)
            response = ask(self.gate.address, version="HTTP/1.0")
            self.assertIn(response.framing, ("close", "length"))
            self.assertEqual(response.body, b"a" * 10 + b"b" * 100_000)

    def test_h1_80_an_expectation_of_a_1_0_client_is_ignored(self):
        self.start(answering(reply(body=b"ok")))
        response = ask(self.gate.address, "POST", fields=[("Expect", "100-continue")], body=b"x", version="HTTP/1.0")
        self.assertEqual((response.status, response.interim), (200, []))

    def test_a_1_0_request_without_host_is_served(self):
        self.start(answering(reply(body=b"ok")))
        client = self.connect(self.gate)
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        self.assertIn(client.read_response().status, (200, 400))
