"""Secrets go to the upstream and nowhere else: not into Redis, a log, a metric, or an answer (AK-4, AK-5, OP-33).

A kind of credential takes part by a row in requests(): the secret, and where a request carries it. Of a token the signature is
the secret, and so is what it signs as it is written; the claims themselves may be shown (`jwt.sub` in Redis).
"""

import base64
import hashlib
import hmac
import signal
import threading

from support.gateway_case import GatewayCase, compose
from support.http_client import Connection, ask
from support.redis_server import RedisClient
from support.token_minter import bearer, claims
from support.waiting import DEADLINE, wait_until
from test_tokens import ISSUER, TokenCase


def canary(name):
    """A secret that nothing else resembles, and that no part of the program would cut in two."""
    return f"c4n4ry-{name}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def traces(secret):
    """What of a secret must appear nowhere: itself, and what gives it away to who can read or guess."""
    plain = secret.encode()
    return {"as it is": plain,
            "in lower case": plain.lower(),
            "in Base64": base64.b64encode(plain).rstrip(b"=")[:-1],
            "in Basic": base64.b64encode(b"user:" + plain).rstrip(b"=")[:-1],
            "in Basic, as the user": base64.b64encode(plain + b":").rstrip(b"=")[:-1],
            "its SHA-256": hashlib.sha256(plain).hexdigest().encode(),
            "percent-encoded": secret.replace("-", "%2D").encode()}


KNOWN, DENIED = canary("known"), canary("denied")


def digest(secret):
    return hashlib.sha256(secret.encode()).hexdigest()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def requests(tokens):
    """(secret, target, fields): each in its turn, by itself."""
    for token in tokens:
        for secret in token.split(".")[1:]:
            yield secret, "/", bearer(token)
            yield secret, "/limited", bearer(token)
            yield secret, "/", bearer(token) * 2
            yield secret, f"/?access_token={token}", []
            yield secret, f"/?access_token={token}", bearer(token)
    for secret in (KNOWN, DENIED, canary("unknown"), canary("malformed") + " x"):
        yield secret, "/", [("X-API-Key", secret)]
        yield secret, "/", [("Authorization", f"ApiKey {secret}")]
        yield secret, "/", [("Authorization", basic("user", secret))]
        yield secret, "/", [("Authorization", basic(secret, ""))]
        yield secret, "/", [("Cookie", f"a=b; key={secret}")]
        encoded = secret.replace(" ", "+")
        yield secret, f"/?a=b&api_key={encoded}&c=d", []
        yield secret, f"/?my_own_name={encoded}", []
        yield secret, f"/?my%5Fown%5Fname={encoded.replace('-', '%2D')}", []
        yield secret, "/", [("X-Partner", secret)]
        yield secret, f"/?k={encoded}", []
    for name, fields in (("bearer", "Authorization: Bearer {}"), ("dotted", "Authorization: Bearer a.{}.b"),
                         ("digest", "Authorization: Digest response=\"{}\""), ("bare", "Authorization: {}"), ("proxy", "Proxy-Authorization: Basic {}"), ("session", "Cookie: session={}"),
                         ("other-cookie", "Cookie: unread={}"), ("token-header", "X-Session-Token: {}"), ("set", "X-Auth: {}")):
        secret = canary(name)
        field, value = fields.split(": ", 1)
        yield secret, "/", [(field, value.format(secret))]
    for name in ("token", "access_token", "password", "secret", "sig", "signature", "apikey", "key", "code", "otp", "pw"):
        secret = canary("query-" + name)
        yield secret, f"/?{name}={secret}", []
        yield secret, f"/nowhere/at/all?{name}={secret}", []
        yield secret, f"/limited?{name}={secret}", []
    yield canary("hmac"), "/", [("X-HMAC", canary("hmac"))]
    secret = canary("twice")
    yield secret, "/", [("X-API-Key", secret), ("X-API-Key", secret)]
    yield secret, "/", [("X-API-Key", secret), ("Authorization", f"ApiKey {secret}")]


