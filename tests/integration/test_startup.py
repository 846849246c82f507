"""Starting where something else serves already."""

import os

from support.gateway_case import GatewayCase, compose
from support.gateway_process import run_command
from support.http_client import ask


class Taken(GatewayCase):
    def run_at(self, listener):
        path = os.path.join(self.folder(), "penstock.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(compose(f"listeners: [{{address: \"{listener}\"}}]", "127.0.0.1:1"))
        return run_command("run", "--config", path)

    def test_a_port_that_another_gateway_serves_is_refused(self):
        """Both would share it otherwise, because workers do (SO_REUSEPORT), and requests would go to either."""
        gate = self.gateway(self.upstream())
        listener = "%s:%d" % gate.address
        done = self.run_at(listener)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"cannot listen on {listener}: Address already in use", done.stderr)
        self.assertEqual(ask(gate.address).status, 200)

    def test_a_port_is_free_again_when_its_gateway_has_ended(self):
        app = self.upstream()
        gate = self.gateway(app)
        with self.connect(gate) as client:
            client.ask()
            port = gate.address[1]
            gate.stop()  # closes first: the port lingers in TIME_WAIT
        again = self.gateway(app, f"listeners: [{{address: 127.0.0.1:{port}}}]")
        self.assertEqual((ask(again.address).status, again.address[1]), (200, port))
