"""What failed attempts cost, and in which order credentials and limits are looked at (AK-2 ... AK-10, AK-40, AK-44, RL-25)."""

import base64
import hashlib
import json
import random
import re
import urllib.parse

from support.fake_upstream import answering, reply
from support.gateway_case import GatewayCase
from support.http_client import ask
from support.waiting import wait_until

GOOD = "partner-key-1"


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


def left(response):
    """Names of the limits that the answer tells of, with what is left of each."""
    return {name: int(rest) for name, rest in re.findall(r'"([^"]+)";r=(\d+)', response["RateLimit"] or "")}


def names_of(value):
    return re.findall(r'"([^"]+)"', value)


KEYS = f"""
auth:
  api_keys:
    from: [header X-API-Key, authorization ApiKey]
    known: [{{name: partner, sha256: {digest(GOOD)}, attributes: {{owner: acme}}}}]
"""
LIMITS = """
responses: {members: all}
limits:
  attempts: {key: client.ip, fixed_window: {limit: 20, window: 1h}}
  partners: {key: api_key, fixed_window: {limit: 50, window: 1h}}
  addresses: {key: client.ip, fixed_window: {limit: 30, window: 1h}}
  all: {key: everyone, fixed_window: {limit: 1000, window: 1h}}
  owners: {key: api_key.owner, fixed_window: {limit: 50, window: 1h}, on_missing_key: reject}
routes:
  - {name: both, match: {path: /both}, upstream: app, before_auth: [attempts], limits: [partners, all]}
  - {name: only, match: {path: /only}, upstream: app, limits: [{first_of: [partners, addresses]}, all]}
  - {name: owned, match: {path: /owned}, upstream: app, before_auth: [attempts], limits: [owners]}
  - {name: free, match: {path: /free}, upstream: app, limits: none}
"""


