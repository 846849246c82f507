"""The 429 itself: status line, fields, and the three kinds of body (RL-40..RL-46, RL-60, RL-70)."""

import json
import os

from support.gateway_case import GatewayCase
from support.http_client import Connection, ask, request

QUOTA = "https://iana.org/assignments/http-problem-types#quota-exceeded"
TWO = """
limits:
  burst: {key: everyone, fixed_window: {limit: 1, window: 100s}}
  daily: {key: everyone, fixed_window: {limit: 1, window: 1d}}
  large: {key: everyone, fixed_window: {limit: 100, window: 1d}}
routes:
  - {match: {path: /both}, upstream: app, limits: [burst, daily, large]}
  - {match: {path: /one}, upstream: app, limits: [burst, large]}
"""


class Rejections(GatewayCase):
    def start(self, text="", target="/both"):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, TWO + text)
        self.assertEqual(ask(self.gate.address, target=target).status, 200)
        self.app.expect_nothing()

    def refused(self, target="/both", status=429, **more):
        response = ask(self.gate.address, target=target, **more)
        self.assertEqual(response.status, status)
        return response

    def test_rl_40_and_rl_46_problem_document(self):
        self.start(target="/one")
        response = self.refused("/one")
        self.assertEqual(response["Content-Type"], "application/problem+json")
        document = json.loads(response.body)
        self.assertGreater(len(document.pop("detail")), 10)
        document.pop("instance", None)
        self.assertEqual(document, {"type": QUOTA, "title": "Quota Exceeded", "status": 429, "violated-policies": ["burst"]})

    def test_rl_41_every_limit_that_refused_is_named(self):
        self.start()
        self.assertEqual(sorted(json.loads(self.refused().body)["violated-policies"]), ["burst", "daily"])
        self.assertEqual(json.loads(self.refused("/one").body)["violated-policies"], ["burst"])

    def test_rl_60_the_longest_wait_counts(self):
        self.start()
        self.assertGreater(int(self.refused()["Retry-After"]), 86_000)
        self.assertLessEqual(int(self.refused("/one")["Retry-After"]), 100)

    def test_rl_43_status_line(self):
        self.start()
        self.assertTrue(self.refused().head.startswith(b"HTTP/1.1 429 Too Many Requests\r\n"))

    def test_rl_70_a_refusal_is_not_stored(self):
        self.start()
        self.assertIn("no-store", self.refused().fields.tokens("Cache-Control"))

    def test_rl_44_the_key_is_not_in_the_body(self):
        app = self.upstream()
        gate = self.gateway(app, "limits: {k: {key: header.x-secret, fixed_window: {limit: 1, window: 1h}}}\nglobal_limits: [k]")
        for _ in range(2):
            response = ask(gate.address, fields=[("X-Secret", "canary-7")])
        self.assertEqual(response.status, 429)
        self.assertNotIn(b"canary-7", response.head + response.body)

    def test_rl_45_head_over_quota_has_the_length_and_no_body(self):
        self.start()
        with Connection(self.gate.address) as client:
            client.send(request("HEAD", "/both") + request("GET", "/both"))
            head, get = client.read_response("HEAD"), client.read_response()
        self.assertEqual((head.status, head["Content-Length"]), (429, str(len(get.body))))

    def test_rl_45_no_kind_of_accept_means_406(self):
        self.start()
        for accept in ("text/html", "image/png", "application/json;q=0", "garbage;;"):
            self.refused(fields=[("Accept", accept)])

    def test_rl_35_a_browser_may_read_the_refusal(self):
        self.start()
        response = self.refused(fields=[("Origin", "https://app.test")])
        exposed = response.fields.tokens("Access-Control-Expose-Headers")
        self.assertLessEqual({"ratelimit", "ratelimit-policy", "retry-after"}, set(exposed))
        self.assertIn(response["Access-Control-Allow-Origin"], ("*", "https://app.test"))

    def test_text_body(self):
        self.start("responses: {rejection: {body: text}}")
        response = self.refused()
        self.assertTrue(response["Content-Type"].startswith("text/plain"))
        self.assertRegex(response.body.decode(), r"(?i)retry|wait|again|limit")

    def test_another_status(self):
        self.start("responses: {rejection: {status: 503}}")
        response = self.refused(status=503)
        self.assertRegex(response["Retry-After"], "^[1-9][0-9]*$")

    def test_template_body_beside_the_configuration(self):
        folder = self.folder()
        path = os.path.join(folder, "busy.html")
        with open(path, "w", encoding="utf-8") as file:
            file.write("<p>Please come back later.</p>\n")
        self.start(f"responses: {{rejection: {{body: {path}}}}}")
        response = self.refused()
        self.assertTrue(response["Content-Type"].startswith("text/html"))
        self.assertIn(b"Please come back later.", response.body)
        self.assertEqual(ask(self.gate.address, "HEAD", "/both").body, b"")
