"""What reaches the upstream and what comes back: methods, bodies in both framings, targets, fields, kinds of upstream."""

import gzip
import os
import threading

from support.fake_upstream import answering, reply
from support.gateway_case import GatewayCase
from support.http_client import ask, request
from support.http_wire import chunked
from support.waiting import wait_until


class Requests(GatewayCase):
    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app)

    def test_get_is_forwarded_and_answered(self):
        response = ask(self.gate.address, target="/a?b=c")
        self.assertEqual((response.status, response.reason, response.body), (200, "OK", b"ok"))
        self.assertEqual((self.app.last.method, self.app.last.target), ("GET", "/a?b=c"))
        self.assertIsNone(self.app.last.framing)

    def test_h1_26_unknown_and_lower_case_methods_arrive_as_sent(self):
        for method in ("PUT", "DELETE", "PATCH", "PROPFIND", "get", "X-y"):
            self.assertEqual(ask(self.gate.address, method).status, 200, method)
            self.assertEqual(self.app.last.method, method)

    def test_post_with_content_length(self):
        body = os.urandom(300_000)
        self.assertEqual(ask(self.gate.address, "POST", body=body).status, 200)
        self.assertEqual((self.app.last.framing, self.app.last.body), ("length", body))

    def test_post_without_content_keeps_its_content_length(self):
        self.assertEqual(ask(self.gate.address, "POST", body=b"").status, 200)
        self.assertEqual(self.app.last.fields.get("Content-Length"), "0")

    def test_h1_46_chunked_request_arrives_chunked_without_content_length(self):
        parts = [b"one", b"", b"two" * 50_000, b"three"]
        with self.connect(self.gate) as client:
            client.send(request("POST", fields=[("Transfer-Encoding", "chunked")]) + chunked(*parts))
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual((self.app.last.framing, self.app.last.body), ("chunked", b"".join(parts)))

    def test_h1_41_chunked_is_recognised_in_any_case(self):
        with self.connect(self.gate) as client:
            client.send(request("POST", fields=[("Transfer-Encoding", "Chunked")]) + chunked(b"x"))
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(self.app.last.body, b"x")

    def test_h1_52_get_with_a_body_is_forwarded_whole(self):
        with self.connect(self.gate) as client:
            self.assertEqual(client.ask("GET", "/one", body=b"GET /two HTTP/1.1\r\nX: y").status, 200)
            self.assertEqual(client.ask("GET", "/three").status, 200)
        self.assertEqual([each.target for each in self.app.requests], ["/one", "/three"])
        self.assertEqual(self.app.requests[0].body, b"GET /two HTTP/1.1\r\nX: y")

    def test_a_request_body_streams_before_it_is_complete(self):
        with self.connect(self.gate) as client:
            self.app.script = self._answer_the_first_piece
            client.send(request("POST", fields=[("Content-Length", "10")]) + b"first")
            self.assertEqual(client.read_head().status, 103)
            client.send(b"-last")
            self.assertEqual(client.read_response().body, b"done")

    @staticmethod
    def _answer_the_first_piece(exchange):
        got = next(exchange.reader.pieces(5))
        exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: <%s>\r\n\r\n" % got)
        for _ in exchange.reader.pieces(5):
            pass
        exchange.send(reply(body=b"done"))
        exchange.close()

    def test_h1_75_path_and_query_arrive_byte_for_byte(self):
        for target in ("/a/b%20c?x=1&x=2&y=%2F%2f?&=", "/", "/a;v=1/b,c?q=a+b", "/caf%C3%A9", "/x?a=b//c/../d", "/trailing/"):
            ask(self.gate.address, target=target)
            self.assertEqual(self.app.last.target, target)

    def test_h1_11_unknown_fields_keep_name_value_and_order(self):
        ask(self.gate.address, fields=[("X-A", "1"), ("x-b", "q,r"), ("X-A", "2"), ("X-Empty", "")])
        names = [(k, v) for k, v in self.app.last.fields if k.lower() in ("x-a", "x-b", "x-empty")]
        self.assertEqual([v for k, v in names if k.lower() == "x-a"], ["1", "2"])
        self.assertIn(("x-b", "q,r"), [(k.lower(), v) for k, v in names])
        self.assertIn(("x-empty", ""), [(k.lower(), v) for k, v in names])

    def test_h1_8_obs_text_is_opaque(self):
        ask(self.gate.address, fields=[("X-Name", "caf\xe9")])
        self.assertEqual(self.app.last.fields.get("X-Name"), "caf\xe9")

    def test_h1_76_host_is_the_clients_authority(self):
        ask(self.gate.address, host="Api.Example.com:8080")
        self.assertEqual(self.app.last.fields.get("Host").lower(), "api.example.com:8080")

    def test_ak_10_authorization_arrives_unmodified(self):
        ask(self.gate.address, fields=[("Authorization", "Basic dTpwYXNz==")])
        self.assertEqual(self.app.last.fields.get("Authorization"), "Basic dTpwYXNz==")


