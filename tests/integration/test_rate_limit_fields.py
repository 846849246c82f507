"""What a client is told of its limits, byte for byte where the time allows (RL-1..RL-60)."""

import math
import time

from support.fake_upstream import answering, reply
from support.gateway_case import GatewayCase
from support.http_client import ask
from support.structured_fields import parse_list

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