class FailedAttempts(GatewayCase):
    def start(self, keys=KEYS):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, keys + LIMITS)
        return self.gate

    def ask(self, target, key=None, fields=()):
        fields = list(fields) + ([("X-API-Key", key)] if key is not None else [])
        return ask(self.gate.address, target=target, fields=fields)

    def test_ak_40_ak_44_attempts_are_counted_by_address_and_then_refused_without_a_challenge(self):
        self.start()
        self.app.expect_nothing()
        answers = [self.ask("/both", f"guess-{i}") for i in range(30)]
        self.assertEqual([each.status for each in answers], [401] * 20 + [429] * 10)
        for each in answers[:20]:
            self.assertEqual(each["WWW-Authenticate"], 'ApiKey realm="api"')
        self.assertEqual(left(answers[4]), {"attempts": 15})
        for each in answers[20:]:
            self.assertIsNone(each["WWW-Authenticate"])
            self.assertGreaterEqual(int(each["Retry-After"]), 1)
        # A 429 says nothing of the key: the right one is refused in the same words.
        right = self.ask("/both", GOOD)
        self.assertEqual((right.status, right["WWW-Authenticate"]), (429, None))
        self.assertEqual(right.body, answers[-1].body)
        for name in ("RateLimit", "RateLimit-Policy"):
            self.assertEqual(names_of(right[name]), ["attempts"], name)
            self.assertEqual(names_of(answers[-1][name]), ["attempts"], name)
        metrics = self.metrics(self.gate)
        self.assertEqual(metrics.value("penstock_credentials_refused_total", reason="api_key_unknown"), 20)
        self.assertEqual(metrics.value("penstock_decisions_total", limit="attempts", decision="allowed"), 20)
        self.assertEqual(metrics.value("penstock_decisions_total", limit="attempts", decision="refused"), 11)
        for untouched in ("partners", "all"):
            self.assertEqual(metrics.value("penstock_decisions_total", limit=untouched, decision="allowed"), 0)

    def test_rl_25_failed_attempts_leave_every_other_limit_alone(self):
        self.start()
        for bad in ("guess", "", "a b"):
            self.ask("/both", bad)
        self.assertEqual(left(self.ask("/both", GOOD)), {"attempts": 16, "partners": 49, "all": 999})

    def test_ak_2_ak_7_what_is_no_key_is_a_400_and_counted(self):
        self.start()
        self.app.expect_nothing()
        for fields in ([("X-API-Key", GOOD), ("X-API-Key", GOOD)], [("X-API-Key", GOOD), ("Authorization", "ApiKey " + GOOD)],
                       [("X-API-Key", "")], [("X-API-Key", "k" * 8192)], [("X-API-Key", "a b")], [("Authorization", "ApiKey")]):
            response = self.ask("/both", fields=fields)
            self.assertEqual((response.status, response["WWW-Authenticate"]), (400, None), fields)
            self.assertEqual(json.loads(response.body)["type"], "about:blank")
        self.assertEqual(left(response), {"attempts": 14})
        metrics = self.metrics(self.gate)
        self.assertEqual(metrics.value("penstock_credentials_refused_total", reason="api_key_repeated"), 2)
        self.assertEqual(metrics.value("penstock_credentials_refused_total", reason="api_key_malformed"), 4)

    def test_a_missing_key_that_a_limit_insists_on_is_a_failed_attempt(self):
        self.start()
        self.assertEqual([self.ask("/owned").status for _ in range(22)], [401] * 20 + [429] * 2)
        self.assertEqual(self.metrics(self.gate).value("penstock_credentials_refused_total", reason="key_missing"), 20)

    def test_ak_40_a_route_without_before_auth_charges_its_limits_by_address(self):
        self.start()
        answers = [self.ask("/only", "guess") for _ in range(32)]
        self.assertEqual([each.status for each in answers], [401] * 30 + [429] * 2)
        good = self.ask("/only", GOOD)  # whose key is good does not meet the limit by address
        self.assertEqual((good.status, left(good)), (200, {"partners": 49, "all": 999}))

    def test_ak_40_a_limit_by_address_and_by_what_the_route_settles_counts_attempts(self):
        gate = self.gateway(self.upstream(), KEYS + """
limits:
  by-path: {key: [client.ip, path], fixed_window: {limit: 5, window: 1h}}
  by-method: {key: [client.ip, method, everyone], fixed_window: {limit: 5, window: 1h}}
routes:
  - {match: {path: /login}, upstream: app, limits: [by-path]}
  - {match: {path: "/any/**", methods: [GET, POST]}, upstream: app, limits: [by-method]}
""")
        guess = [("X-API-Key", "guess")]
        spellings = ["/login", "/%6Cogin", "/./login", "/log%69n?a", "/login?b", "/%6c%6fgin", "/x/../login"]
        statuses = [ask(gate.address, target=each, fields=guess).status for each in spellings]
        self.assertEqual(statuses, [401] * 5 + [429] * 2)
        for method in ("GET", "POST"):
            statuses = [ask(gate.address, method=method, target=f"/any/{i}", fields=guess).status for i in range(6)]
            self.assertEqual(statuses, [401] * 5 + [429], method)

    def test_ak_40_where_nothing_counts_attempts_no_answer_tells_a_good_key_from_a_bad_one(self):
        self.start()
        preflight = [("Origin", "https://shop.example"), ("Access-Control-Request-Method", "GET")]
        for key in ("guess", None, "a b", GOOD):
            self.assertEqual(self.ask("/free", key).status, 200, key)
            fields = preflight + ([("X-API-Key", key)] if key else [])
            self.assertEqual(ask(self.gate.address, method="OPTIONS", target="/both", fields=fields).status, 200, key)
        self.assertEqual(left(self.ask("/both", GOOD)), {"attempts": 19, "partners": 49, "all": 999})
        self.assertEqual(self.metrics(self.gate).value("penstock_credentials_refused_total"), 0)
        self.assertEqual(ask(self.gate.address, target="/nowhere", fields=[("X-API-Key", "guess")]).status, 404)

    def test_ak_8_an_unknown_key_may_be_no_key(self):
        self.start(KEYS.replace("from:", "on_unknown: anonymous\n    from:"))
        answers = [self.ask("/only", f"guess-{i}") for i in range(31)]
        self.assertEqual([each.status for each in answers], [200] * 30 + [429])
        self.assertEqual(left(answers[0]), {"addresses": 29, "all": 999})
        self.assertEqual(self.app.last.fields.get("X-API-Key"), "guess-29")
        self.assertEqual(self.ask("/only", GOOD).status, 200)
        self.assertEqual(self.ask("/owned", "guess").status, 401)
        metrics = self.metrics(self.gate)
        self.assertEqual(metrics.value("penstock_unknown_api_keys_ignored_total"), 32)
        self.assertEqual(metrics.value("penstock_credentials_refused_total", reason="api_key_unknown"), 0)

    def test_the_log_says_why_and_names_whose_key_it_was(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, "access_log: on\n" + KEYS + LIMITS)
        for key in ("guess", GOOD):
            self.ask("/both", key)
        wait_until(lambda: self.gate.stdout.count("\n") == 2, what="2 lines of the access log")
        lines = map(json.loads, self.gate.stdout.splitlines())  # of two workers, in any order
        refused, passed = sorted(lines, key=lambda line: "penstock.credentials" not in line)
        self.assertEqual(refused["penstock.credentials"], "api_key_unknown")
        self.assertEqual([each["name"] for each in refused["penstock.limits"]], ["attempts"])
        self.assertNotIn("penstock.credentials", passed)
        self.assertEqual(passed["penstock.api_key"], "partner")
        # AK-5: of a hash that stands for a key eight digits at most
        key = passed["penstock.limits"][1]["key"]
        self.assertRegex(key, r"^rl:\{key=[0-9a-f]{8}\*\}:partners:")

    def test_one_call_of_redis_decides_about_a_key_that_is_plain_to_see(self):
        redis = self.redis()
        self.app = self.upstream()
        self.gate = self.gateway(self.app, f"workers: 1\nredis: {{url: '{redis.url}', check_timeout: 5s}}\n" + KEYS + LIMITS)
        self.wait_for_connections(redis, 1)
        for key in (GOOD, "guess"):
            self.ask("/both", key)

        def asked(key):
            before = redis.calls().get("evalsha", 0)
            return self.ask("/both", key).status, redis.calls()["evalsha"] - before
        for key, status in ((GOOD, 200), ("guess", 401)):
            self.assertEqual(redis.undisturbed(lambda key=key: asked(key)), (status, 1))
        self.assertFalse([key for key in redis.keys() if "key=" in key and digest("guess") in key])


