"""The admin listener: health, metrics, and that neither is traffic (OP-1..OP-5, OP-10..OP-17)."""

import json
import re

from support.gateway_case import GatewayCase
from support.gateway_process import run_command
from support.http_client import ask
from support.http_wire import connect
from support.metrics_text import NAME, Metrics
from support.ports import free_port
from support.waiting import wait_until

LIMITED = "limits: {k: {key: client.ip, fixed_window: {limit: 3, window: 1h}}}\nglobal_limits: [k]\n"


class Health(GatewayCase):
    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, LIMITED)

    def test_op_1_live_and_ready(self):
        for path in ("/livez", "/readyz"):
            response = ask(self.gate.admin, target=path)
            self.assertEqual(response.status, 200, path)
            self.assertIn("no-store", response.fields.tokens("Cache-Control"))
            json.loads(response.body)

    def test_op_1_head_is_answered_too(self):
        self.assertEqual(ask(self.gate.admin, "HEAD", "/livez").status, 200)

    def test_op_3_probes_are_no_traffic(self):
        before = self.metrics(self.gate)
        for _ in range(200):
            ask(self.gate.admin, target="/livez")
            ask(self.gate.admin, target="/readyz")
        after = self.metrics(self.gate)
        for name in ("penstock_requests_total", "penstock_decisions_total"):
            self.assertEqual(before.value(name), after.value(name))
        self.assertEqual(self.app.count(), 0)

    def test_op_6_health_paths_on_the_traffic_listener_are_the_apps(self):
        for path in ("/livez", "/readyz"):
            self.assertEqual(ask(self.gate.address, target=path).body, b"ok")
        self.assertEqual(self.app.count(), 2)

    def test_other_paths_and_methods_are_refused(self):
        self.assertEqual(ask(self.gate.admin, target="/nothing").status, 404)
        self.assertIn(ask(self.gate.admin, "DELETE", "/livez").status, (403, 404, 405))

    def test_requests_that_are_no_http_do_not_end_the_admin_listener(self):
        for data in (b"\0\1\2\r\n\r\n", b"GET /livez HTTP/1.1\r\n", b"GET /livez\r\n\r\n"):
            sock = connect(self.gate.admin, 10)
            sock.sendall(data)
            sock.close()
        self.assertEqual(ask(self.gate.admin, target="/livez").status, 200)

    def test_op_5_healthcheck_command(self):
        host, port = self.gate.admin
        self.assertEqual(run_command("healthcheck", "--admin", f"{host}:{port}").returncode, 0)
        nobody = f"127.0.0.1:{free_port()}"
        done = run_command("healthcheck", "--admin", nobody)
        self.assertEqual((done.returncode, done.stderr), (1, f"healthcheck: {nobody}: nothing listens there\n"))


class Breaker(GatewayCase):
    """What /readyz says while Redis is given up (OP-1)."""

    def start(self, mode):
        app = self.upstream()
        self.gate = self.gateway(app, f"""
workers: 1
redis: {{url: "redis://127.0.0.1:{free_port()}/0", breaker: {{failures: 1, open_for: 1m, open_for_max: 1m}}}}
limits: {{k: {{key: everyone, on_store_failure: {mode}, fixed_window: {{limit: 9, window: 1h}}}}}}
global_limits: [k]
""")
        wait_until(lambda: self.metrics(self.gate).value("penstock_store_breaker_state") > 0, what="an open breaker")
        return ask(self.gate.admin, target="/readyz")

    def test_op_1_ready_but_degraded_where_limits_have_a_way_out(self):
        for mode in ("local", "allow"):
            with self.subTest(mode=mode):
                response = self.start(mode)
                document = json.loads(response.body)
                self.assertEqual((response.status, document["status"]), (200, "degraded"))
                self.assertNotEqual(document["reasons"], [])
                self.assertEqual(ask(self.gate.admin, target="/livez").status, 200)

    def test_op_1_not_ready_where_a_limit_denies(self):
        response = self.start("deny")
        self.assertEqual((response.status, json.loads(response.body)["status"]), (503, "not ready"))
        self.assertEqual(ask(self.gate.admin, target="/livez").status, 200)
        self.assertEqual(ask(self.gate.address).status, 503)