class Responses(GatewayCase):
    def answer(self, data, method="GET"):
        app = self.upstream(answering(data))
        return ask(self.gateway(app).address, method)

    def test_status_reason_and_fields_come_back(self):
        response = self.answer(reply("404 Nothing Here", b"gone", [("X-App", "yes"), ("Content-Type", "text/plain")]))
        self.assertEqual((response.status, response.body), (404, b"gone"))
        self.assertEqual((response["X-App"], response["Content-Type"]), ("yes", "text/plain"))

    def test_chunked_response_comes_back_whole(self):
        parts = [b"a" * 10, b"b" * 70_000, b"c"]
        response = self.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(*parts))
        self.assertEqual((response.framing, response.body), ("chunked", b"".join(parts)))

    def test_a_small_chunked_response_that_comes_in_one_piece(self):
        response = self.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"x"))
        self.assertEqual((response.framing, response.body), ("chunked", b"x"))

    def test_h1_11_set_cookie_lines_stay_separate(self):
        cookies = ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2; Path=/"]
        response = self.answer(reply(fields=[("Set-Cookie", each) for each in cookies]))
        self.assertEqual(response.fields.all("Set-Cookie"), cookies)

    def test_h1_89_encoded_body_is_untouched(self):
        packed = gzip.compress(b"text" * 1000)
        response = self.answer(reply(body=packed, fields=[("Content-Encoding", "gzip")]))
        self.assertEqual((response["Content-Encoding"], response.body), ("gzip", packed))

    def test_ak_10_challenge_of_the_upstream_is_unmodified(self):
        challenge = 'Bearer realm="app", error="invalid_token"'
        self.assertEqual(self.answer(reply("401 Unauthorized", fields=[("WWW-Authenticate", challenge)]))["WWW-Authenticate"], challenge)

    def test_a_response_streams_before_it_is_complete(self):
        go = threading.Event()

        def script(exchange):
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
            exchange.wait_for(go)
            exchange.send(b"-last")
        app = self.upstream(script)
        with self.connect(self.gateway(app)) as client:
            client.send(request())
            response = client.read_final_head()
            pieces = client.body_pieces(response)
            got = b""
            while len(got) < 5:
                got += next(pieces)
            go.set()
            self.assertEqual(got + b"".join(pieces), b"first-last")

    def test_back_pressure_a_client_that_does_not_read_stops_the_upstream(self):
        sent, size = [0], 64 * 1024 * 1024

        def script(exchange):
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            block = b"x" * 65536
            while sent[0] < size:
                exchange.send(block)
                sent[0] += len(block)
        app = self.upstream(script)
        with self.connect(self.gateway(app)) as client:
            client.send(request())
            response = client.read_final_head()
            wait_until(lambda: sent[0] > 65536, what="the upstream's first blocks")
            seen = [0, 0]

            def still():
                seen[0], seen[1] = (seen[0] + 1, seen[1]) if seen[1] == sent[0] else (0, sent[0])
                return seen[0] > 60
            wait_until(still, what="the upstream standing still")
            self.assertLess(sent[0], size // 2)
            self.assertEqual(sum(map(len, client.body_pieces(response))), size)


class KindsOfUpstream(GatewayCase):
    def test_unix_socket(self):
        app = self.upstream(unix_path=os.path.join(self.folder(), "app.sock"))
        self.assertEqual(ask(self.gateway(app).address, "POST", body=b"hello").status, 200)
        self.assertEqual(app.last.body, b"hello")

    def test_host_name(self):
        app = self.upstream()
        gate = self.gateway(text=f"upstreams: {{app: {{servers: [\"localhost:{app.port}\"]}}}}")
        self.assertEqual(ask(gate.address).status, 200)
        self.assertEqual(app.count(), 1)

    def test_several_servers_share_the_work(self):
        apps = [self.upstream(), self.upstream()]
        servers = ", ".join(f'"{app.server}"' for app in apps)
        gate = self.gateway(text=f"upstreams: {{app: {{servers: [{servers}], balance: round_robin}}}}")
        for _ in range(20):
            self.assertEqual(ask(gate.address).status, 200)
        for app in apps:
            self.assertGreaterEqual(app.count(), 5)

    def test_listener_on_a_unix_socket(self):
        app = self.upstream()
        path = os.path.join(self.folder(), "gate.sock")
        self.gateway(app, f"listeners: [{{address: 127.0.0.1:0}}, {{address: \"unix:{path}\"}}]")
        self.assertEqual(ask(path).status, 200)

    def test_no_route_is_404_and_nothing_is_forwarded(self):
        app = self.upstream()
        gate = self.gateway(app, "routes: [{match: {path: /only}, upstream: app}]")
        self.assertEqual(ask(gate.address, target="/only").status, 200)
        app.expect_nothing()
        response = ask(gate.address, target="/other")
        self.assertEqual((response.status, response["Content-Type"]), (404, "application/problem+json"))


class Routes(GatewayCase):
    def test_first_match_wins_on_host_path_and_method(self):
        names = {name: self.upstream(answering(reply(body=name.encode()))) for name in ("host", "method", "star", "deep", "capture", "rest")}
        upstreams = "".join(f"  {name}: {{servers: [\"{app.server}\"]}}\n" for name, app in names.items())
        gate = self.gateway(text=f"""
upstreams:
{upstreams}
routes:
  - {{match: {{host: api.example.com}}, upstream: host}}
  - {{match: {{path: /m, methods: [POST, PUT]}}, upstream: method}}
  - {{match: {{path: /s/*}}, upstream: star}}
  - {{match: {{path: "/users/{{id}}/orders"}}, upstream: capture}}
  - {{match: {{path: /d/**}}, upstream: deep}}
  - {{match: {{path: /**}}, upstream: rest}}
""")
        for method, target, host, expected in (
                ("GET", "/d/x", "api.example.com", b"host"), ("GET", "/", "API.example.com:80", b"host"),
                ("POST", "/m", "x", b"method"), ("GET", "/m", "x", b"rest"),
                ("GET", "/s/one", "x", b"star"), ("GET", "/s/one/two", "x", b"rest"), ("GET", "/s", "x", b"rest"),
                ("GET", "/users/7/orders", "x", b"capture"), ("GET", "/users/7/8/orders", "x", b"rest"),
                ("GET", "/d", "x", b"deep"), ("GET", "/d/a/b/c", "x", b"deep"), ("GET", "/dd", "x", b"rest")):
            with self.subTest(method=method, target=target, host=host):
                self.assertEqual(ask(gate.address, method, target, host=host).body, expected)