class Placement(GatewayCase):
    """Keys in each of the places."""

    def test_ak_9_the_challenge_names_the_schemes(self):
        for source, challenges in (("[header X-Key]", ['ApiKey realm="api"']),
                                   ("[authorization Bearer, query k, cookie c]", ['Bearer realm="api"', 'ApiKey realm="api"']),
                                   ("authorization Basic", ['Basic realm="api", charset="UTF-8"'])):
            gate = self.gateway(self.upstream(), f"auth: {{api_keys: {{from: {source}}}}}\nlimits: {{a: {{key: api_key, "
                                "fixed_window: {limit: 9, window: 1h}, on_missing_key: reject}}\n"
                                "routes: [{match: {path: /**}, upstream: app, limits: [a]}]\n")
            response = ask(gate.address)
            self.assertEqual((response.status, response.fields.all("WWW-Authenticate")), (401, challenges))

    def test_ak_10_authorization_and_a_challenge_of_the_upstream_pass_unmodified(self):
        challenge = [("WWW-Authenticate", 'Digest  realm="x" , nonce=1'), ("WWW-Authenticate", "Basic realm=y")]
        app = self.upstream(answering(reply("401 Unauthorized", fields=challenge)))
        gate = self.gateway(app, "auth: {api_keys: {from: [authorization ApiKey]}}\n")
        written = "aPiKeY   some+key/9=="
        response = ask(gate.address, fields=[("Authorization", written)])
        self.assertEqual((response.status, response.fields.all("WWW-Authenticate")), (401, [value for _, value in challenge]))
        self.assertIn(b"Authorization: " + written.encode() + b"\r\n", app.last.head)

    def test_h1_72_connection_does_not_take_a_key_off_the_forwarded_request(self):
        app = self.upstream()
        gate = self.gateway(app, "auth: {api_keys: {from: [header X-Partner]}}\n")
        fields = [("Connection", "close, X-Partner, X-Other"), ("X-Partner", "key-1"), ("X-Other", "1")]
        self.assertEqual(ask(gate.address, fields=fields).status, 200)
        self.assertEqual((app.last.fields.get("X-Partner"), app.last.fields.get("X-Other")), ("key-1", None))

    def test_ak_4_a_key_in_the_query_can_be_kept_from_the_upstream(self):
        keys = "auth: {api_keys: {from: [query api_key], strip_query: on}}\n"
        app = self.upstream()
        gate = self.gateway(app, keys)
        for sent, forwarded in (("/a?api_key=s3cr3t", "/a"), ("/a?x=1&api%5fkey=s3cr3t&y=%20", "/a?x=1&y=%20"), ("/a?x=1", "/a?x=1")):
            self.assertEqual(ask(gate.address, target=sent).status, 200)
            self.assertEqual(app.last.target, forwarded)
        other = self.gateway(app, keys.replace(", strip_query: on", ""))
        ask(other.address, target="/a?api_key=s3cr3t")
        self.assertEqual(app.last.target, "/a?api_key=s3cr3t")


