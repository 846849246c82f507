"""Deny lists: who gets no further, by address and by API key (RL-72)."""

import base64
import hashlib
import json

from support.gateway_case import GatewayCase
from support.http_client import Connection, ask
from support.waiting import wait_until

BANNED, GOOD = "canary-banned-1", "canary-good-2"


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


CONFIGURATION = f"""
access_log: on
client: {{source: x-forwarded-for, trusted_proxies: [127.0.0.0/8]}}
auth: {{api_keys: {{from: [header X-API-Key]}}}}
deny: {{addresses: [198.51.100.0/24, "2001:db8:bad::/48"], except: [198.51.100.7], api_keys_sha256: [{digest(BANNED)}]}}
limits:
  attempts: {{key: client.ip, fixed_window: {{limit: 3, window: 1h}}}}
  keys: {{key: api_key, fixed_window: {{limit: 9, window: 1h}}}}
routes:
  - match: {{path: /admin/**}}
    upstream: app
    limits: none
    deny: {{addresses: [0.0.0.0/0, "::/0"], except: [10.0.0.0/8], action: close}}
  - match: {{path: /drop}}
    upstream: app
    limits: none
    deny: {{api_keys_sha256: {digest(GOOD)}, action: close}}
  - {{match: {{path: /**}}, upstream: app, before_auth: [attempts], limits: [keys]}}
"""
# Method, target and fields of requests that meet no limit and that do, at gateway_with_a_free_route().
PLACES = (("GET", "/free", []), ("OPTIONS", "/", [("Origin", "https://a.example"), ("Access-Control-Request-Method", "GET")]), ("GET", "/", []))