CONFIGURATION = f"""
access_log: on
responses: {{rate_limit_fields: [draft, triple, x-ratelimit], members: all}}
auth:
  jwt: {{issuers: [{{issuer: "{ISSUER}", audience: api, algorithms: [ES256], jwks_file: KEY_FILE}}]}}
  api_keys:
    from: [header X-API-Key, authorization ApiKey, authorization Basic, cookie key, query api_key, query my_own_name,
           header X-Partner, query k]
    known:
      - {{name: partner, sha256: {digest(KNOWN)}, attributes: {{plan: gold}}}}
      - {{name: gone, sha256: {digest(DENIED)}}}
deny: {{api_keys_sha256: [{digest(DENIED)}]}}
limits:
  attempts: {{key: client.ip, fixed_window: {{limit: 100000, window: 1h}}}}
  signed-in: {{key: jwt.sub, fixed_window: {{limit: 100000, window: 1h}}}}
  keys: {{key: api_key, fixed_window: {{limit: 100000, window: 1h}}}}
  pairs: {{key: [api_key, route, client.ip, host], sliding_log: {{limit: 1000, window: 1h}}}}
  sessions: {{key: cookie.session, token_bucket: {{capacity: 1000, refill: 1/s}}}}
  tokens: {{key: query.token, concurrency: {{limit: 100}}}}
  headers: {{key: header.x-session-token, sliding_window: {{limit: 1000, window: 1h, segments: 4}}}}
  others: {{key: [header.x-auth, header.authorization], fixed_window: {{limit: 1000, window: 1h}}}}
  partners: {{key: header.x-partner, fixed_window: {{limit: 1000, window: 1h}}}}
  places: {{key: query.k, sliding_log: {{limit: 1000, window: 1h}}}}
  own-places: {{key: [query.my_own_name, client.ip], fixed_window: {{limit: 1000, window: 1h}}}}
  codes: {{key: query.code, fixed_window: {{limit: 1000, window: 1h}}}}
  otps: {{key: [route, query.otp], fixed_window: {{limit: 1000, window: 1h}}}}
  words: {{key: query.pw, fixed_window: {{limit: 1000, window: 1h}}}}
  hmacs: {{key: header.x-hmac, fixed_window: {{limit: 1000, window: 1h}}}}
  closed: {{key: client.ip, fixed_window: {{limit: 1, window: 1h}}}}
routes:
  - {{match: {{path: /limited}}, upstream: app, before_auth: [attempts], limits: [closed, keys, signed-in, tokens]}}
  - match: {{path: /}}
    upstream: app
    before_auth: [attempts]
    limits: [keys, signed-in, pairs, sessions, tokens, headers, others, partners, places, own-places, codes, otps, words, hmacs]
"""


class Monitor:
    """Every command that a Redis executes, as `redis-cli monitor` shows it."""

    def __init__(self, redis):
        self.text = b""
        self.client = RedisClient(redis.address)
        if self.client("MONITOR") != "OK":
            raise AssertionError("no MONITOR")
        self.client.socket.settimeout(4 * DEADLINE)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            for line in self.client.file:
                self.text += line
        except (OSError, ValueError):
            pass

    def close(self):
        self.client.socket.shutdown(2)
        self.thread.join(DEADLINE)
        self.client.__exit__()


