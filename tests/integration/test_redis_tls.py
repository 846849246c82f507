"""TLS to a real redis-server: who is trusted, by what name, and what is shown to it."""

from support.certificates import Authority
from support.gateway_case import GatewayCase, compose
from support.gateway_process import run_command
from support.http_client import ask
from support.ports import free_port
from support.waiting import wait_until


def configuration(port, tls, host="127.0.0.1"):
    return f"""
redis: {{url: "rediss://{host}:{port}/0", check_timeout: 2s, tls: {{{tls}}}}}
limits: {{k: {{key: everyone, on_store_failure: deny, fixed_window: {{limit: 5, window: 1h}}}}}}
global_limits: [k]
"""


class Tls(GatewayCase):
    def setUp(self):
        self.authority = Authority(self.folder())

    def server(self, certificate, clients="no"):
        chain, key = certificate
        port = free_port()
        redis = self.redis(options=["--tls-port", str(port), "--tls-cert-file", chain, "--tls-key-file", key,
                                    "--tls-ca-cert-file", self.authority.certificate, "--tls-auth-clients", clients])
        return redis, port

    def start(self, port, tls, host="127.0.0.1"):
        self.app = self.upstream()
        return self.gateway(self.app, configuration(port, tls, host))

    def serves(self, gate):
        wait_until(lambda: b'"ready"' in ask(gate.admin, target="/readyz").body, what="a trusted connection")
        statuses = [ask(gate.address).status for _ in range(8)]
        self.assertEqual(statuses, [200] * 5 + [429] * 3)

    def refuses(self, gate, words):
        """Never a check, the reason in the log once, and nothing of it hidden from the metrics."""
        self.app.expect_nothing()
        wait_until(lambda: words in gate.stderr, what=f"'{words}' in the log")
        self.assertEqual(ask(gate.address).status, 503)
        metrics = self.metrics(gate)
        self.assertEqual(metrics.value("penstock_store_up"), 0)
        self.assertEqual(metrics.value("penstock_store_connects_total"), 0)
        # Some more tries later, still one line.
        wait_until(lambda: self.metrics(gate).value("penstock_store_connect_failures_total") >= 6, what="more tries")
        self.assertEqual(gate.stderr.count(words), 1 + gate.stderr.count("breaker open: tls"), gate.stderr)
        self.assertIn(b"redis", ask(gate.admin, target="/readyz").body)

    def test_a_server_that_the_named_authority_signed(self):
        redis, port = self.server(self.authority.sign("server", "IP:127.0.0.1"))
        gate = self.start(port, f"ca_file: {self.authority.certificate}")
        self.serves(gate)
        self.assertEqual(len(redis.keys()), 1)

    def test_a_reload_that_leaves_redis_alone_keeps_the_connection(self):
        _, port = self.server(self.authority.sign("server", "IP:127.0.0.1"))
        gate = self.start(port, f"ca_file: {self.authority.certificate}")
        self.serves(gate)
        gate.write_configuration(compose(configuration(port, f"ca_file: {self.authority.certificate}").replace("limit: 5", "limit: 7"),
                                         self.app.server))
        gate.signal(1)
        wait_until(lambda: ask(gate.address).status == 200, what="the new limit")
        self.assertEqual(self.metrics(gate).value("penstock_store_connects_total"), 2)  # one per worker

    def test_the_name_is_checked_and_may_be_given(self):
        _, port = self.server(self.authority.sign("server", "DNS:cache.test"))
        trust = f"ca_file: {self.authority.certificate}"
        self.refuses(self.start(port, trust), "IP address mismatch")
        self.refuses(self.start(port, trust + ", server_name: other.test"), "hostname mismatch")
        self.refuses(self.start(port, trust, host="localhost"), "hostname mismatch")
        self.serves(self.start(port, trust + ", server_name: cache.test"))

    def test_expired(self):
        _, port = self.server(self.authority.sign("server", "IP:127.0.0.1", days=-1))
        self.refuses(self.start(port, f"ca_file: {self.authority.certificate}"), "certificate has expired")

    def test_an_authority_that_nobody_named(self):
        _, port = self.server(self.authority.sign("server", "IP:127.0.0.1"))
        other = Authority(self.folder(), "other")
        self.refuses(self.start(port, f"ca_file: {other.certificate}"), "certificate is not accepted: ")
        self.refuses(self.start(port, ""), "certificate is not accepted: ")  # the system's authorities

    def test_a_server_that_wants_to_see_a_certificate(self):
        _, port = self.server(self.authority.sign("server", "IP:127.0.0.1"), clients="yes")
        trust = f"ca_file: {self.authority.certificate}"
        chain, key = self.authority.sign("gate", "DNS:gate")
        self.serves(self.start(port, f"{trust}, certificate_file: {chain}, private_key_file: {key}"))
        self.app = self.upstream()
        gate = self.gateway(self.app, configuration(port, trust))
        wait_until(lambda: "cannot use" in gate.stderr, what="the refusal in the log")
        self.assertEqual(ask(gate.address).status, 503)

    def test_a_server_in_clear_is_no_server(self):
        redis = self.redis()
        gate = self.start(redis.port, "")
        wait_until(lambda: "cannot use" in gate.stderr, what="the refusal in the log")
        self.assertEqual(ask(gate.address).status, 503)
        self.assertEqual(redis.keys(), [])

    def test_check_names_the_file_that_is_wrong(self):
        chain, _ = self.authority.sign("gate", "DNS:gate")
        _, other_key = self.authority.sign("other", "DNS:other")
        for tls, expected in (
                (f"certificate_file: {chain}, private_key_file: {other_key}", "is not the key of the certificate"),
                (f"certificate_file: {chain}, private_key_file: {chain}", "holds no unencrypted private key in PEM form"),
                (f"certificate_file: {other_key}, private_key_file: {other_key}", "certificate_file: "),
                (f"ca_file: {other_key}", "ca_file: ")):
            with self.subTest(tls):
                folder = self.folder()
                with open(f"{folder}/p.yaml", "w", encoding="utf-8") as file:
                    file.write(compose(configuration(6379, tls), "127.0.0.1:1"))
                done = run_command("check", "--config", f"{folder}/p.yaml")
                self.assertEqual(done.returncode, 1)
                self.assertIn(expected, done.stderr + done.stdout)
