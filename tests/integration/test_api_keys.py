"""Known API keys: who is let in, what a key brings along, and that no key is ever shown (AK-2, AK-5, AK-9, AK-12, AK-39)."""

import hashlib
import json

from support.gateway_case import GatewayCase
from support.http_client import ask
from support.waiting import wait_until

GOLD, PLAIN, UNKNOWN = "canary-gold-1", "canary-plain-2", "canary-unknown-3"


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


KNOWN = f"""
auth:
  api_keys:
    from: [header X-API-Key, authorization ApiKey]
    known:
      - {{name: partner, sha256: {digest(GOLD)}, attributes: {{plan: gold, owner: acme}}}}
      - {{name: guest, sha256: {digest(PLAIN)}, attributes: {{plan: none, owner: acme}}}}
limits:
  by-key:
    key: api_key
    fixed_window: {{limit: 1, window: 1h}}
    from_attribute: {{attribute: api_key.plan, tiers: {{gold: {{limit: 3}}}}}}
  by-owner: {{key: api_key.owner, fixed_window: {{limit: 2, window: 1h}}, on_missing_key: reject}}
  by-address:
    key: client.ip
    fixed_window: {{limit: 1, window: 1h}}
    overrides: {{127.0.0.1: {{limit: 2}}}}
routes:
  - {{match: {{path: /key}}, upstream: app, limits: [by-key]}}
  - {{match: {{path: /owner}}, upstream: app, limits: [by-owner]}}
  - {{match: {{path: /address}}, upstream: app, limits: [by-address]}}
"""


class ApiKeys(GatewayCase):
    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, "access_log: on\n" + KNOWN)

    def statuses(self, count, target, key=None):
        fields = [("X-API-Key", key)] if key else []
        return [ask(self.gate.address, target=target, fields=fields).status for _ in range(count)]

    def test_ak_9_and_ak_12_an_unknown_key_is_a_challenge_and_reaches_nobody(self):
        self.app.expect_nothing()
        for fields in ([("X-API-Key", UNKNOWN)], [("Authorization", "ApiKey " + digest(GOLD))]):
            response = ask(self.gate.address, target="/key", fields=fields)
            self.assertEqual(response.status, 401)
            self.assertEqual(response["WWW-Authenticate"], 'ApiKey realm="api"')
            self.assertEqual(response["Content-Type"], "application/problem+json")
            self.assertEqual(json.loads(response.body)["status"], 401)
            self.assertNotIn(fields[0][1].encode(), response.head + response.body)

    def test_ak_39_a_tier_holds_for_the_key_that_has_it(self):
        self.assertEqual(self.statuses(4, "/key", GOLD), [200, 200, 200, 429])
        self.assertEqual(self.statuses(2, "/key", PLAIN), [200, 429])

    def test_keys_of_one_owner_share_what_the_owner_has(self):
        self.assertEqual(self.statuses(1, "/owner", GOLD) + self.statuses(2, "/owner", PLAIN), [200, 200, 429])

    def test_ak_9_a_limit_by_attribute_that_wants_a_key_challenges(self):
        response = ask(self.gate.address, target="/owner")
        self.assertEqual((response.status, response["WWW-Authenticate"]), (401, 'ApiKey realm="api"'))

    def test_an_override_holds_for_the_address_that_it_names(self):
        self.assertEqual(self.statuses(3, "/address"), [200, 200, 429])

    def test_ak_5_no_key_is_logged_or_shown(self):
        for key in (GOLD, PLAIN, UNKNOWN):
            ask(self.gate.address, target="/key", fields=[("X-API-Key", key)])
        shown = ask(self.gate.admin, target="/config").body + ask(self.gate.admin, target="/metrics").body
        wait_until(lambda: self.gate.stdout.count("\n") >= 3, what="3 lines of the access log")
        for key in (GOLD, PLAIN, UNKNOWN):
            self.assertNotIn(key, self.gate.stdout + self.gate.stderr)
            self.assertNotIn(key.encode(), shown)


class CostOfARequest(GatewayCase):
    LIMIT = """
limits: {work: {key: everyone, fixed_window: {limit: 10, window: 1h}, cost: {header: X-Cost, max: 8}}}
routes: [{match: {path: /**}, upstream: app, limits: [work]}]
"""

    def remaining(self, gate, cost):
        fields = [("X-Cost", cost)] if cost else []
        response = ask(gate.address, fields=fields)
        self.assertEqual(response.status, 200)
        return int(response["RateLimit"].split("r=")[1].split(";")[0])

    def test_a_trusted_proxy_says_what_a_request_costs(self):
        gate = self.gateway(self.upstream(), "client: {source: x-forwarded-for, trusted_proxies: [127.0.0.0/8]}" + self.LIMIT)
        self.assertEqual(self.remaining(gate, "4"), 6)
        self.assertEqual(self.remaining(gate, None), 5)
        self.assertEqual(self.remaining(gate, "-1"), 4)
        self.assertEqual(ask(gate.address, fields=[("X-Cost", "9")]).status, 429)  # above max it is max: 8
        self.assertEqual(ask(gate.address, fields=[("X-Cost", "0"), ("X-Cost", "5")]).status, 429)
        self.assertEqual(self.remaining(gate, "4"), 0)

    def test_nobody_else_does(self):
        gate = self.gateway(self.upstream(), "client: {source: x-forwarded-for, trusted_proxies: [10.0.0.0/8]}" + self.LIMIT)
        self.assertEqual(self.remaining(gate, "8"), 9)
