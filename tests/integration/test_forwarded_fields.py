"""Fields that belong to one connection, and fields that the gateway writes itself."""

import email.utils

from support.fake_upstream import answering, reply
from support.gateway_case import GatewayCase
from support.http_client import ask, request
from support.ports import free_port

TRUSTING = "client: {source: x-forwarded-for, trusted_proxies: [127.0.0.0/8]}"


class Untrusted(GatewayCase):
    """The peer is nobody's proxy."""

    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app)

    def seen(self, *fields, **more):
        self.assertEqual(ask(self.gate.address, fields=fields, **more).status, 200)
        return self.app.last.fields

    def test_h1_70_connection_and_what_it_names_are_removed(self):
        seen = self.seen(("Connection", "close, X-Foo"), ("X-Foo", "1"), ("Connection", "x-bar"), ("X-Bar", "2"), ("X-Kept", "3"))
        self.assertEqual((seen.all("X-Foo"), seen.all("X-Bar"), seen.all("X-Kept")), ([], [], ["3"]))
        self.assertNotIn("x-foo", seen.tokens("Connection"))
        self.assertNotIn("close", seen.tokens("Connection"))

    def test_h1_71_connection_fields_are_always_removed(self):
        seen = self.seen(("Keep-Alive", "timeout=5"), ("Proxy-Connection", "keep-alive"), ("TE", "gzip"), ("Upgrade", "h3"),
                         ("Trailer", "X"), ("Connection", "keep-alive"))
        for name in ("Keep-Alive", "Proxy-Connection", "TE", "Upgrade", "Transfer-Encoding"):
            self.assertEqual(seen.all(name), [], name)

    def test_h1_101_h2c_upgrade_is_not_forwarded(self):
        seen = self.seen(("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"))
        self.assertEqual((seen.all("Upgrade"), seen.all("HTTP2-Settings")), ([], []))
        self.assertNotIn("upgrade", seen.tokens("Connection"))

    def test_h1_72_connection_cannot_remove_critical_fields(self):
        for name, value in (("Authorization", "Basic eA=="), ("Cookie", "a=b"), ("X-API-Key", "k")):
            seen = self.seen(("Connection", f"close, {name}"), (name, value))
            self.assertEqual(seen.all(name), [value], name)

    def test_h1_72_connection_cannot_remove_host_or_framing(self):
        with self.connect(self.gate) as client:
            client.send(request("POST", fields=[("Connection", "Host, Content-Length, Transfer-Encoding")], body=b"four"))
            status = client.read_response().status
        self.assertIn(status, (200, 400))
        if status == 200:
            self.assertEqual((self.app.last.fields.get("Host"), self.app.last.body), ("gateway.test", b"four"))

    def test_ip_6_forwarding_fields_of_a_stranger_are_replaced(self):
        seen = self.seen(("X-Forwarded-For", "1.2.3.4"), ("X-Forwarded-For", "5.6.7.8"), ("X-Real-IP", "1.2.3.4"),
                         ("Forwarded", "for=1.2.3.4"))
        self.assertEqual(seen.all("X-Forwarded-For"), ["127.0.0.1"])
        self.assertNotIn("1.2.3.4", "".join(seen.all("X-Real-IP") + seen.all("Forwarded")))

    def test_ip_14_cdn_address_fields_of_a_stranger_are_removed(self):
        names = ("CF-Connecting-IP", "True-Client-IP", "Fastly-Client-IP")
        seen = self.seen(*((name, "1.2.3.4") for name in names))
        for name in names:
            self.assertNotIn("1.2.3.4", seen.all(name), name)

    def test_ip_17_proto_and_host_of_a_stranger_are_replaced(self):
        seen = self.seen(("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.test"), host="real.test")
        self.assertEqual((seen.all("X-Forwarded-Proto"), seen.all("X-Forwarded-Host")), (["http"], ["real.test"]))

    def test_h1_73_via_names_the_received_version(self):
        self.assertEqual(self.seen().all("Via"), ["1.1 penstock"])
        self.assertEqual(self.seen(version="HTTP/1.0").all("Via"), ["1.0 penstock"])

    def test_h1_73_via_of_earlier_hops_is_kept_in_front(self):
        self.assertEqual(self.seen(("Via", "1.0 fred")).tokens("Via"), ["1.0 fred", "1.1 penstock"])

    def test_h1_74_a_request_that_goes_in_circles_is_ended(self):
        self.assertEqual(len(self.seen(*[("Via", "1.1 penstock")] * 4).tokens("Via")), 5)
        self.app.expect_nothing()
        for passes in ([("Via", "1.1 penstock")] * 5, [("Via", "1.1 fred, " + ", ".join(["1.1 penstock"] * 5))]):
            response = ask(self.gate.address, fields=passes)
            self.assertEqual((response.status, response.reason, response["Content-Type"]),
                             (508, "Loop Detected", "application/problem+json"))

    def test_h1_74_an_upstream_that_is_the_gateway_itself_is_a_loop_with_an_end(self):
        port = free_port()
        gate = self.gateway(text=f"workers: 1\nlisteners: [{{address: 127.0.0.1:{port}}}]\n"
                                 f"upstreams: {{app: {{servers: [127.0.0.1:{port}]}}}}")
        self.assertEqual(ask(gate.address).status, 508)
        self.assertEqual(self.metrics(gate).value("penstock_requests_total"), 6)

    def test_h1_13_the_upstream_sees_http_1_1(self):
        self.seen(version="HTTP/1.0")
        self.assertEqual(self.app.last.version, "HTTP/1.1")


