"""Limits in two stages around a token's signature: what is charged, given back, held and shown (AK-40, AK-44, RL-25)."""

import itertools
import json
import re
import threading

from support.fake_upstream import reply
from support.http_client import Connection, ask, request
from support.token_minter import base64url, bearer
from support.waiting import wait_until
from test_tokens import TokenCase


def left(response):
    return {name: int(rest) for name, rest in re.findall(r'"([^"]+)";r=(\d+)', response["RateLimit"] or "")}


LIMITS = """
responses: {members: all}
limits:
  attempts: {key: client.ip, fixed_window: {limit: 50, window: 1h}}
  users: {key: jwt.sub, fixed_window: {limit: 2, window: 1h}}
  all: {key: everyone, fixed_window: {limit: 1000, window: 1h}}
  tenants: {key: jwt.tenant, fixed_window: {limit: 2, window: 1h}, on_missing_key: reject}
routes:
  - {match: {path: /both}, upstream: app, before_auth: [attempts], limits: [users, all]}
  - {match: {path: /late}, upstream: app, limits: [users, attempts, all]}
  - {match: {path: /tenant}, upstream: app, before_auth: [attempts], limits: [all, tenants]}
  - {match: {path: /free}, upstream: app, limits: none}
"""


class Stages(TokenCase):
    def ask(self, gate, target, **more):
        """With a token that nobody has seen before."""
        return ask(gate.address, target=target, fields=bearer(self.token(**more)))

    def forged(self, **more):
        return self.token(**more).rsplit(".", 1)[0] + "." + base64url(b"\1" * 64)

    def test_both_stages_are_charged_once_and_shown_once(self):
        gate = self.start(LIMITS, more="access_log: on")
        first = self.ask(gate, "/both")
        self.assertEqual((first.status, left(first)), (200, {"users": 1, "attempts": 49, "all": 999}))
        metrics = self.metrics(gate)
        for name in ("attempts", "users", "all"):
            self.assertEqual(metrics.value("penstock_decisions_total", limit=name), 1)
        wait_until(lambda: gate.stdout.count("\n") == 1, what="a line of the access log")
        line = json.loads(gate.stdout)
        self.assertEqual([(each["name"], each["decision"]) for each in line["penstock.limits"]],
                         [("attempts", "allowed"), ("users", "allowed"), ("all", "allowed")])

    def test_a_refusal_of_the_second_stage_charges_nothing(self):
        gate = self.start(LIMITS)
        statuses = [self.ask(gate, "/both").status for _ in range(5)]
        self.assertEqual(statuses, [200, 200, 429, 429, 429])
        self.assertEqual(left(self.ask(gate, "/both", sub="other")), {"users": 1, "attempts": 47, "all": 997})
        self.assertEqual(self.metrics(gate).value("penstock_decisions_total", limit="attempts", decision="skipped"), 3)

    def test_ak_40_a_token_that_is_no_good_is_charged_to_the_first_stage_alone(self):
        gate = self.start(LIMITS)
        for _ in range(3):
            response = ask(gate.address, target="/both", fields=bearer(self.forged()))
            self.assertEqual(response.status, 401)
        self.assertEqual(left(response), {"attempts": 47})
        self.assertEqual(left(self.ask(gate, "/both")), {"users": 1, "attempts": 46, "all": 999})

    def test_ak_40_without_before_auth_a_bad_token_is_charged_to_the_limits_by_address(self):
        gate = self.start(LIMITS)
        response = ask(gate.address, target="/late", fields=bearer(self.forged()))
        self.assertEqual((response.status, left(response)), (401, {"attempts": 49}))
        self.assertEqual(left(self.ask(gate, "/late")), {"users": 1, "attempts": 48, "all": 999})

    def test_ak_36_without_before_auth_a_refused_address_causes_no_signature_work(self):
        gate = self.start(LIMITS.replace("limit: 50", "limit: 3"))
        verified = lambda: self.metrics(gate).value("penstock_token_checks_total", result="signature")
        forge = lambda number: ask(gate.address, target="/late", fields=bearer(self.forged(sub=f"somebody-{number}")))
        self.assertEqual([forge(number).status for number in range(6)], [401, 401, 401, 429, 429, 429])
        self.assertEqual(verified(), 3)
        self.assertEqual(self.ask(gate, "/late").status, 429)

    def test_without_before_auth_a_refusal_of_the_second_stage_charges_nothing(self):
        gate = self.start(LIMITS)
        self.assertEqual([self.ask(gate, "/late").status for _ in range(5)], [200, 200, 429, 429, 429])
        self.assertEqual(left(self.ask(gate, "/late", sub="other")), {"users": 1, "attempts": 47, "all": 997})

    def test_a_refusal_of_the_second_stage_gives_permits_on_lease_back(self):
        for target in ("/both", "/late"):
            with self.subTest(target):
                redis = self.redis()
                gate = self.start(LIMITS.replace("limit: 50, window: 1h}", "limit: 50, window: 1h}, precision: leased"),
                                  more=f"workers: 1\nredis: {{url: '{redis.url}', check_timeout: 5s}}")
                self.wait_for_connections(redis, 1)
                self.assertEqual([self.ask(gate, target, sub="greedy").status for _ in range(100)], [200] * 2 + [429] * 98)
                self.assertGreater(self.metrics(gate).value("penstock_admissions_on_lease_total", limit="attempts"), 10)
                subjects = (f"user-{number}" for number in itertools.count())
                for _ in range(48):  # one may be told to come back, while the last permits are on their way
                    wait_until(lambda: self.ask(gate, target, sub=next(subjects)).status == 200, what="a permit of those given back")
                self.assertEqual([self.ask(gate, target, sub=next(subjects)).status for _ in range(20)], [429] * 20)

    def test_a_claim_that_a_limit_insists_on_is_missed_in_the_second_stage(self):
        gate = self.start(LIMITS)
        response = self.ask(gate, "/tenant")
        self.assertEqual((response.status, left(response)), (401, {"attempts": 49}))
        self.assertTrue(response["WWW-Authenticate"].startswith("Bearer realm="))
        self.assertEqual(left(self.ask(gate, "/tenant", tenant="acme")), {"attempts": 48, "tenants": 1, "all": 999})

    def test_rl_36_a_preflight_causes_no_signature_work(self):
        gate = self.start(LIMITS)
        fields = [("Origin", "https://shop.example"), ("Access-Control-Request-Method", "GET")] + bearer(self.forged())
        self.assertEqual(ask(gate.address, method="OPTIONS", target="/both", fields=fields).status, 200)
        self.assertEqual(ask(gate.address, target="/free", fields=fields[2:]).status, 200)  # nor where no limit counts it
        self.assertEqual(self.metrics(gate).value("penstock_token_checks_total", result="signature"), 0)
        self.assertEqual(ask(gate.address, method="OPTIONS", target="/both", fields=fields[2:]).status, 401)

    def test_a_silent_redis_is_waited_for_once_in_both_stages_together(self):
        redis = self.redis()
        gate = self.start(LIMITS, more="workers: 1\naccess_log: on\n"
                          f"redis: {{url: '{redis.url}', check_timeout: 2s, connect_timeout: 60s, breaker: {{failures: 1000}}}}")
        self.wait_for_connections(redis, 1)
        redis.freeze()
        self.assertEqual(self.ask(gate, "/both").status, 200)  # by the failure mode
        wait_until(lambda: gate.stdout.count("\n") == 1, what="a line of the access log")
        took = json.loads(gate.stdout)["penstock.check_us"]
        self.assertGreaterEqual(took, 1_900_000)  # the first stage has waited
        self.assertLess(took, 4_000_000)          # what two waits would take at the least

    def test_redis_is_asked_twice_about_a_new_token_and_once_about_one_that_is_known(self):
        redis = self.redis()
        gate = self.start(LIMITS, more=f"workers: 1\nredis: {{url: '{redis.url}', check_timeout: 5s, hash_secret: pepper-of-16-bytes}}")
        self.wait_for_connections(redis, 1)
        self.assertEqual(self.ask(gate, "/both", sub="warm").status, 200)  # sends the script

        subjects = iter(["acme", *(f"again-{number}" for number in range(20))])

        def asked():
            token, counts = self.token(sub=next(subjects)), [redis.calls()["evalsha"]]
            for _ in range(3):
                ask(gate.address, target="/both", fields=bearer(token))
                counts.append(redis.calls()["evalsha"])
            return [b - a for a, b in zip(counts, counts[1:])]
        self.assertEqual(redis.undisturbed(asked), [2, 1, 1])
        # Refused by the second stage, with a token that is new: the first is given back in Redis, too.
        self.assertEqual(self.ask(gate, "/both").status, 429)
        wait_until(lambda: left(self.ask(gate, "/both", sub="look")) != {}, what="an answer")
        charged = self.metrics(gate).value("penstock_decisions_total", limit="attempts", decision="allowed")
        last = self.ask(gate, "/both", sub="last")
        self.assertEqual(left(last)["attempts"], 50 - charged - 1)


