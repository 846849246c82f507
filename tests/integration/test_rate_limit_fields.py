"""What a client is told of its limits, byte for byte where the time allows (RL-1..RL-60)."""

import math
import threading
import time

from support.fake_upstream import answering, reply
from support.gateway_case import GatewayCase
from support.http_client import ask, request
from support.structured_fields import parse_list
from support.waiting import wait_until

WINDOW = "limits: {default: {key: everyone, fixed_window: {limit: 2, window: 100s}}}\nglobal_limits: [default]\n"
TWO = """
limits:
  hourly: {key: everyone, fixed_window: {limit: 1000, window: 1h}}
  burst: {key: everyone, fixed_window: {limit: 2, window: 100s}}
global_limits: [hourly, burst]
"""
FAMILIES = ("RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset",
            "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After")


class Fields(GatewayCase):
    def start(self, text, *fields, status="200 OK"):
        self.app = self.upstream(answering(reply(status, b"ok", fields)))
        self.gate = self.gateway(self.app, text)

    def ask(self, count=1, **more):
        responses = [ask(self.gate.address, **more) for _ in range(count)]
        return responses[0] if count == 1 else responses

    def present(self, response):
        return {name: response[name] for name in FAMILIES if response.fields.all(name)}

    def about(self, text, seconds):
        """A number of seconds that may have gone down while the test ran."""
        self.assertRegex(text, r"^[0-9]+$")
        self.assertIn(int(text), range(seconds - 20, seconds + 1))


class Draft(Fields):
    def test_rl_1_golden_fields_of_a_fixed_window(self):
        self.start(WINDOW)
        self.assertEqual(self.present(self.ask()), {"RateLimit-Policy": '"default";q=2;w=100', "RateLimit": '"default";r=1;t=100'})

    def test_rl_15_and_rl_23_a_refusal_of_a_fixed_window_waits_for_its_end(self):
        self.start(WINDOW)
        *_, response = self.ask(3)
        self.assertEqual(response["RateLimit-Policy"], '"default";q=2;w=100')
        (name, member), = parse_list(response["RateLimit"])
        self.assertEqual((name, member["r"]), ("default", 0))
        self.about(response["Retry-After"], 100)
        self.assertGreaterEqual(int(response["Retry-After"]), member["t"])

    def test_rl_15_golden_fields_of_a_refusal_of_a_token_bucket(self):
        self.start("limits: {b: {key: everyone, token_bucket: {capacity: 1, refill: 1/100s}}}\nglobal_limits: [b]")
        *_, response = self.ask(2)
        (name, member), = parse_list(response["RateLimit"])
        self.assertEqual((response["RateLimit-Policy"], name, member["r"]), ('"b";q=1;w=100', "b", 0))
        self.about(response["Retry-After"], 100)
        self.assertEqual(int(response["Retry-After"]), member["t"])

    def test_rl_16_t_of_a_token_bucket_is_proportional(self):
        self.start("limits: {b: {key: everyone, token_bucket: {capacity: 200, refill: 50/30s}}}\nglobal_limits: [b]")
        for response in self.ask(5):
            self.assertEqual(response["RateLimit-Policy"], '"b";q=200;w=120')
            (_, member), = parse_list(response["RateLimit"])
            self.assertEqual(member["t"], math.ceil(member["r"] * 120 / 200))

    def test_rl_13_and_rl_18_r_counts_down_and_the_policy_stays(self):
        self.start(WINDOW.replace("limit: 2", "limit: 5"))
        responses = self.ask(8)
        self.assertEqual([parse_list(each["RateLimit"])[0][1]["r"] for each in responses], [4, 3, 2, 1, 0, 0, 0, 0])
        self.assertEqual({each["RateLimit-Policy"] for each in responses}, {'"default";q=5;w=100'})

    def test_rl_19_every_status_carries_the_fields(self):
        for status in ("204 No Content", "301 Moved Permanently", "304 Not Modified", "404 Not Found", "500 Internal Server Error"):
            app = self.upstream(answering(f"HTTP/1.1 {status}\r\n{'' if status[0] in '2' or status[:3] == '304' else 'Content-Length: 0' + chr(13) + chr(10)}\r\n".encode()))
            response = ask(self.gateway(app, WINDOW).address)
            self.assertEqual((response.status, response["RateLimit"]), (int(status[:3]), '"default";r=1;t=100'))

    def test_rl_19_a_gateway_error_after_a_charge_carries_the_fields(self):
        app = self.upstream(lambda each: (each.read_body(), each.close()))
        response = ask(self.gateway(app, WINDOW).address, "POST", body=b"")
        self.assertEqual((response.status, response["RateLimit"]), (502, '"default";r=1;t=100'))

    def test_rl_19_a_route_without_limits_carries_none(self):
        self.start(WINDOW + "routes: [{match: {path: /**}, upstream: app, limits: none}]")
        self.assertEqual(self.present(self.ask()), {})

    def test_rl_21_the_tightest_member_alone_is_the_default(self):
        self.start(TWO)
        self.assertEqual([name for name, _ in parse_list(self.ask()["RateLimit"])], ["burst"])

    def test_rl_11_and_rl_22_all_members_tightest_first(self):
        self.start(TWO + "responses: {members: all}")
        response = self.ask()
        self.assertEqual(response["RateLimit"], '"burst";r=1;t=100, "hourly";r=999;t=3600')
        self.assertEqual(sorted(response["RateLimit-Policy"].split(", ")), ['"burst";q=2;w=100', '"hourly";q=1000;w=3600'])

    def test_rl_12_every_member_has_its_policy(self):
        for members in ("tightest", "all"):
            self.start(TWO + f"responses: {{members: {members}}}")
            for response in self.ask(4):
                named = {name for name, _ in parse_list(response["RateLimit-Policy"])}
                self.assertLessEqual({name for name, _ in parse_list(response["RateLimit"])}, named)

    def test_rl_24_a_limit_that_is_not_advertised_is_in_no_field_and_no_body(self):
        self.start("limits: {secret-plan: {key: everyone, advertise: false, fixed_window: {limit: 1, window: 100s}}}\nglobal_limits: [secret-plan]")
        for response in self.ask(2):
            self.assertNotIn(b"secret-plan", response.head + response.body)
        self.assertEqual(response.status, 429)
        self.assertRegex(response["Retry-After"], r"^[1-9][0-9]*$")

    def test_on_success_false_means_only_on_refusals(self):
        self.start(WINDOW + "responses: {on_success: false}")
        first, _, third = self.ask(3)
        self.assertEqual((self.present(first), third.status, "RateLimit" in self.present(third)), ({}, 429, True))

    def test_off_leaves_retry_after_alone(self):
        self.start(WINDOW + "responses: {rate_limit_fields: off}")
        first, _, third = self.ask(3)
        self.assertEqual((self.present(first), set(self.present(third))), ({}, {"Retry-After"}))


