"""What a request is charged and to which counter: algorithms, several limits, keys, costs, exemptions, shadow."""

import hashlib
import time

from support.gateway_case import GatewayCase
from support.http_client import Connection, ask
from support.waiting import SLACK, wait_until


def remaining(response, name):
    """`r` of one member of RateLimit."""
    for member in (response["RateLimit"] or "").split(", "):
        if member.startswith(f'"{name}";r='):
            return int(member.split(";")[1][2:])
    return None


class Limits(GatewayCase):
    store = ""  # configuration of the store; the Redis suite repeats this one with its own

    def start(self, text):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, self.store + "responses: {members: all}\n" + text)
        self.client = Connection(self.gate.address)
        self.addCleanup(self.client.close)

    def statuses(self, count, target="/", fields=(), method="GET"):
        return [self.client.ask(method, target, fields).status for _ in range(count)]


class Algorithms(Limits):
    def test_fixed_window_admits_its_limit_and_starts_over(self):
        self.start("limits: {w: {key: everyone, fixed_window: {limit: 5, window: 2s}}}\nglobal_limits: [w]")
        begin = time.monotonic()
        statuses = self.statuses(8)
        if time.monotonic() - begin < 1.9:
            self.assertEqual(statuses, [200] * 5 + [429] * 3)
        wait_until(lambda: self.statuses(1) == [200], what="the next window")
        self.assertGreaterEqual(time.monotonic() - begin, 2.0)
        self.assertEqual(self.app.count(), 6)

    def test_token_bucket_admits_its_capacity_and_then_its_refill(self):
        self.start("limits: {b: {key: everyone, token_bucket: {capacity: 5, refill: 2/second}}}\nglobal_limits: [b]")
        begin = time.monotonic()
        wait_until(lambda: 429 in self.statuses(1), what="the bottom of the bucket")
        until = begin + 3
        while time.monotonic() < until:
            self.statuses(1)
        taken = time.monotonic() - begin
        self.assertLessEqual(self.app.count(), 5 + 2 * taken)
        self.assertGreaterEqual(self.app.count(), 5 + 2 * (taken - SLACK) - 1)


class Several(Limits):
    def test_rl_77_a_thousand_refusals_leave_the_other_limit_untouched(self):
        self.start("limits:\n  small: {key: everyone, fixed_window: {limit: 3, window: 1h}}\n"
                   "  large: {key: everyone, fixed_window: {limit: 5000, window: 1h}}\n"
                   "routes:\n  - {match: {path: /both}, upstream: app, limits: [large, small]}\n"
                   "  - {match: {path: /large}, upstream: app, limits: [large]}")
        self.assertEqual(self.statuses(3, "/both"), [200] * 3)
        self.assertEqual(set(self.statuses(1000, "/both")), {429})
        self.assertEqual(remaining(self.client.ask(target="/large"), "large"), 5000 - 3 - 1)
        self.assertEqual(self.app.count("/both"), 3)

    def test_rl_77_all_or_nothing_in_either_order(self):
        self.start("limits:\n  a: {key: everyone, token_bucket: {capacity: 2, refill: 2/hour}}\n"
                   "  b: {key: client.ip, fixed_window: {limit: 100, window: 1h}}\n"
                   "routes:\n  - {match: {path: /ab}, upstream: app, limits: [a, b]}\n"
                   "  - {match: {path: /ba}, upstream: app, limits: [b, a]}\n  - {match: {path: /b}, upstream: app, limits: [b]}")
        self.assertEqual(self.statuses(2, "/ab") + self.statuses(20, "/ab") + self.statuses(20, "/ba"), [200] * 2 + [429] * 40)
        self.assertEqual(remaining(self.client.ask(target="/b"), "b"), 97)

    def test_first_of_takes_the_first_limit_whose_key_the_request_has(self):
        self.start("auth: {api_keys: {from: [header X-API-Key]}}\n"
                   "limits:\n  keyed: {key: api_key, fixed_window: {limit: 3, window: 1h}}\n"
                   "  anonymous: {key: client.ip, fixed_window: {limit: 1, window: 1h}}\n"
                   "global_limits: [{first_of: [keyed, anonymous]}]")
        self.assertEqual(self.statuses(4, fields=[("X-API-Key", "one")]), [200, 200, 200, 429])
        self.assertEqual(self.statuses(2), [200, 429])
        self.assertEqual(self.statuses(4, fields=[("x-api-key", "two")]), [200, 200, 200, 429])

    def test_global_limits_and_limits_none(self):
        self.start("limits:\n  all: {key: everyone, fixed_window: {limit: 2, window: 1h}}\n"
                   "  own: {key: everyone, fixed_window: {limit: 1, window: 1h}}\nglobal_limits: [all]\n"
                   "routes:\n  - {match: {path: /free}, upstream: app, limits: none}\n"
                   "  - {match: {path: /own}, upstream: app, limits: [own]}\n  - {match: {path: /**}, upstream: app}")
        self.assertEqual(self.statuses(5, "/free"), [200] * 5)
        self.assertIsNone(self.client.ask(target="/free")["RateLimit"])
        self.assertEqual(self.statuses(2, "/own"), [200, 429])
        self.assertEqual(self.statuses(2), [200, 429])

    def test_cost_of_the_limit_and_of_the_route(self):
        self.start("limits:\n  two: {key: everyone, cost: 2, fixed_window: {limit: 10, window: 1h}}\n"
                   "routes:\n  - {match: {path: /five}, upstream: app, limits: [two], cost: 5}\n"
                   "  - {match: {path: /**}, upstream: app, limits: [two]}")
        self.assertEqual(remaining(self.client.ask(), "two"), 8)
        self.assertEqual(remaining(self.client.ask(target="/five"), "two"), 3)
        self.assertEqual(self.statuses(1, "/five"), [429])
        self.assertEqual(self.statuses(2), [200, 429])

    def test_h1_128_head_counts_like_get(self):
        self.start("limits: {all: {key: everyone, fixed_window: {limit: 2, window: 1h}}}\nglobal_limits: [all]")
        self.assertEqual(self.statuses(1, method="HEAD") + self.statuses(2), [200, 200, 429])