class Secrets(TokenCase):
    def setUp(self):
        key = self.keys["ES256"]
        good, late = key.token(claims(ISSUER)), key.token(claims(ISSUER, exp=1))
        forged = self.others.token(claims(ISSUER, sub="victim"), kid=key.kid)
        self.requests = list(requests([good, late, forged]))
        self.configuration = CONFIGURATION.replace("KEY_FILE", self.key_file(key))

    def ask_all(self, gate):
        """Everything that answers said, head and body."""
        said = b""
        for _, target, fields in self.requests:
            with Connection(gate.address) as connection:
                response = connection.ask(target=target, fields=fields)
                self.assertIn(response.status, (200, 400, 401, 403, 404, 429, 502, 503))
                said += response.head + response.body
        return said

    def check(self, places):
        for secret in {secret for secret, _, _ in self.requests}:
            for how, trace in traces(secret).items():
                for place, text in places.items():
                    at = text.find(trace)
                    self.assertEqual(at, -1, f"{secret} {how} in {place}: {text[max(0, at - 80):at + 80]!r}")

    def test_no_secret_is_in_redis_the_logs_the_metrics_or_an_answer(self):
        redis = self.redis()
        app = self.upstream()
        gate = self.gateway(app, f"redis: {{url: '{redis.url}', check_timeout: 5s, hash_secret: pepper-of-16-bytes}}\n" + self.configuration)
        self.wait_for_connections(redis, 2)
        monitor = Monitor(redis)
        self.addCleanup(monitor.close)
        said = self.ask_all(gate)
        count = len(self.requests)
        wait_until(lambda: gate.stdout.count("\n") >= count, what=f"{count} lines of the access log")
        redis.command("ECHO", "the-end-of-it")
        wait_until(lambda: b"the-end-of-it" in monitor.text, what="the end of what was monitored")
        self.assertTrue(b"EVALSHA" in monitor.text.upper())
        everything = {"MONITOR": monitor.text, "keys": "\n".join(redis.keys()).encode(),
                      "access log": gate.stdout.encode(), "stderr": gate.stderr.encode(), "answers": said,
                      "metrics": ask(gate.admin, target="/metrics").body + ask(gate.admin, target="/readyz").body}
        for key in redis.keys():
            if redis.command("TYPE", key) == "string":
                everything[key] = redis.command("GET", key)
        self.check(everything)
        # The upstream got what it was sent.
        self.assertIn(KNOWN.encode(), b"".join(each.head for each in app.requests))

    def test_no_secret_is_in_the_logs_when_redis_or_the_upstream_fails(self):
        redis = self.redis()
        gate = self.gateway(None, f"redis: {{url: '{redis.url}', check_timeout: 20ms}}\n"
                            "upstreams: {app: {servers: ['127.0.0.1:1']}}" + self.configuration)
        redis.kill()
        said = self.ask_all(gate)
        count = len(self.requests)
        wait_until(lambda: gate.stdout.count("\n") >= count, what=f"{count} lines of the access log")
        self.check({"access log": gate.stdout.encode(), "stderr": gate.stderr.encode(), "answers": said,
                    "metrics": ask(gate.admin, target="/metrics").body})

    def test_no_secret_in_a_path_or_within_a_value_is_in_the_log(self):
        window = "fixed_window: {limit: 1000, window: 1h}"
        gate = self.gateway(self.upstream(), f"""
access_log: on
limits:
  captures: {{key: path.token, {window}}}
  paths: {{key: path, {window}}}
  pages: {{key: query.next, {window}}}
  referers: {{key: header.referer, {window}}}
routes:
  - {{match: {{path: '/reset/{{token}}'}}, upstream: app, limits: [captures, paths]}}
  - {{match: {{path: /**}}, upstream: app, limits: [paths, pages, referers]}}
""")
        self.requests = [(canary(name), target.format(canary(name)), [("Referer", referer.format(canary(name)))] if referer else [])
                         for name, target, referer in (
                             ("capture", "/reset/{}", None), ("path", "/a;jsessionid={}/b", None), ("escape", "/a%3Bsid%3D{}", None),
                             ("fetch", "/fetch/https://u:{}@h/x", None), ("next", "/?next=%2Fcb%3Ftoken%3D{}", None),
                             ("user", "/?next=https://u:{}@h/", None), ("escaped-user", "/?url=https%3A%2F%2F{}%40h", None),
                             ("referer", "/", "http://x/?token={}"), ("art", "/?SAMLart={}", None), ("link", "/?magic_link={}", None))]
        self.ask_all(gate)
        wait_until(lambda: gate.stdout.count("\n") >= len(self.requests), what="the lines of the access log")
        self.check({"access log": gate.stdout.encode(), "stderr": gate.stderr.encode()})
        self.assertIn('"url.path":"/a;jsessionid=REDACTED/b"', gate.stdout)
        self.assertIn('"key":"rl:{query.next=/cb%3Ftoken%3DREDACTED}', gate.stdout)