class OneBucket(GatewayCase):
    ROUTES = """
responses: {members: all}
limits:
  by-key: {key: api_key, fixed_window: {limit: 5000, window: 1h}}
  by-query: {key: query.tenant, fixed_window: {limit: 5000, window: 1h}}
  by-cookie: {key: cookie.tenant, fixed_window: {limit: 5000, window: 1h}}
  anonymous: {key: client.ip, fixed_window: {limit: 300, window: 1h}}
  addresses: {key: client.ip, fixed_window: {limit: 300, window: 1h}}
routes:
  - {match: {path: /spelled}, upstream: app, limits: [by-key, by-query, by-cookie]}
  - {match: {path: /**}, upstream: app, limits: [{first_of: [by-key, anonymous]}, addresses]}
"""

    @staticmethod
    def any_case(chance, text):
        return "".join(chance.choice((c.lower(), c.upper())) for c in text)

    @staticmethod
    def any_encoding(chance, text):
        return "".join(chance.choice((c, f"%{ord(c):02x}", f"%{ord(c):02X}")) for c in text)

    def spellings(self, chance, key):
        """One request of the same caller, as no other writes it: fields and query."""
        place = chance.randrange(5)
        blanks = chance.choice((" ", "  ", " \t", "   "))
        query, fields = [], []
        if place == 0:
            fields.append((self.any_case(chance, "x-api-key"), chance.choice(("", " ", "\t")) + key + chance.choice(("", " ", "\t"))))
        elif place == 1:
            fields.append((self.any_case(chance, "authorization"), self.any_case(chance, "apikey") + blanks + key))
        elif place == 2:
            user = chance.choice((f"{key}:", f":{key}", f"user{chance.randrange(9)}:{key}"))
            fields.append((self.any_case(chance, "authorization"),
                           self.any_case(chance, "basic") + blanks + base64.b64encode(user.encode()).decode()))
        elif place == 3:
            query.append(self.any_encoding(chance, "api_key") + "=" + self.any_encoding(chance, key))
        tenant = "Acme-7"
        query.append(self.any_encoding(chance, "tenant") + "=" + self.any_encoding(chance, tenant))
        query.append(f"x={chance.randrange(10 ** 9)}")
        chance.shuffle(query)
        cookies = [chance.choice((f"tenant={tenant}", f'tenant="{tenant}"', f" tenant={tenant} ")), f"s={chance.randrange(10 ** 9)}"]
        if place == 4:
            cookies.append(chance.choice((f"key={key}", f'key="{key}"')))
        chance.shuffle(cookies)
        fields.append((self.any_case(chance, "cookie"), ";".join(cookies)))
        chance.shuffle(fields)
        return fields, "&".join(query)

    def test_1000_spellings_of_one_caller_are_one_bucket(self):
        redis = self.redis()
        keys = ("auth: {api_keys: {from: [header X-API-Key, authorization ApiKey, authorization Basic, query api_key, cookie key]}}\n")
        gate = self.gateway(self.upstream(), f"redis: {{url: '{redis.url}', check_timeout: 5s}}\n" + keys + self.ROUTES)
        seed = random.randrange(2 ** 32)
        chance = random.Random(seed)
        with self.connect(gate) as connection:
            for i in range(1000):
                fields, query = self.spellings(chance, "Key-9x.Y")
                response = connection.ask(target="/spelled?" + query, fields=fields)
                self.assertEqual(response.status, 200, (seed, i, query, fields))
        self.assertEqual(left(response), {"by-key": 4000, "by-query": 4000, "by-cookie": 4000}, seed)
        self.assertEqual(len(redis.keys()), 3, redis.keys())

    def test_ak_6_1000_keys_made_up_at_one_address_pass_no_more_than_the_address_may(self):
        redis = self.redis()
        gate = self.gateway(self.upstream(), f"redis: {{url: '{redis.url}', check_timeout: 5s}}\n"
                            "auth: {api_keys: {from: [header X-API-Key]}}\n" + self.ROUTES)
        self.wait_for_connections(redis, 2)
        with self.connect(gate) as connection:
            statuses = [connection.ask(target="/", fields=[("X-API-Key", f"{random.getrandbits(128):x}")]).status
                        for _ in range(1000)]
        self.assertEqual((statuses.count(200), statuses.count(429)), (300, 700))
        self.assertLessEqual(len(redis.keys()), 301)  # a refusal writes nothing

    def test_ak_8_callers_without_a_key_share_nothing(self):
        gate = self.gateway(self.upstream(), "client: {source: x-forwarded-for, trusted_proxies: [127.0.0.0/8]}\n"
                            "auth: {api_keys: {from: [header X-API-Key]}}\n" + self.ROUTES)
        for address in ("203.0.113.1", "203.0.113.2"):
            response = ask(gate.address, fields=[("X-Forwarded-For", address)])
            self.assertEqual(left(response), {"anonymous": 299, "addresses": 299})

    def test_ak_11_a_key_chooses_neither_its_slot_nor_anothers_bucket(self):
        redis = self.redis()
        limits = """
limits: {pair: {key: [query.a, query.b], fixed_window: {limit: 9, window: 1h}}}
routes: [{match: {path: /**}, upstream: app, limits: [pair]}]
"""
        gate = self.gateway(self.upstream(), f"redis: {{url: '{redis.url}', check_timeout: 5s}}" + limits)
        self.wait_for_connections(redis, 2)
        for a, b in (("x|y", "z"), ("x", "y|z"), ("{x}", "1"), ("x}", "{1"), ("x,query.b=y", "z"), ("x", "y,z")):
            target = f"/?a={urllib.parse.quote(a)}&b={urllib.parse.quote(b)}"
            response = ask(gate.address, target=target)
            self.assertEqual((response.status, left(response)), (200, {"pair": 8}), (a, b))
        for key in redis.keys():
            self.assertEqual((key.count("{"), key.count("}")), (1, 1), key)