class Keys(Limits):
    def test_ak_11_composite_keys_never_meet(self):
        self.start("limits: {pair: {key: [header.x-a, header.x-b], fixed_window: {limit: 1, window: 1h}}}\nglobal_limits: [pair]")
        pairs = [("a|b", "c"), ("a", "b|c"), ("a,b", "c"), ("a", "b,c"), ("ab", "c"), ("a", "bc"), ("1:a", "b"), ("1", "a:b"), ("{x}", "y"), ("x", "{y}")]
        for a, b in pairs:
            self.assertEqual(self.statuses(1, fields=[("X-A", a), ("X-B", b)]), [200], (a, b))
        for a, b in pairs:
            self.assertEqual(self.statuses(1, fields=[("X-A", a), ("X-B", b)]), [429], (a, b))

    def test_keys_of_every_kind_tell_requests_apart(self):
        for key, first, second in (
                ("header.x-t", {"fields": [("X-T", "1")]}, {"fields": [("X-T", "2")]}),
                ("cookie.sid", {"fields": [("Cookie", "a=b; sid=1")]}, {"fields": [("Cookie", "a=b; sid=2")]}),
                ("query.q", {"target": "/?q=1&z=9"}, {"target": "/?z=8&q=2"}),
                ("method", {"method": "GET"}, {"method": "DELETE"}), ("host", {"host": "a.test"}, {"host": "b.test"}),
                ("path", {"target": "/a?x=1"}, {"target": "/b?x=1"}), ("path.id", {"target": "/u/1/x"}, {"target": "/u/2/x"}),
                ("route", {"target": "/u/1/x"}, {"target": "/elsewhere"})):
            with self.subTest(key=key):
                rest = "" if key == "path.id" else "  - {name: rest, match: {path: /**}, upstream: app, limits: [k]}"
                self.start(f"limits: {{k: {{key: {key}, fixed_window: {{limit: 1, window: 1h}}}}}}\n"
                           "routes:\n  - {name: user, match: {path: \"/u/{id}/x\"}, upstream: app, limits: [k]}\n" + rest)
                ask_for = [self.client.ask(**each).status for each in (first, second, first, second)]
                self.assertEqual(ask_for, [200, 200, 429, 429])

    def test_everyone_is_one_counter(self):
        self.start("limits: {k: {key: everyone, fixed_window: {limit: 1, window: 1h}}}\nglobal_limits: [k]")
        self.assertEqual([self.client.ask(target=t, host=h).status for t, h in (("/a", "a"), ("/b", "b"))], [200, 429])

    def test_client_network_groups_neighbours(self):
        self.start("client: {source: x-forwarded-for, trusted_proxies: [127.0.0.0/8]}\n"
                   "limits: {k: {key: client.network/24, fixed_window: {limit: 1, window: 1h}}}\nglobal_limits: [k]")
        found = [self.client.ask(fields=[("X-Forwarded-For", each)]).status for each in ("192.0.2.1", "192.0.2.200", "192.0.3.1")]
        self.assertEqual(found, [200, 429, 200])

    def test_a_limit_whose_key_is_missing_does_not_apply(self):
        self.start("limits: {k: {key: header.x-t, fixed_window: {limit: 1, window: 1h}}}\nglobal_limits: [k]")
        self.assertEqual(self.statuses(3), [200] * 3)

    def test_ak_8_requests_of_1_0_without_a_host_are_limited_by_host_too(self):
        self.start("limits: {k: {key: [client.ip, host], fixed_window: {limit: 2, window: 1h}}}\nglobal_limits: [k]")
        self.assertEqual([self.client.ask(host="a.test").status for _ in range(3)], [200, 200, 429])
        statuses = []
        for _ in range(3):
            with Connection(self.gate.address) as connection:
                connection.send(b"GET / HTTP/1.0\r\n\r\n")
                statuses.append(connection.read_response().status)
        self.assertEqual(statuses, [200, 200, 429])

    def test_ak_3_the_authorization_scheme_is_case_insensitive_the_key_is_not(self):
        self.start("auth: {api_keys: {from: [authorization ApiKey]}}\n"
                   "limits: {k: {key: api_key, fixed_window: {limit: 1, window: 1h}}}\nglobal_limits: [k]")
        found = [self.client.ask(fields=[("Authorization", each)]).status for each in ("ApiKey abc", "apikey abc", "APIKEY ABC")]
        self.assertEqual(found, [200, 429, 200])

    def test_ak_2_the_same_key_field_twice_is_400(self):
        self.start("auth: {api_keys: {from: [header X-API-Key]}}\n"
                   "limits: {k: {key: api_key, fixed_window: {limit: 1, window: 1h}}}\nglobal_limits: [k]")
        self.assertEqual(self.statuses(1, fields=[("X-API-Key", "a"), ("X-API-Key", "b")]), [400])