class EveryAlgorithm(Fields):
    """q and w are the configuration's; t is never before all that was used is back, and r in t never a burst (RL-16)."""

    def members(self, words, count=1, text=""):
        self.start(f"limits: {{x: {{key: everyone, {words}}}}}\nglobal_limits: [x]\n{text}")
        *_, response = self.ask(count + 1)
        (_, policy), = parse_list(response["RateLimit-Policy"])
        (_, limits), = parse_list(response["RateLimit"])
        return response, policy, limits

    def test_rl_15_windows_that_start_over_end_at_the_clocks_border(self):
        for words, window in (("fixed_window: {limit: 9, window: 1h, align: clock}", 3600),
                              ("fixed_window: {limit: 9, calendar: day, time_zone: UTC}", 86400)):
            with self.subTest(words):
                _, policy, limits = self.members(words)
                self.assertEqual((policy, limits["r"]), ({"q": 9, "w": window}, 7))
                left = window - time.time() % window
                self.assertIn(limits["t"] % window, {math.ceil(left + late) % window for late in range(-1, 6)})

    def test_rl_16_sliding_limits_and_the_periodic_bucket(self):
        for words, earliest, latest in (("sliding_window: {limit: 9, window: 100s, segments: 5}", 78, 100),
                                        ("sliding_window_counter: {limit: 9, window: 100s}", 90, 200),
                                        ("sliding_log: {limit: 9, window: 100s}", 95, 100),
                                        ("token_bucket: {capacity: 9, refill: 9/100s, replenish: periodic}", 78, 100)):
            with self.subTest(words):
                _, policy, limits = self.members(words)
                self.assertEqual((policy, limits["r"]), ({"q": 9, "w": 100}, 7))
                self.assertIn(limits["t"], range(earliest, latest + 1))

    def test_rl_23_a_refusal_tells_the_exact_wait(self):
        for words in ("sliding_window: {limit: 1, window: 100s, segments: 5}", "sliding_window_counter: {limit: 1, window: 100s}",
                      "sliding_log: {limit: 1, window: 100s}", "fixed_window: {limit: 1, window: 100s, align: clock}"):
            with self.subTest(words):
                response, _, limits = self.members(words)
                if response.status == 200:
                    continue  # the clock's border came between the two
                self.assertEqual((response.status, limits["r"], limits["t"]), (429, 0, int(response["Retry-After"])))

    def test_rl_4_concurrency_has_a_unit_and_no_time(self):
        busy, go = [], threading.Event()

        def script(exchange):
            if exchange.request.target == "/wait":
                busy.append(exchange)
                exchange.wait_for(go)
            exchange.send(reply(body=b"ok"))
        self.app = self.upstream(script)
        self.gate = self.gateway(self.app, "workers: 1\nlimits: {held: {key: everyone, concurrency: {limit: 2}}}\nglobal_limits: [held]\n"
                                           "responses: {rate_limit_fields: [draft, triple]}")
        policy = '"held";q=2;qu="concurrent-requests"'
        self.assertEqual(self.present(self.ask()), {"RateLimit-Policy": policy, "RateLimit": '"held";r=1'})
        waiting = [self.connect(self.gate) for _ in range(2)]
        for client in waiting:
            client.send(request(target="/wait"))
        wait_until(lambda: len(busy) == 2, what="two requests in flight")
        response = self.ask()
        self.assertEqual((response.status, self.present(response)),
                         (429, {"Retry-After": "1", "RateLimit-Policy": policy, "RateLimit": '"held";r=0'}))
        self.assertIn(b"Policy held allows 2 requests at once.", response.body)
        go.set()
        for client in waiting:
            self.assertEqual(client.read_response().status, 200)
        wait_until(lambda: self.ask().status == 200, what="a permit given back")

    def test_rl_18_a_sharded_limit_tells_of_the_whole(self):
        redis = self.redis()
        self.start(f"workers: 1\nredis: {{url: \"{redis.url}\"}}\n"
                   "limits: {x: {key: everyone, shards: 4, fixed_window: {limit: 400, window: 100s}}}\nglobal_limits: [x]")
        self.wait_for_connections(redis, 1)
        responses = self.ask(9)
        self.assertEqual({each["RateLimit-Policy"] for each in responses}, {'"x";q=400;w=100'})
        left = [parse_list(each["RateLimit"])[0][1]["r"] for each in responses]
        self.assertEqual((left[0], left[-1]), (396, 388))  # the shard's 99 and 97 of 100