class Trusted(GatewayCase):
    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, TRUSTING)

    def seen(self, *fields, **more):
        self.assertEqual(ask(self.gate.address, fields=fields, **more).status, 200)
        return self.app.last.fields

    def test_ip_6_the_peer_is_appended_to_the_chain_of_a_trusted_proxy(self):
        self.assertEqual(self.seen(("X-Forwarded-For", "198.51.100.7")).tokens("X-Forwarded-For"), ["198.51.100.7", "127.0.0.1"])

    def test_ip_5_several_lines_stay_one_chain_in_order(self):
        seen = self.seen(("X-Forwarded-For", "198.51.100.7"), ("X-Forwarded-For", "10.0.0.2"))
        self.assertEqual(seen.tokens("X-Forwarded-For"), ["198.51.100.7", "10.0.0.2", "127.0.0.1"])

    def test_ip_16_connection_cannot_remove_the_chain(self):
        seen = self.seen(("X-Forwarded-For", "198.51.100.7"), ("Connection", "close, X-Forwarded-For"))
        self.assertEqual(seen.tokens("X-Forwarded-For")[-1], "127.0.0.1")

    def test_ip_17_valid_proto_and_host_are_kept(self):
        seen = self.seen(("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.test"))
        self.assertEqual((seen.get("X-Forwarded-Proto"), seen.get("X-Forwarded-Host")), ("https", "shop.test"))

    def test_ip_17_invalid_proto_and_host_are_replaced(self):
        seen = self.seen(("X-Forwarded-Proto", "javascript"), ("X-Forwarded-Host", "a b/c"), host="real.test")
        self.assertEqual((seen.get("X-Forwarded-Proto"), seen.get("X-Forwarded-Host")), ("http", "real.test"))