class Exceptions(Limits):
    def test_exempt_addresses(self):
        self.start("client: {source: x-forwarded-for, trusted_proxies: [127.0.0.0/8]}\n"
                   "limits: {k: {key: everyone, fixed_window: {limit: 1, window: 1h}, exempt: {addresses: [192.0.2.0/24, \"2001:db8::/32\"]}}}\n"
                   "global_limits: [k]")
        for address in ("192.0.2.7", "2001:db8::7", "::ffff:192.0.2.9"):
            self.assertEqual(self.statuses(3, fields=[("X-Forwarded-For", address)]), [200] * 3, address)
        self.assertEqual(self.statuses(2, fields=[("X-Forwarded-For", "198.51.100.1")]), [200, 429])

    def test_exempt_api_keys(self):
        digest = hashlib.sha256(b"friend").hexdigest()
        self.start("auth: {api_keys: {from: [header X-API-Key]}}\n"
                   f"limits: {{k: {{key: everyone, fixed_window: {{limit: 1, window: 1h}}, exempt: {{api_keys_sha256: [{digest}]}}}}}}\n"
                   "global_limits: [k]")
        self.assertEqual(self.statuses(3, fields=[("X-API-Key", "friend")]), [200] * 3)
        self.assertEqual(self.statuses(2, fields=[("X-API-Key", "stranger")]), [200, 429])

    def test_shadow_counts_and_never_refuses(self):
        self.start("limits: {k: {key: everyone, enforce: shadow, fixed_window: {limit: 2, window: 1h}}}\nglobal_limits: [k]")
        self.assertEqual(self.statuses(5), [200] * 5)
        metrics = self.metrics(self.gate)
        self.assertEqual([metrics.value("penstock_decisions_total", limit="k", decision=each) for each in ("allowed", "shadow_refused", "refused")], [2, 3, 0])

    def test_decisions_are_counted_by_limit(self):
        self.start("limits:\n  a: {key: everyone, fixed_window: {limit: 2, window: 1h}}\n"
                   "  b: {key: everyone, fixed_window: {limit: 50, window: 1h}}\nglobal_limits: [a, b]")
        self.statuses(5)
        metrics = self.metrics(self.gate)
        found = {(name, each): metrics.value("penstock_decisions_total", limit=name, decision=each)
                 for name in "ab" for each in ("allowed", "refused", "skipped")}
        self.assertEqual(found, {("a", "allowed"): 2, ("a", "refused"): 3, ("a", "skipped"): 0,
                                 ("b", "allowed"): 2, ("b", "refused"): 0, ("b", "skipped"): 3})


class Bounds(Limits):
    def test_a_flood_of_keys_does_not_reset_a_caller_in_silence(self):
        self.start("memory: {max_keys: 1000}\nlimits: {k: {key: header.x-t, fixed_window: {limit: 1, window: 1h}}}\nglobal_limits: [k]")
        for number in range(3000):
            self.statuses(1, fields=[("X-T", str(number))])
        metrics = self.metrics(self.gate)
        self.assertLessEqual(metrics.value("penstock_memory_store_keys"), 1000)
        self.assertGreaterEqual(metrics.value("penstock_memory_store_evictions_total"), 2000)

    def test_many_clients_at_once_never_pass_a_limit(self):
        self.start("limits: {k: {key: everyone, fixed_window: {limit: 200, window: 1h}}}\nglobal_limits: [k]")

        def work(_):
            with Connection(self.gate.address) as client:
                return [client.ask().status for _ in range(50)]
        found = [status for each in self.together(10, work) for status in each]
        self.assertEqual((found.count(200), found.count(429), self.app.count()), (200, 300, 200))