class WhatRedisRepeats(GatewayCase):
    """Redis answers a command that it does not know with what it was sent."""

    LIMITS = "limits: {a: {key: header.x-a, on_store_failure: local, fixed_window: {limit: 1000, window: 1h}}}\nglobal_limits: [a]\n"

    def nowhere(self, gate, *secrets):
        places = {"stderr": gate.stderr.encode(), "readyz": ask(gate.admin, target="/readyz").body,
                  "metrics": ask(gate.admin, target="/metrics").body}
        for place, text in places.items():
            for secret in secrets:
                self.assertNotIn(secret.encode(), text, f"{secret} in {place}")

    def without_login(self, url, sentinel=""):
        """A gateway before a server that knows no AUTH."""
        server = self.redis(options=["--rename-command", "AUTH", ""])
        gate = self.gateway(self.upstream(), f'redis: {{url: "{url.format(server.port)}"{sentinel}}}\n' + self.LIMITS)
        wait_until(lambda: "ERR unknown command 'AUTH'" in gate.stderr, what="the refusal in the log")
        wait_until(lambda: b"unknown command 'AUTH'" in ask(gate.admin, target="/readyz").body, what="the refusal")
        return gate

    def test_the_password_of_redis(self):
        secret = canary("redis")
        for scheme in ("redis", "redis+cluster"):
            with self.subTest(scheme):
                gate = self.without_login(scheme + "://gate:" + secret + "@127.0.0.1:{}/")
                self.nowhere(gate, secret, "with args")

    def test_the_password_of_the_sentinels(self):
        secret = canary("sentinel")
        gate = self.without_login("redis+sentinel://127.0.0.1:{}/main", f", sentinel: {{user: u, password: {secret}}}")
        wait_until(lambda: "breaker open: no_primary" in gate.stderr, what="the breaker's line")
        self.nowhere(gate, secret, "with args")

    def test_a_caller_is_not_named_by_the_script_that_it_runs_into(self):
        caller = canary("caller")
        redis = self.redis(options=["--rename-command", "EVALSHA", "", "--rename-command", "EVAL", ""])
        gate = self.gateway(self.upstream(), f'redis: {{url: "{redis.url}"}}\n' + self.LIMITS)
        wait_until(lambda: ask(gate.address, fields=[("X-A", caller)]).status == 200 and "calls fail: script" in gate.stderr,
                   what="the failure in the log")
        self.nowhere(gate, caller, "with args")


class NamesOfCounters(GatewayCase):
    """AK-5: who has an API key and the fleet's secret can tell its counter, and nobody else can."""

    KEYS = [canary("counted"), "short", "with{braces}and%41", "x" * 63, "y" * 64, "z" * 200]

    def text(self, redis, secret):
        return f"""
redis: {{url: "{redis.url}", hash_secret: {secret}}}
auth: {{api_keys: {{from: [header X-API-Key], on_unknown: anonymous}}}}
limits: {{by-key: {{key: api_key, fixed_window: {{limit: 1000, window: 1h}}}}}}
global_limits: [by-key]
"""

    def counters(self, redis):
        with RedisClient(redis.address) as client:
            return {name.decode().split("}")[0] for name in client("KEYS", "rl:{key=*")}

    def named(self, secret):
        """HMAC-SHA-256 under the SHA-256 of the secret, its first 128 bits."""
        key = hashlib.sha256(secret.encode()).digest()
        return {"rl:{key=" + hmac.digest(key, each.encode(), "sha256")[:16].hex() for each in self.KEYS}

    def ask_with_all(self, gate):
        for _ in range(3):  # the later ones are found among the hashes that came lately
            for key in self.KEYS:
                self.assertEqual(ask(gate.address, fields=[("X-API-Key", key)]).status, 200, key)

    def test_ak_5_by_hmac_of_the_key_under_the_secret_in_force(self):
        redis, app = self.redis(), self.upstream()
        first, second = "the-first-secret-of-all", "the-second-secret-of-all"
        gate = self.gateway(app, self.text(redis, first))
        self.ask_with_all(gate)
        self.assertEqual(self.counters(redis), self.named(first))

        gate.write_configuration(compose(self.text(redis, second), app.server))
        gate.signal(signal.SIGHUP)
        wait_until(lambda: self.metrics(gate).value("penstock_config_reloads_total") > 0, what="the reload")
        self.ask_with_all(gate)
        self.assertEqual(self.counters(redis), self.named(first) | self.named(second))
