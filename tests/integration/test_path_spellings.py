"""No spelling of a path escapes its limit: one bucket for all that mean one resource (H1-120..H1-125, H1-128)."""

from support.gateway_case import GatewayCase
from support.http_client import Connection, ask

TEXT = """
limits:
  login: {key: everyone, fixed_window: {limit: 1, window: 1h}}
  rest: {key: everyone, fixed_window: {limit: 100000, window: 1h}}
routes:
  - {name: login, match: {host: api.test, path: /api/login}, upstream: app, limits: [login]}
  - {name: any-host, match: {path: /api/login}, upstream: app, limits: [login]}
  - {name: rest, match: {path: /**}, upstream: app, limits: [rest]}
"""

SAME = ("/api/login", "/api/%6Cogin", "/api/%6cogin", "/%61%70%69/%6C%6F%67%69%6E", "/x/../api/login", "/api/./login", "/./api/login",
        "/api/x/../login", "/api/%2e/login", "/api/%2E%2E/api/login", "/api/x/%2e%2e/login", "/api/.%2e/api/login", "//api///login",
        "/api//login", "/api/login?x=1", "/api/login?", "/a/b/c/../../../api/login", "/api/x/..//login", "/api/login/.", "/api/login/x/..")
REFUSED = ("/api%2flogin", "/api%2Flogin", "/api%5clogin", "/api%5Clogin", "/api\\login", "/..", "/../../etc", "/api/../../login",
           "/%2e%2e/api/login", "/a/%2e%2e/%2e%2e/x", "/api/login%00", "/api/%00login", "/api/%zzlogin", "/api/login%", "/api/login%4",
           "/api/%c0%aflogin", "/api/%e0%80%aflogin", "/api/login%0d%0aX:y", "/api/%ff", "/api/%ed%a0%80", "/api/login%7f", "/api/%c3")


class Spellings(GatewayCase):
    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, TEXT)

    def ask(self, target, **more):
        with Connection(self.gate.address) as client:
            return client.ask(target=target, **more)

    def route_of(self, response):
        return (response["RateLimit"] or "").split(";")[0].strip('"')

    def test_h1_120_and_h1_122_equal_paths_share_one_bucket(self):
        self.assertEqual(ask(self.gate.address, target="/api/login").status, 200)
        self.app.expect_nothing()
        for target in SAME:
            if target.endswith(("/.", "/..")):
                continue  # means the folder, "/api/login/", which H1-126 leaves apart
            self.assertEqual(self.ask(target).status, 429, target)

    def test_h1_120_hosts_share_one_bucket(self):
        self.assertEqual(self.ask("/api/login", host="api.test").status, 200)
        self.app.expect_nothing()
        for host in ("API.test", "api.test:80", "Api.Test:80", "api.test.", "API.TEST.:80"):
            self.assertEqual(self.ask("/api/login", host=host).status, 429, host)
        for target in ("http://api.test/api/login", "HTTP://API.test:80/api/login", "http://api.test:80/api/%6cogin", "http://other.test/api/login"):
            self.assertEqual(self.ask(target, host="else.test").status, 429, target)

    def test_h1_121_the_upstream_sees_the_path_that_was_matched(self):
        gate = self.gateway(self.app, TEXT.replace("limit: 1,", "limit: 1000,"))
        for target in SAME[:15]:
            self.assertEqual(ask(gate.address, target=target).status, 200, target)
            self.assertEqual(self.app.last.target.rstrip("?").split("?")[0], "/api/login", target)

    def test_h1_123_to_h1_125_what_could_be_read_in_two_ways_is_400(self):
        self.app.expect_nothing()
        for target in REFUSED:
            self.assertEqual(self.ask(target).status, 400, target)

    def test_h1_124_double_encoding_is_decoded_once(self):
        for target in ("/api/%256Cogin", "/api%252flogin", "/%252e%252e/api/login"):
            response = self.ask(target)
            self.assertEqual((response.status, self.route_of(response)), (200, "rest"), target)
            self.assertEqual(self.app.last.target, target)

    def test_h1_127_an_escaped_question_mark_stays_in_the_path(self):
        response = self.ask("/api/login%3fx")
        self.assertEqual((response.status, self.route_of(response)), (200, "rest"))
        self.assertEqual(self.app.last.target.lower(), "/api/login%3fx")

    def test_h1_128_no_variant_exceeds_a_default_limit(self):
        gate = self.gateway(self.app, "limits: {all: {key: everyone, fixed_window: {limit: 3, window: 1h}}}\nglobal_limits: [all]")
        before = self.app.count()
        for target in SAME + REFUSED + ("/API/login", "/api/login/", "/api/login;a=1", "/api/login%20", "/api/login.json"):
            ask(gate.address, target=target)
            ask(gate.address, "HEAD", target=target)
        self.assertEqual(self.app.count() - before, 3)

    def test_h1_30_a_rewritten_url_or_method_in_a_field_changes_no_limit(self):
        self.assertEqual(self.ask("/api/login").status, 200)
        for fields in ([("X-Original-URL", "/free")], [("X-Rewrite-URL", "/free")], [("X-HTTP-Method-Override", "GET")]):
            self.assertEqual(self.ask("/api/login", fields=fields).status, 429, fields)