class Older(Fields):
    def test_rl_50_golden_triple(self):
        self.start(WINDOW + "responses: {rate_limit_fields: [triple]}")
        self.assertEqual(self.present(self.ask()), {"RateLimit-Limit": "2", "RateLimit-Remaining": "1", "RateLimit-Reset": "100"})

    def test_rl_51_the_triple_tells_of_the_tighter_limit(self):
        self.start(TWO + "responses: {rate_limit_fields: [triple]}")
        self.assertEqual(self.present(self.ask()), {"RateLimit-Limit": "2", "RateLimit-Remaining": "1", "RateLimit-Reset": "100"})

    def test_rl_52_reset_equals_retry_after(self):
        self.start(WINDOW + "responses: {rate_limit_fields: [triple]}")
        *_, response = self.ask(3)
        self.assertEqual((response["RateLimit-Remaining"], response["RateLimit-Reset"]), ("0", response["Retry-After"]))

    def test_rl_54_draft_and_triple_together_have_one_policy_of_the_draft(self):
        self.start(WINDOW + "responses: {rate_limit_fields: [draft, triple]}")
        self.assertEqual(self.present(self.ask()), {
            "RateLimit-Policy": '"default";q=2;w=100', "RateLimit": '"default";r=1;t=100',
            "RateLimit-Limit": "2", "RateLimit-Remaining": "1", "RateLimit-Reset": "100"})

    def test_rl_56_x_ratelimit_resets_at_a_point_in_time(self):
        self.start(WINDOW + "responses: {rate_limit_fields: [x-ratelimit]}")
        response = self.ask()
        found = self.present(response)
        self.assertEqual((found.pop("X-RateLimit-Limit"), found.pop("X-RateLimit-Remaining")), ("2", "1"))
        self.assertAlmostEqual(int(found.pop("X-RateLimit-Reset")), time.time() + 100, delta=3)
        self.assertEqual(found, {})
        self.assertRegex(response["Date"], "GMT$")

    def test_rl_56_x_ratelimit_resets_after_seconds_when_asked(self):
        self.start(WINDOW + "responses: {rate_limit_fields: [x-ratelimit], reset: delta}")
        self.assertEqual(self.present(self.ask()), {"X-RateLimit-Limit": "2", "X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "100"})

    def test_rl_57_a_refusal_with_a_point_in_time_has_a_date(self):
        self.start(WINDOW + "responses: {rate_limit_fields: [x-ratelimit]}")
        *_, response = self.ask(3)
        self.assertEqual(response.status, 429)
        self.assertRegex(response["Date"], "GMT$")
        self.assertAlmostEqual(int(response["X-RateLimit-Reset"]), time.time() + int(response["Retry-After"]), delta=3)


class Jitter(Fields):
    def test_rl_26_jitter_only_lengthens(self):
        self.start(WINDOW + "responses: {retry_jitter: 50%}")
        responses = self.ask(40)[2:]
        waits = [int(each["Retry-After"]) for each in responses]
        self.assertGreater(len(set(waits)), 1)
        self.assertLessEqual(max(waits), 151)
        for each in responses:
            self.assertGreaterEqual(int(each["Retry-After"]), max(85, parse_list(each["RateLimit"])[0][1]["t"]))


class OfTheUpstream(Fields):
    """The app has limits, and fields, of its own."""

    def test_rl_27_its_fields_are_never_made_more_permissive(self):
        self.start(WINDOW, ("RateLimit", '"app";r=3;t=9'), ("RateLimit-Policy", '"app";q=5;w=10'))
        members = dict(parse_list(", ".join(self.ask().fields.all("RateLimit"))))
        self.assertEqual(members["default"]["r"], 1)
        self.assertLessEqual(members.get("app", {"r": 3})["r"], 3)

    def test_rl_27_its_fields_are_kept_on_a_route_without_limits(self):
        self.start("", ("RateLimit", '"app";r=3;t=9'), ("RateLimit-Policy", '"app";q=5;w=10'))
        self.assertEqual(self.present(self.ask()), {"RateLimit": '"app";r=3;t=9', "RateLimit-Policy": '"app";q=5;w=10'})

    def test_rl_28_one_name_is_never_two_members(self):
        self.start(WINDOW, ("RateLimit", '"default";r=77;t=9'), ("RateLimit-Policy", '"default";q=99;w=10'))
        response = self.ask()
        for field in ("RateLimit", "RateLimit-Policy"):
            names = [name for name, _ in parse_list(", ".join(response.fields.all(field)))]
            self.assertEqual(len(names), len(set(names)), names)
        self.assertIn('"default";r=1;t=100', response.fields.all("RateLimit")[0])

    def test_rl_30_garbage_does_not_spoil_the_field(self):
        self.start(WINDOW, ("RateLimit", "garbage;;r="), ("RateLimit-Policy", "100;w=60"))
        response = self.ask()
        self.assertEqual([name for name, _ in parse_list(", ".join(response.fields.all("RateLimit")))], ["default"])
        self.assertEqual([name for name, _ in parse_list(", ".join(response.fields.all("RateLimit-Policy")))], ["default"])

    def test_rl_58_single_fields_are_not_doubled(self):
        self.start(WINDOW + "responses: {rate_limit_fields: [triple, x-ratelimit]}",
                   *((f"{prefix}RateLimit-{name}", "1") for prefix in ("", "X-") for name in ("Limit", "Remaining", "Reset")))
        response = self.ask()
        for name in FAMILIES[2:8]:
            self.assertEqual(len(response.fields.all(name)), 1, name)
        self.assertLessEqual(int(response["X-RateLimit-Remaining"]), 1)

    def test_rl_17_its_trailers_do_not_carry_the_fields(self):
        app = self.upstream(answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nRateLimit: \"default\";r=99;t=1\r\n\r\n"))
        response = ask(self.gateway(app, WINDOW).address)
        self.assertEqual((response["RateLimit"], response.trailers.all("RateLimit")), ('"default";r=1;t=100', []))

    def test_rl_74_its_own_429_keeps_its_wait(self):
        self.start(WINDOW, ("Retry-After", "30"), status="429 Too Many Requests")
        response = self.ask()
        self.assertEqual((response.status, response["Retry-After"]), (429, "30"))
