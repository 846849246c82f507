"""The commands beside `run`: check, version, help, and what a wrong command line gets."""

import os
import re

from support.gateway_case import GatewayCase, compose
from support.gateway_process import Gateway, run_command

TEN = """workers: -3
listeners: [{address: 127.0.0.1:99999}]
admin: {address: 127.0.0.1:0}
upstreams:
  app: {servers: [127.0.0.1:3000], timeouts: {connect: soon}}
limits:
  one: {key: client.ipp, fixed_window: {limit: 10, window: 10s}}
  two: {key: client.ip, fixed_window: {limit: 0, window: 10s}}
  three: {key: client.ip, token_bucket: {capacity: 10}}
  four: {key: client.ip, fixed_windw: {limit: 1, window: 1s}}
  five: {key: client.ip, fixed_window: {limit: 1, window: 1s}, on_store_failure: maybe}
routes:
  - {match: {path: no-slash}, upstream: app}
  - {match: {path: /a}, upstream: missing, limits: [unknown]}
"""
# line, key (a part of it), a part of the remedy
MISTAKES = (
    (1, "workers", ""), (2, "listeners", ""), (5, "connect", ""), (7, "limits.one.key", "client.ip"), (8, "limits.two", ""), (9, "limits.three", "refill"),
    (10, "fixed_windw", "fixed_window"), (11, "on_store_failure", "local"), (13, "path", ""), (14, "upstream", ""), (14, "limits", ""))


class Check(GatewayCase):
    def check(self, text):
        path = os.path.join(self.folder(), "penstock.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        done = run_command("check", "--config", path)
        lines = (done.stdout + done.stderr).splitlines()
        return done, [line for line in lines if re.match(re.escape(path) + ":[0-9]", line) and ": warning: " not in line], path

    def test_a_good_configuration(self):
        done, problems, _ = self.check(compose("", "127.0.0.1:3000"))
        self.assertEqual((done.returncode, problems), (0, []))

    def test_ten_mistakes_are_all_reported_with_line_column_key_and_remedy(self):
        done, problems, path = self.check(TEN)
        self.assertEqual(done.returncode, 1)
        shape = re.compile(re.escape(path) + r":(\d+):(\d+): ([^:]+): (.+)")
        found = [shape.fullmatch(line) for line in problems]
        self.assertNotIn(None, found, problems)
        for line, key, remedy in MISTAKES:
            self.assertTrue(any(int(each[1]) == line and key in each[3] and remedy in each[4] and int(each[2]) > 0 for each in found),
                            f"line {line}, {key}: not in\n" + "\n".join(problems))

    def test_op_42_an_unknown_key_is_an_error_with_the_nearest_known(self):
        done, problems, _ = self.check(compose("", "127.0.0.1:3000") + "respones: {}\n")
        self.assertEqual((done.returncode, len(problems)), (1, 1))
        self.assertIn("responses", problems[0])

    def test_rl_76_a_cost_that_could_never_pass_is_refused(self):
        bucket = "limits: {{b: {{key: everyone, {cost}token_bucket: {{capacity: 10, refill: 1/second}}}}}}\n"
        route = "routes: [{{match: {{path: /**}}, upstream: app, limits: [b]{cost}}}]\n"
        for limit_cost, route_cost, expected in (("", "", 0), ("cost: 10, ", "", 0), ("cost: 11, ", "", 1), ("", ", cost: 11", 1)):
            text = compose(bucket.format(cost=limit_cost) + route.format(cost=route_cost), "127.0.0.1:3000")
            self.assertEqual(self.check(text)[0].returncode, expected, (limit_cost, route_cost))

    def test_text_that_is_not_yaml(self):
        for text in ("a: [b", "\t- x", "\0", "just words", ""):
            done, problems, _ = self.check(text)
            self.assertEqual(done.returncode, 1, text)
            self.assertTrue(problems or done.stderr, text)

    def test_a_file_that_is_not_there(self):
        done = run_command("check", "--config", os.path.join(self.folder(), "none.yaml"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("none.yaml", done.stdout + done.stderr)

    def test_values_from_the_environment(self):
        text = compose("upstreams: {app: {servers: [\"${PENSTOCK_TEST_APP}\"]}}\nworkers: ${PENSTOCK_TEST_WORKERS:-1}")
        self.assertEqual(self.check(text)[0].returncode, 1)
        os.environ["PENSTOCK_TEST_APP"] = "127.0.0.1:3000"
        self.addCleanup(os.environ.pop, "PENSTOCK_TEST_APP")
        done, problems, _ = self.check(text)
        self.assertEqual(done.returncode, 0, problems)

    def test_run_refuses_what_check_refuses(self):
        path = os.path.join(self.folder(), "penstock.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(TEN)
        done = run_command("run", "--config", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("limits.one.key", done.stderr)

    def test_op_41_a_secret_is_not_printed(self):
        done, _, _ = self.check(compose("redis: {url: \"redis://u:s3cr3t@127.0.0.1:1/x\", unknown: 1}", "127.0.0.1:3000"))
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("s3cr3t", done.stdout + done.stderr)


class Others(GatewayCase):
    def test_version(self):
        done = run_command("version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"\b\d+\.\d+\.\d+\b")
        self.assertRegex(done.stdout, r"(?i)boost")

    def test_help_of_every_command(self):
        for arguments in ([], ["run"], ["demo"], ["check"], ["healthcheck"], ["version"]):
            done = run_command(*arguments, "--help")
            self.assertEqual(done.returncode, 0, arguments)
            self.assertGreater(len(done.stdout), 20)

    def test_a_wrong_command_line_is_2(self):
        for arguments in ([], ["fly"], ["run"], ["run", "--confg", "x"], ["check"], ["check", "--config"], ["version", "extra"]):
            done = run_command(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertNotEqual(done.stderr, "", arguments)

    def test_an_address_in_use_is_refused_with_a_reason(self):
        app = self.upstream()
        text = compose(f"listeners: [{{address: \"127.0.0.1:{app.port}\"}}]", "127.0.0.1:1")
        folder = self.folder()
        with self.assertRaises(AssertionError) as problem:
            Gateway(text, folder).kill()
        self.assertIn(str(app.port), str(problem.exception))