class Consistent(GatewayCase):
    """All that names the client to the upstream says the same, whatever contradicts it on arrival."""

    CONTRADICTING = [("X-Forwarded-For", "6.6.6.6"), ("X-Real-IP", "7.7.7.7"), ("CF-Connecting-IP", "8.8.8.8"),
                     ("X-Client-IP", "9.9.9.9"), ("X-Client-IP", "9.9.9.8"), ("X_Forwarded_For", "5.5.5.5")]

    def seen(self, source, *fields, more=""):
        app = self.upstream()
        gate = self.gateway(app, f"client: {{source: {source}, trusted_proxies: [127.0.0.0/8]{more}}}")
        self.assertEqual(ask(gate.address, fields=[*self.CONTRADICTING, *fields], host="real.test:8080").status, 200)
        return app.last.fields

    def check_claims(self, seen, client):
        for name in ("X-Real-IP", "CF-Connecting-IP", "X-Client-IP"):
            self.assertEqual(seen.all(name), [client], name)
        self.assertEqual(seen.all("X_Forwarded_For"), [])

    def test_ip_25_the_chain_of_forwarded_is_the_one(self):
        seen = self.seen("forwarded", ("Forwarded", "for=198.51.100.7;proto=https;host=shop.test"), ("Forwarded", "for=\"[::1]:9\""))
        # ::1 is nobody's proxy here, so it is the client
        self.assertEqual(seen.all("Forwarded"), ["for=198.51.100.7;proto=https;host=shop.test, for=\"[::1]:9\", "
                                                 "for=127.0.0.1;host=\"real.test:8080\";proto=http"])
        self.assertEqual(seen.all("X-Forwarded-For"), ["198.51.100.7, ::1, 127.0.0.1"])
        self.assertEqual((seen.get("X-Forwarded-Proto"), seen.get("X-Forwarded-Host")), ("http", "real.test:8080"))
        self.check_claims(seen, "::1")

    def test_ip_17_scheme_and_host_come_from_the_clients_element(self):
        seen = self.seen("forwarded", ("Forwarded", "for=6.6.6.6;proto=ftp, for=198.51.100.7;proto=https;host=shop.test"),
                         ("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", "other.test"), ("X-Forwarded-Port", "81"))
        self.assertEqual((seen.get("X-Forwarded-Proto"), seen.get("X-Forwarded-Host"), seen.get("X-Forwarded-Port")),
                         ("https", "shop.test", None))
        self.check_claims(seen, "198.51.100.7")

    def test_ip_25_without_forwarded_as_the_source_it_is_removed(self):
        for source in ("peer", "x-forwarded-for", "x-real-ip"):
            self.assertEqual(self.seen(source, ("Forwarded", "for=4.4.4.4")).all("Forwarded"), [], source)

    def test_ip_25_a_single_field_makes_the_chain(self):
        seen = self.seen("header X-Azure-ClientIP", ("X-Azure-ClientIP", "198.51.100.7:4711"))
        self.assertEqual(seen.all("X-Forwarded-For"), ["198.51.100.7, 127.0.0.1"])
        self.assertEqual(seen.all("X-Azure-ClientIP"), ["198.51.100.7"])
        self.check_claims(seen, "198.51.100.7")

    def test_ip_14_the_configured_field_of_a_stranger_is_removed(self):
        app = self.upstream()
        gate = self.gateway(app, "client: {source: header X-Azure-ClientIP, trusted_proxies: [10.0.0.0/8]}")
        self.assertEqual(ask(gate.address, fields=[("X-Azure-ClientIP", "1.2.3.4")]).status, 200)
        self.assertEqual((app.last.fields.all("X-Azure-ClientIP"), app.last.fields.all("X-Forwarded-For")), ([], ["127.0.0.1"]))

    def test_ip_25_a_chain_and_a_single_field_that_contradict(self):
        self.check_claims(self.seen("x-forwarded-for"), "6.6.6.6")

    def test_ip_26_the_gateway_may_name_itself_by_its_pseudonym(self):
        seen = self.seen("forwarded", more=", forwarded_by: obfuscated}\nvia: gw1\nmemory: {max_keys: 1000")
        self.assertEqual(seen.all("Forwarded"), ["for=127.0.0.1;by=_gw1;host=\"real.test:8080\";proto=http"])

    def test_ip_23_a_quote_left_open_does_not_reach_the_upstream(self):
        seen = self.seen("forwarded", ("Forwarded", "for=6.6.6.6;x=\", for=198.51.100.7"))
        self.assertEqual(seen.all("Forwarded"), ["for=198.51.100.7, for=127.0.0.1;host=\"real.test:8080\";proto=http"])


class ResponseFields(GatewayCase):
    def answer(self, *fields):
        app = self.upstream(answering(reply(fields=fields)))
        return ask(self.gateway(app).address)

    def test_h1_70_connection_fields_of_the_upstream_are_removed(self):
        response = self.answer(("Connection", "keep-alive, X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"),
                               ("Proxy-Connection", "close"), ("X-Kept", "2"))
        for name in ("X-Hop", "Keep-Alive", "Proxy-Connection"):
            self.assertEqual(response.fields.all(name), [], name)
        self.assertEqual(response["X-Kept"], "2")

    def test_h1_77_date_is_added_where_the_upstream_sends_none(self):
        date = self.answer()["Date"]
        self.assertRegex(date, r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$")
        self.assertIsNotNone(email.utils.parsedate_to_datetime(date))

    def test_h1_77_date_of_the_upstream_is_kept(self):
        self.assertEqual(self.answer(("Date", "Sun, 06 Nov 1994 08:49:37 GMT"))["Date"], "Sun, 06 Nov 1994 08:49:37 GMT")

    def test_h1_77_and_h1_78_the_gateways_own_answers_have_a_date_and_no_version(self):
        gate = self.gateway(self.upstream(), "routes: [{match: {path: /only}, upstream: app}]")
        response = ask(gate.address, target="/other")
        self.assertRegex(response["Date"], r"GMT$")
        self.assertNotRegex(response["Server"] or "", r"[0-9]")

    def test_rl_73_retry_after_of_the_upstream_is_unchanged(self):
        self.assertEqual(self.answer(("Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"))["Retry-After"], "Fri, 31 Dec 1999 23:59:59 GMT")