class Exposition(GatewayCase):
    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, LIMITED)

    def test_op_10_content_type(self):
        response = ask(self.gate.admin, target="/metrics")
        self.assertEqual(response.status, 200)
        self.assertRegex(response["Content-Type"], r"^text/plain; version=0\.0\.4(; charset=utf-8)?$")

    def test_op_11_and_op_12_families_names_and_suffixes(self):
        ask(self.gate.address)
        metrics = self.metrics(self.gate)
        for name, kind in metrics.types.items():
            self.assertRegex(name, f"^{NAME.pattern}$")
            self.assertIn(name, metrics.helps)
            self.assertNotRegex(name, r"_(ms|millis|milliseconds|us)$")
            if kind == "counter":
                self.assertTrue(name.endswith("_total"), name)
        own = {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics.names()}
        self.assertLessEqual({name for name in own if name.startswith("penstock_")}, set(metrics.types))

    def test_op_13_histograms_add_up(self):
        for _ in range(5):
            ask(self.gate.address)
        metrics = self.metrics(self.gate)
        for name in [name for name, kind in metrics.types.items() if kind == "histogram"]:
            series = {}
            for each, labels, value in metrics.samples:
                if each == f"{name}_bucket":
                    rest = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
                    series.setdefault(rest, []).append((float(labels["le"]), value))
            for rest, buckets in series.items():
                self.assertEqual(buckets, sorted(buckets))
                values = [value for _, value in buckets]
                self.assertEqual(values, sorted(values))
                self.assertEqual((buckets[-1][0], buckets[-1][1]), (float("inf"), metrics.value(f"{name}_count", **dict(rest))))

    def test_op_16_what_one_scenario_leaves(self):
        statuses = [ask(self.gate.address).status for _ in range(5)]
        self.assertEqual(statuses, [200] * 3 + [429] * 2)
        metrics = self.metrics(self.gate)
        self.assertEqual(metrics.value("penstock_requests_total", status_class="2xx"), 3)
        self.assertEqual(metrics.value("penstock_requests_total", status_class="4xx"), 2)
        self.assertEqual(metrics.value("penstock_request_duration_seconds_count"), 5)
        self.assertEqual(metrics.value("penstock_decisions_total", limit="k", decision="allowed"), 3)
        self.assertEqual(metrics.value("penstock_decisions_total", limit="k", decision="refused"), 2)
        self.assertEqual(metrics.value("penstock_upstream_requests_total", upstream="app", server=self.app.server, status_class="2xx"), 3)
        self.assertEqual(metrics.value("penstock_upstream_duration_seconds_count", upstream="app"), 3)
        self.assertEqual(metrics.value("penstock_memory_store_keys"), 1)
        self.assertEqual(metrics.value("penstock_build_info"), 1)
        self.assertEqual(metrics.value("penstock_forwarded_for_rejected_total"), 0)

    def test_connections_open_go_up_and_down(self):
        with self.connect(self.gate) as client:
            client.ask()
            self.assertGreaterEqual(self.metrics(self.gate).value("penstock_connections_open"), 1)

    def test_op_14_callers_make_no_series(self):
        def series():
            return {(name, tuple(sorted(labels.items()))) for name, labels, _ in self.metrics(self.gate).samples}
        for target, method in (("/%", "GET"), *[("/other", "XYZ")] * 4):  # malformed, allowed, refused
            ask(self.gate.address, method, target)
        before = series()
        for number in range(200):
            ask(self.gate.address, f"M{number}", f"/{number}?q={number}", [("X-T", str(number))], host=f"h{number}.test")
        self.assertEqual(series(), before)

    def test_op_15_openmetrics_when_asked_for(self):
        response = ask(self.gate.admin, target="/metrics", fields=[("Accept", "application/openmetrics-text; version=1.0.0")])
        self.assertEqual(response.status, 200)
        if response["Content-Type"].startswith("application/openmetrics-text"):
            self.assertTrue(response.body.endswith(b"# EOF\n"))
        else:
            Metrics(response.body.decode())

    def test_op_17_scrapes_while_traffic_passes(self):
        def work(number):
            if number == 0:
                return [self.metrics(self.gate).value("penstock_requests_total") for _ in range(20)]
            return [ask(self.gate.address).status for _ in range(50)]
        totals = self.together(4, work)[0]
        self.assertEqual(totals, sorted(totals))
        self.assertEqual(self.metrics(self.gate).value("penstock_requests_total"), 150)
