"""SIGHUP: a good file is taken over without dropping a connection or a count, a bad one changes nothing (OP-44)."""

import signal
import threading

from support.fake_upstream import reply
from support.gateway_case import GatewayCase, compose
from support.http_client import ask, request
from support.waiting import wait_until

LIMIT = "limits: {{k: {{key: everyone, fixed_window: {{limit: {limit}, window: 1h}}}}}}\nglobal_limits: [k]\n"


class Reload(GatewayCase):
    def start(self, script=None):
        self.app = self.upstream(script)
        self.gate = self.gateway(self.app, LIMIT.format(limit=5))

    def reload(self, text, result):
        """Writes a file, sends SIGHUP and waits until that is counted as a success or a failure."""
        before = self.reloads()
        self.gate.write_configuration(text)
        self.gate.signal(signal.SIGHUP)
        wait_until(lambda: self.reloads() > before, what="the reload's end")
        after = self.metrics(self.gate)
        counted = {labels["result"]: value for name, labels, value in after.samples if name == "penstock_config_reloads_total"}
        self.assertGreaterEqual(sum(value for key, value in counted.items() if key.startswith(result)), 1, counted)

    def reloads(self):
        return self.metrics(self.gate).value("penstock_config_reloads_total")

    def new(self, limit):
        return compose(LIMIT.format(limit=limit), self.app.server)

    def test_op_44_a_new_limit_counts_on(self):
        self.start()
        client = self.connect(self.gate)
        self.assertEqual([client.ask().status for _ in range(6)], [200] * 5 + [429])
        self.reload(self.new(8), "s")
        self.assertEqual([client.ask().status for _ in range(4)], [200] * 3 + [429])

    def test_op_44_connections_and_requests_in_flight_live_on(self):
        go = threading.Event()

        def script(exchange):
            if exchange.request.target == "/slow":
                exchange.wait_for(go)
            exchange.send(reply(body=exchange.request.target.encode()))
        self.start(script)
        slow, idle = self.connect(self.gate), self.connect(self.gate)
        self.assertEqual(idle.ask(target="/a").body, b"/a")
        slow.send(request(target="/slow"))
        wait_until(lambda: self.app.count("/slow") == 1, what="the request")
        self.reload(self.new(100), "s")
        self.assertEqual(idle.ask(target="/b").body, b"/b")
        go.set()
        self.assertEqual(slow.read_response().body, b"/slow")
        self.assertEqual(slow.ask(target="/c").body, b"/c")
        self.assertEqual(ask(self.gate.address, target="/d").body, b"/d")

    def test_op_44_a_bad_file_changes_nothing(self):
        self.start()
        for text in ("not: [yaml", self.new(5) + "unknown: 1\n", ""):
            self.reload(text, "f")
        self.assertEqual([ask(self.gate.address).status for _ in range(6)], [200] * 5 + [429])
        self.assertIn("unknown", self.gate.stderr)

    def test_op_44_a_good_file_after_a_bad_one(self):
        self.start()
        self.reload("not: [yaml", "f")
        self.reload(self.new(2), "s")
        self.assertEqual([ask(self.gate.address).status for _ in range(3)], [200] * 2 + [429])

    def test_op_44_routes_and_upstreams_are_replaced(self):
        self.start()
        other = self.upstream(lambda exchange: exchange.send(reply(body=b"other")))
        self.reload(compose("", other.server), "s")
        self.assertEqual(ask(self.gate.address).body, b"other")

    def test_op_44_reload_under_load_loses_nothing(self):
        self.start()
        text = compose("", self.app.server)

        def work(number):
            if number == 0:
                for _ in range(5):
                    self.reload(text, "s")
                return []
            with self.connect(self.gate) as client:
                return [client.ask().status for _ in range(300)]
        found = {status for each in self.together(4, work) for status in each}
        self.assertLessEqual(found, {200, 429})