class DenyLists(GatewayCase):
    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, "workers: 1\n" + CONFIGURATION)  # the log's lines come in order

    def ask(self, client, target="/", key=None):
        fields = [("X-Forwarded-For", client)] + ([("X-API-Key", key)] if key else [])
        return ask(self.gate.address, target=target, fields=fields)

    def silence(self, client, target, key=None):
        """Asks, and expects the connection to end without a byte."""
        with Connection(self.gate.address) as connection:
            more = f"X-API-Key: {key}\r\n" if key else ""
            connection.send(f"GET {target} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\n{more}\r\n".encode())
            connection.expect_end()

    def logged(self, count):
        wait_until(lambda: self.gate.stdout.count("\n") >= count, what=f"{count} lines of the access log")
        return [json.loads(line) for line in self.gate.stdout.splitlines()]

    def test_a_denied_address_gets_a_403_on_every_route(self):
        for client in ("198.51.100.1", "2001:db8:bad:1::2"):
            for target in ("/", "/nowhere/at?all", "/drop"):
                response = self.ask(client, target)
                self.assertEqual(response.status, 403)
                self.assertEqual(json.loads(response.body)["type"], "about:blank")
        self.assertEqual(self.app.count(), 0)
        for client in ("198.51.100.7", "198.51.101.1", "2001:db8:bad1::1"):
            self.assertEqual(self.ask(client, "/drop").status, 200, client)
        metrics = self.metrics(self.gate)
        self.assertEqual(metrics.value("penstock_denied_total", by="address", action="reject"), 6)
        self.assertEqual(metrics.value("penstock_denied_total", by="address", action="close"), 0)
        first = self.logged(9)[0]
        self.assertEqual((first["penstock.denied_by"], first["http.response.status_code"]), ("address", 403))
        self.assertEqual(first["client.ip"], "198.51.100.1")

    def test_rl_72_a_route_can_close_instead_of_answering(self):
        self.app.expect_nothing()
        self.silence("203.0.113.5", "/admin/users")
        self.silence("2001:db8::1", "/admin/users")
        metrics = self.metrics(self.gate)
        self.assertEqual(metrics.value("penstock_denied_total", by="address", action="close"), 2)
        line = self.logged(2)[0]
        self.assertEqual((line["http.response.status_code"], line["http.response.bytes"]), (444, 0))

    def test_those_who_are_excepted_pass_a_route_that_denies_all(self):
        self.assertEqual(self.ask("10.1.2.3", "/admin/users").status, 200)

    def test_a_caller_without_an_address_is_denied_where_everybody_is(self):
        path = f"{self.folder()}/gate.sock"
        gate = self.gateway(self.app, f"""
listeners: [{{address: 127.0.0.1:0}}, {{address: "unix:{path}"}}]
routes:
  - match: {{path: /admin/**}}
    upstream: app
    limits: none
    deny: {{addresses: [0.0.0.0/0, "::/0"], except: [127.0.0.0/8]}}
  - {{match: {{path: /**}}, upstream: app, limits: none, deny: {{addresses: [203.0.113.0/24]}}}}
""")
        self.assertEqual(ask(path, target="/admin/users").status, 403)
        self.assertEqual(ask(path, target="/").status, 200)
        self.assertEqual(ask(gate.address, target="/admin/users").status, 200)

    def test_a_denied_key_is_a_failed_attempt_wherever_it_comes_from(self):
        self.app.expect_nothing()
        statuses = [self.ask("203.0.113.9", key=BANNED).status for _ in range(5)]
        self.assertEqual(statuses, [403, 403, 403, 429, 429])
        self.assertEqual(self.ask("203.0.113.10", "/drop", BANNED).status, 403)  # the general list comes first
        metrics = self.metrics(self.gate)
        self.assertEqual(metrics.value("penstock_denied_total", by="api_key", action="reject"), 4)
        self.assertEqual(metrics.value("penstock_credentials_refused_total", reason="api_key_denied"), 4)
        self.assertEqual(self.logged(6)[0]["penstock.denied_by"], "api_key")
        self.assertNotIn(BANNED, self.gate.stdout)

    def test_a_key_is_denied_whether_it_is_known_or_not(self):
        for on_unknown in ("reject", "anonymous"):
            gate = self.gateway(self.app, f"""
auth:
  api_keys: {{from: [header X-API-Key], on_unknown: {on_unknown}, known: [{{name: good, sha256: {digest(GOOD)}}}]}}
deny: {{api_keys_sha256: [{digest(BANNED)}]}}
""")
            self.assertEqual(ask(gate.address, fields=[("X-API-Key", BANNED)]).status, 403)
            self.assertEqual(ask(gate.address, fields=[("X-API-Key", GOOD)]).status, 200)

    def gateway_with_a_free_route(self):
        return self.gateway(self.app, f"""
auth: {{api_keys: {{from: [header X-API-Key, query api_key], known: [{{name: good, sha256: {digest(GOOD)}}}]}}}}
deny: {{api_keys_sha256: [{digest(BANNED)}]}}
limits: {{attempts: {{key: client.ip, fixed_window: {{limit: 1000, window: 1h}}}}}}
routes:
  - {{match: {{path: /free}}, upstream: app, limits: none}}
  - {{match: {{path: /**}}, upstream: app, limits: [attempts]}}
""")

    def test_a_denied_key_stays_denied_however_many_keys_come_with_it(self):
        self.app.expect_nothing()
        gate = self.gateway_with_a_free_route()
        for method, target, more in PLACES:
            for keys, query in (([BANNED] * 2, ""), ([BANNED, GOOD], ""), ([GOOD, BANNED], ""), ([BANNED], "?api_key=zz"),
                                ([BANNED], "?api_key="), ([GOOD], "?api_key=" + BANNED), ([GOOD], "?api_key=x" + "&api_key=x" * 60)):
                with self.subTest(method=method, target=target, keys=keys, query=query):
                    fields = more + [("X-API-Key", key) for key in keys]
                    self.assertEqual(ask(gate.address, method=method, target=target + query, fields=fields).status, 403)

    def test_a_denied_key_passes_nowhere_for_a_mark_or_a_blank_beside_it(self):
        """An upstream may read a list, or trim what it reads, and find the key that is denied."""
        self.app.expect_nothing()
        gate = self.gateway_with_a_free_route()
        for method, target, more in PLACES:
            for key, query, status in ((BANNED + ",", "", 403), ("," + BANNED, "", 403), (f"x,{BANNED},{GOOD}", "", 403), (f" {BANNED}\t", "", 403),
                                       (f'"{BANNED}"', "", 403), (f"{BANNED};q=1", "", 403), (None, f"?a=1;api_key={BANNED}", 403),
                                       (None, f"?api_key={BANNED}%2C", 403), (f"x, {BANNED}", "", 400), (None, f"?api_key=%20{BANNED}", 400),
                                       (None, f"?api_key={BANNED}+", 400), (None, f"?api_key={BANNED}%C2%A0", 400), (None, f"?api_key={BANNED}%00", 400),
                                       (None, f"?api_key={BANNED}" + "%20" * 1000, 400)):
                with self.subTest(method=method, target=target, key=key, query=query[:60]):
                    fields = more + ([("X-API-Key", key)] if key else [])
                    self.assertEqual(ask(gate.address, method=method, target=target + query, fields=fields).status, status)

    def test_an_empty_key_is_none_that_is_denied(self):
        gate = self.gateway_with_a_free_route()
        for query in ("?api_key=", "?api_key"):
            self.assertEqual(ask(gate.address, target="/free" + query).status, 200)
            self.assertEqual(ask(gate.address, target="/" + query).status, 400)
        self.assertEqual(ask(gate.address, target="/free", fields=[("X-API-Key", "")]).status, 200)

    def test_a_denied_key_is_denied_as_user_name_and_as_password(self):
        gate = self.gateway(self.app, f"""
auth: {{api_keys: {{from: [authorization Basic]}}}}
deny: {{api_keys_sha256: [{digest(BANNED)}]}}
limits: {{partners: {{key: api_key, fixed_window: {{limit: 1000, window: 1h}}}}}}
routes:
  - {{match: {{path: /free}}, upstream: app, limits: none}}
  - {{match: {{path: /**}}, upstream: app, limits: [partners]}}
""")
        for method, target, more in PLACES:
            for pair, status in ((f"{BANNED}:", 403), (f"{BANNED}:x", 403), (f"x:{BANNED}", 403), (f"x {BANNED}:x", 403), ("a b:x", 200)):
                with self.subTest(method=method, target=target, pair=pair):
                    fields = [*more, ("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())]
                    self.assertEqual(ask(gate.address, method=method, target=target, fields=fields).status, status)

    def test_where_no_key_is_denied_a_free_route_lets_any_pass(self):
        gate = self.gateway(self.app, """
auth: {api_keys: {from: [query api_key]}}
routes: [{upstream: app, limits: none}]
""")
        self.assertEqual(ask(gate.address, target="/?api_key=a+b").status, 200)

    def test_rl_72_a_key_can_be_denied_on_one_route(self):
        self.assertEqual(self.ask("203.0.113.9", "/", GOOD).status, 200)
        self.silence("203.0.113.9", "/drop", GOOD)
        self.assertEqual(self.app.count("/drop"), 0)
        self.assertEqual(self.metrics(self.gate).value("penstock_denied_total", by="api_key", action="close"), 1)