class Held(TokenCase):
    """Permits of both stages."""
    LIMITS = """
limits:
  open: {key: client.ip, concurrency: {limit: 2}}
  attempts: {key: client.ip, fixed_window: {limit: 50, window: 1h}}
  mine: {key: jwt.sub, concurrency: {limit: 1}}
  queued: {key: jwt.sub, concurrency: {limit: 1}, queue: {limit: 5, timeout: 60s}}
responses: {members: all}
routes:
  - {match: {path: /held/**}, upstream: app, before_auth: [open], limits: [mine]}
  - {match: {path: /queued/**}, upstream: app, before_auth: [attempts], limits: [queued]}
  - {match: {path: /look}, upstream: app, limits: [attempts]}
"""

    def setUp(self):
        self.go = threading.Event()
        self.gate = self.start(self.LIMITS)

        def script(exchange):
            exchange.read_body()
            if exchange.request.target.endswith("/wait"):
                exchange.wait_for(self.go)
            exchange.send(reply(body=b"ok"))
        self.app.script = script

    def send(self, target, **more):
        connection = Connection(self.gate.address)
        self.addCleanup(connection.close)
        connection.send(request(target=target, fields=bearer(self.token(**more))))
        return connection

    def test_permits_of_both_stages_are_held_to_the_end_and_go_back_once(self):
        first = self.send("/held/wait", sub="a")
        wait_until(lambda: self.app.count("/held/wait") == 1, what="the first request at the upstream")
        self.assertEqual(self.send("/held/now", sub="a").read_response().status, 429)  # by `mine`; `open` was given back
        second = self.send("/held/wait", sub="b")
        wait_until(lambda: self.app.count("/held/wait") == 2, what="the second request at the upstream")
        self.assertEqual(self.send("/held/now", sub="c").read_response().status, 429)  # by `open`
        self.go.set()
        self.assertEqual([each.read_response().status for each in (first, second)], [200, 200])
        for sub in ("a", "b", "c"):
            wait_until(lambda: self.send("/held/now", sub=sub).read_response().status == 200, what=f"free permits for {sub}")

    def test_a_queue_of_the_second_stage_is_waited_in_and_who_leaves_it_was_charged_nothing(self):
        def waiting():
            return self.metrics(self.gate).value("penstock_queue_waiting", limit="queued")
        first = self.send("/queued/wait", sub="a")
        wait_until(lambda: self.app.count("/queued/wait") == 1, what="the first request at the upstream")
        second, third = self.send("/queued/now", sub="a"), self.send("/queued/now", sub="a")
        wait_until(lambda: waiting() == 2, what="two requests in the queue")
        third.close()
        wait_until(lambda: waiting() == 1, what="one request in the queue")
        self.go.set()
        self.assertEqual([each.read_response().status for each in (first, second)], [200, 200])
        self.assertEqual(left(ask(self.gate.address, target="/look")), {"attempts": 47})
