"""Tokens against the real gateway, minted by the openssl command: AK-10, AK-20 to AK-45, RL-25."""

import json
import os
import time

from support.gateway_case import GatewayCase
from support.http_client import ask
from support.token_minter import KINDS, Key, base64url, bearer, claims, hs256, key_set
from support.waiting import wait_until

ISSUER, OTHER = "https://id.example.com/", "https://other.example.com/"


class TokenCase(GatewayCase):
    @classmethod
    def setUpClass(cls):
        import tempfile
        cls.keys_folder = tempfile.TemporaryDirectory(prefix="penstock-keys-")
        cls.addClassCleanup(cls.keys_folder.cleanup)
        cls.keys = {kind: Key(cls.keys_folder.name, kind, f"key-{kind}") for kind in KINDS}
        cls.others = Key(cls.keys_folder.name, "ES256", "other")

    def start(self, limits, *, issuer="", jwt="", more=""):
        """A gateway that takes tokens of ISSUER and OTHER; `issuer` and `jwt` are further YAML of each."""
        ours, theirs = self.key_file(*self.keys.values()), self.key_file(self.others)
        text = f"""
auth:
  jwt:
{jwt}
    issuers:
      - issuer: {ISSUER}
        audience: api
        algorithms: [{", ".join(KINDS)}]
        jwks_file: {ours}
{issuer}
      - {{issuer: "{OTHER}", audience: api, algorithms: ES256, jwks_file: {theirs}}}
{more}
{limits}
"""
        self.app = self.upstream()
        return self.gateway(self.app, text)

    def key_file(self, *keys):
        path = os.path.join(self.folder(), "keys.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(key_set(*keys))
        return path

    def token(self, kind="ES256", **more):
        return self.keys[kind].token(claims(ISSUER, **more))

    def status(self, gate, token, **more):
        return ask(gate.address, fields=bearer(token) if token else [], **more).status


BY_SUB = """
limits:
  signed-in: {key: jwt.sub, fixed_window: {limit: 3, window: 1h}}
  anonymous: {key: client.ip, fixed_window: {limit: 100, window: 1h}}
routes: [{match: {path: /**}, upstream: app, limits: [{first_of: [signed-in, anonymous]}]}]
"""


class Verification(TokenCase):
    def test_ak_24_a_token_of_each_algorithm_is_accepted_and_counted_by_its_subject(self):
        gate = self.start(BY_SUB)
        for kind in KINDS:
            with self.subTest(kind):
                token = self.token(kind, sub=f"user-{kind}")
                self.assertEqual([self.status(gate, token) for _ in range(4)], [200, 200, 200, 429])

    def test_ak_10_the_upstream_gets_the_field_as_it_came(self):
        gate = self.start(BY_SUB)
        value = "bEARER   " + self.token()
        self.assertEqual(ask(gate.address, fields=[("authorization", value)]).status, 200)
        self.assertIn(b"authorization: " + value.encode(), self.app.requests[-1].head)

    def test_ak_38_one_subject_of_two_issuers_is_two_callers(self):
        gate = self.start(BY_SUB)
        theirs = self.others.token(claims(OTHER))
        self.assertEqual([self.status(gate, self.token()) for _ in range(4)], [200, 200, 200, 429])
        self.assertEqual([self.status(gate, theirs) for _ in range(4)], [200, 200, 200, 429])

    def test_ak_38_a_subject_that_is_a_list_is_none(self):
        gate = self.start(BY_SUB)
        self.assertEqual([self.status(gate, self.token(sub=["x"])) for _ in range(5)], [200] * 5)

    def test_ak_39_a_tier_holds_for_a_verified_claim_of_a_known_value_only(self):
        gate = self.start("""
limits:
  by-sub:
    key: jwt.sub
    fixed_window: {limit: 1, window: 1h}
    from_attribute: {attribute: jwt.plan, tiers: {gold: {limit: 3}}}
    overrides: {"https://other.example.com/|acme": {limit: 2}}
routes: [{match: {path: /**}, upstream: app, limits: [by-sub]}]
""")
        self.assertEqual([self.status(gate, self.token(sub="a", plan="gold")) for _ in range(4)], [200, 200, 200, 429])
        self.assertEqual([self.status(gate, self.token(sub="b", plan="unlimited-please")) for _ in range(2)], [200, 429])
        self.assertEqual([self.status(gate, self.token(sub="acme")) for _ in range(2)], [200, 429])
        self.assertEqual([self.status(gate, self.others.token(claims(OTHER))) for _ in range(3)], [200, 200, 429])

    def test_ak_20_and_rl_25_a_bad_token_never_touches_the_bucket_of_whom_it_names(self):
        gate = self.start(BY_SUB)
        victim = self.token(sub="victim")
        before = ask(gate.address, fields=bearer(victim))["RateLimit"]
        forged = self.others.token(claims(ISSUER, sub="victim"), kid="key-ES256")
        self.assertEqual([self.status(gate, forged) for _ in range(10)], [401] * 10)
        after = ask(gate.address, fields=bearer(victim))["RateLimit"]
        self.assertIn("r=2", before)
        self.assertIn("r=1", after)

    def test_ak_36_a_token_that_was_seen_before_ends_with_its_exp(self):
        gate = self.start(BY_SUB.replace("limit: 3", "limit: 100000"), issuer="        leeway: 0s\n")
        token = self.token(exp=int(time.time()) + 3)
        self.assertEqual(self.status(gate, token), 200)
        wait_until(lambda: self.status(gate, token) == 401, what="the end of the token")
        self.assertGreater(self.metrics(gate).value("penstock_token_checks_total", result="cached"), 0)
        self.assertGreater(self.metrics(gate).value("penstock_token_checks_total", result="expired"), 0)

    def test_hs256_with_a_secret_of_its_own(self):
        secret = "0123456789abcdef0123456789abcdef"
        path = os.path.join(self.folder(), "secret")
        with open(path, "w", encoding="ascii") as file:
            file.write(secret + "\n")
        self.app = self.upstream()
        gate = self.gateway(self.app, f"""
auth: {{jwt: {{issuers: [{{issuer: "{ISSUER}", audience: api, algorithms: HS256, secret_file: {path}}}]}}}}
{BY_SUB}""")
        self.assertEqual(self.status(gate, hs256(secret, claims(ISSUER))), 200)
        self.assertEqual(self.status(gate, hs256(secret + "x", claims(ISSUER))), 401)
        self.assertNotIn(secret, gate.stderr + ask(gate.admin, target="/config").body.decode())


class Challenges(TokenCase):
    METADATA = "https://api.example.com/.well-known/oauth-protected-resource"

    def challenge(self, gate, fields, target="/"):
        response = ask(gate.address, target=target, fields=fields)
        self.assertEqual(response["Content-Type"], "application/problem+json")
        self.assertEqual(json.loads(response.body)["status"], response.status)
        return response.status, response["WWW-Authenticate"]

    def test_ak_41_and_ak_43_each_case_has_its_status_and_its_challenge(self):
        gate = self.start("""
limits: {signed-in: {key: jwt.sub, fixed_window: {limit: 30, window: 1h}, on_missing_key: reject}}
routes: [{match: {path: /**}, upstream: app, limits: [signed-in]}]
""", issuer="        scopes: [read, write]\n", jwt=f"    realm: shop\n    resource_metadata: {self.METADATA}\n")
        self.app.expect_nothing()
        end = f', resource_metadata="{self.METADATA}"'
        bad = 'Bearer realm="shop", error="invalid_token", error_description='
        twice = 'Bearer realm="shop", error="invalid_request", error_description=' \
                '"The request must present one token, as Authorization: Bearer TOKEN."'
        token = self.token(scope="read")
        rows = [
            ("no token", [], "/", 401, 'Bearer realm="shop"'),
            ("another scheme", [("Authorization", "Basic YTpi")], "/", 401, 'Bearer realm="shop"'),
            ("expired", bearer(self.token(exp=1)), "/", 401, bad + '"The token has expired."'),
            ("no token at all behind the word", [("Authorization", "Bearer")], "/", 400, twice),
            ("a tab in place of the space", [("Authorization", f"Bearer\t{token}")], "/", 400, twice),
            ("two tokens in one", [("Authorization", f"Bearer {token} {token}")], "/", 400, twice),
            ("two lines", bearer(token) + bearer(token), "/", 400, twice),
            ("AK-42 another in the query", bearer(token), "/?a=b&access_token=x", 400, twice),
            ("AK-42 spelled otherwise", bearer(token), "/?access%5Ftoken=x", 400, twice),
            ("AK-36 as long as a field may be", bearer("A" * (16384 - len("Authorization: Bearer "))), "/", 401, bad + '"The token is longer than 8192 bytes."'),
            ("AK-37 five parts", bearer("eyJhbGciOiJSU0ExXzUifQ.A.A.A.A"), "/", 401, bad + '"The token is not a signed JSON Web Token."'),
            ("a scope is missing", bearer(token), "/", 403, 'Bearer realm="shop", error="insufficient_scope", '
             'error_description="The token lacks a scope that is required here.", scope="read write"'),
        ]
        for name, fields, target, status, expected in rows:
            with self.subTest(name):
                self.assertEqual(self.challenge(gate, fields, target), (status, expected + end))

    def test_ak_36_a_token_that_is_longer_than_a_field_may_be_is_a_field_too_long(self):
        gate = self.start(BY_SUB)
        self.assertEqual(ask(gate.address, fields=bearer("A" * 16384)).status, 431)

    def test_ak_42_a_token_in_the_query_alone_is_none(self):
        gate = self.start(BY_SUB)
        token = self.token()
        self.assertEqual([ask(gate.address, target="/?access_token=" + token).status for _ in range(5)], [200] * 5)

    def test_ak_41_nothing_of_a_token_comes_back(self):
        gate = self.start(BY_SUB)
        for token in ("canary-1.canary-2.canary-3", base64url(b"canary-4") + "...", self.token(exp=1, sub="canary-5")):
            response = ask(gate.address, fields=bearer(token))
            self.assertEqual(response.status, 401)
            for part in [token, *token.split("."), "canary"]:
                if part:
                    self.assertNotIn(part.encode(), response.head + response.body)
            self.assertNotIn("canary", gate.stderr + gate.stdout)

    def test_ak_40_anonymous_is_treated_as_no_token_and_counted(self):
        limits = BY_SUB.replace("limit: 100", "limit: 5")
        gate = self.start(limits, jwt="    on_invalid: anonymous\n")
        expired = self.token(exp=1)
        self.assertEqual(ask(gate.address, fields=bearer(expired) * 2).status, 400)  # AK-42 all the same, and charged, too
        self.assertEqual([self.status(gate, token) for token in [expired, None] * 3], [200] * 4 + [429] * 2)
        self.assertEqual(self.metrics(gate).value("penstock_token_checks_total", result="expired"), 3)

    def test_ak_40_and_ak_44_bad_tokens_are_counted_by_address_and_a_429_says_nothing_of_them(self):
        gate = self.start("""
limits:
  per-address: {key: client.ip, fixed_window: {limit: 20, window: 1h}}
  signed-in: {key: jwt.sub, fixed_window: {limit: 1000, window: 1h}}
routes: [{match: {path: /**}, upstream: app, before_auth: [per-address], limits: [signed-in]}]
""")
        statuses = []
        for number in range(100):
            forged = self.token().rsplit(".", 1)[0] + "." + base64url(number.to_bytes(2, "big") * 32)
            response = ask(gate.address, fields=bearer(forged))
            statuses.append(response.status)
            if response.status == 429:
                self.assertIsNone(response["WWW-Authenticate"])
        self.assertEqual(statuses, [401] * 20 + [429] * 80)
        self.assertEqual(self.metrics(gate).value("penstock_token_checks_total", result="signature"), 20)
        self.assertEqual(self.status(gate, self.token()), 429)

    def test_ak_44_a_request_with_a_new_token_is_charged_once(self):
        gate = self.start("""
limits:
  per-address: {key: client.ip, fixed_window: {limit: 4, window: 1h}}
  signed-in: {key: jwt.sub, fixed_window: {limit: 2, window: 1h}}
routes: [{match: {path: /**}, upstream: app, before_auth: [per-address], limits: [signed-in]}]
""")
        # Refused by the second limit: the first is given back, whether the token was known already or not.
        self.assertEqual([self.status(gate, self.token(jti=str(n))) for n in range(4)], [200, 200, 429, 429])
        self.assertEqual([self.status(gate, self.token(sub="b")) for _ in range(3)], [200, 200, 429])
