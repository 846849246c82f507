"""Connections that begin with a PROXY header: whom they are for, and what becomes of those without one."""

import re
import signal

from support import proxy_protocol as proxy
from support.gateway_case import GatewayCase, compose
from support.http_client import Connection, request
from support.waiting import wait_until

GET = request()
LIMIT = "limits: {per-address: {key: client.ip, fixed_window: {limit: 1, window: 1h}}}\nglobal_limits: [per-address]\n"


def listener(protocol, senders="[127.0.0.0/8]", address="127.0.0.1:0"):
    return f"listeners: [{{address: \"{address}\", proxy_protocol: {protocol}, proxy_protocol_from: {senders}}}]\n"


class ProxyCase(GatewayCase):
    protocol, text = "any", ""

    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, "workers: 1\n" + listener(self.protocol) + self.text)

    def rejections(self, reason):
        return self.metrics(self.gate).value("penstock_parse_rejections_total", reason=reason)

    def ask_after(self, header):
        with self.connect(self.gate) as client:
            client.send(header + GET)
            return client.read_response()

    def check_source(self, header, expected):
        self.assertEqual(self.ask_after(header).status, 200)
        self.assertEqual(self.app.last.fields.get("X-Forwarded-For"), expected)

    def check_dropped(self, data, reason):
        """Closed without an answer, counted, and nothing of it was taken for a request."""
        before, asked = self.rejections(reason), self.app.count()
        with self.connect(self.gate) as client:
            try:
                client.send(data)
            except ConnectionError:
                pass  # closed before the last byte
            client.expect_end()
        self.assertEqual(self.rejections(reason), before + 1, data[:40])
        self.assertEqual(self.app.count(), asked)


class Headers(ProxyCase):
    def test_ip_33_version_1_names_the_client(self):
        self.check_source(proxy.version_1("198.51.100.7"), "198.51.100.7")
        self.check_source(proxy.version_1("2001:db8::7"), "2001:db8::7")
        self.check_source(proxy.version_1("::ffff:198.51.100.9"), "198.51.100.9")

    def test_ip_33_what_is_no_header_of_version_1_ends_the_connection(self):
        for line in (b"PROXY  TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", b"PROXY TCP4 192.168.0.1 192.168.0.11 080 443\r\n",
                     b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\n", b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\rX",
                     b"PROXY TCP6 192.168.0.1 192.168.0.11 56324 443\r\n", b"PROXY UNKNOWN " + b"x" * 200):
            self.check_dropped(line + GET, "proxy_header_malformed")

    def test_ip_34_unknown_leaves_the_peer(self):
        self.check_source(b"PROXY UNKNOWN\r\n", "127.0.0.1")
        self.check_source(b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "127.0.0.1")

    def test_ip_35_version_2_names_the_client(self):
        self.check_source(proxy.version_2("198.51.100.7"), "198.51.100.7")
        self.check_source(proxy.version_2("2001:db8::7"), "2001:db8::7")
        self.check_source(proxy.version_2("198.51.100.8", proxy.extension(1, b"h2") + proxy.extension(0xEA, b"\x01vpce")), "198.51.100.8")

    def test_ip_36_local_leaves_the_peer_and_its_block_is_skipped(self):
        self.check_source(proxy.block(0x20, 0), "127.0.0.1")
        self.check_source(proxy.block(0x20, 0, b"twelve bytes"), "127.0.0.1")

    def test_ip_37_unspecified_leaves_the_peer(self):
        self.check_source(proxy.block(0x21, 0, b"ignored"), "127.0.0.1")

    def test_ip_37_unknown_versions_commands_families_and_transports_end_the_connection(self):
        rest = proxy.addresses("198.51.100.7")
        for command, family in ((0x31, 0x11), (0x22, 0x11), (0x21, 0x41), (0x21, 0x13), (0x21, 0x10)):
            self.check_dropped(proxy.block(command, family, rest) + GET, "proxy_header_malformed")

    def test_ip_38_lengths_that_cannot_be_end_the_connection(self):
        rest = proxy.addresses("198.51.100.7")
        self.check_dropped(proxy.block(0x21, 0x11, rest[:11]) + GET, "proxy_header_malformed")
        self.check_dropped(proxy.block(0x21, 0x11, rest + b"\x04\xff\xff") + GET, "proxy_header_malformed")
        self.check_dropped(proxy.block(0x21, 0x11, b"", 65535), "proxy_header_too_large")

    def test_ip_38_a_header_of_4_kib_is_read(self):
        header = proxy.version_2("198.51.100.7", proxy.extension(4, bytes(4096 - 16 - 12 - 3)))
        self.assertEqual(len(header), 4096)
        self.check_source(header, "198.51.100.7")

    def test_ip_39_a_checksum_is_verified(self):
        header = proxy.version_2("198.51.100.7", proxy.extension(2, b"a.example"), checksum=True)
        self.check_source(header, "198.51.100.7")
        self.check_dropped(header[:17] + bytes([header[17] ^ 1]) + header[18:] + GET, "proxy_header_bad_checksum")

    def test_ip_36_ip_37_ip_39_a_checksum_is_verified_also_where_the_addresses_are_ignored(self):
        for command, family, rest in ((0x20, 0, b""), (0x20, 0x11, proxy.addresses("198.51.100.7")), (0x21, 0, b"")):
            header = proxy.with_checksum(command, family, rest + proxy.extension(2, b"a.example"))
            self.check_source(header, "127.0.0.1")
            self.check_dropped(header[:-8] + b"E" + header[-7:] + GET, "proxy_header_bad_checksum")

    def test_ip_32_a_header_may_arrive_byte_by_byte(self):
        for header in (proxy.version_1("198.51.100.7"), proxy.version_2("198.51.100.7", checksum=True)):
            with self.connect(self.gate) as client:
                for byte in header + GET:
                    client.send(bytes([byte]))
                self.assertEqual(client.read_response().status, 200)
            self.assertEqual(self.app.last.fields.get("X-Forwarded-For"), "198.51.100.7")

    def test_a_connection_is_for_one_client_however_many_requests_it_carries(self):
        with self.connect(self.gate) as client:
            client.send(proxy.version_1("198.51.100.7"))
            self.assertTrue(client.is_quiet())
            for _ in range(3):
                self.assertEqual(client.ask().status, 200)
                self.assertEqual(self.app.last.fields.get("X-Forwarded-For"), "198.51.100.7")
            client.send(GET * 2)
            self.assertEqual([client.read_response().status for _ in range(2)], [200, 200])
            client.send(proxy.version_1("203.0.113.1") + GET)  # no header, but a request that is none
            self.assertEqual(client.read_response().status, 400)

    def test_ip_30_a_client_without_a_header_is_told_nothing(self):
        self.app.expect_nothing()
        for data in (GET, b"G", b"\x16\x03\x01\x02\x00", b"\r\n" + GET, b" " + proxy.version_1("1.2.3.4") + GET):
            self.check_dropped(data, "proxy_header_missing")

    def test_a_client_that_leaves_early_is_no_rejection(self):
        for data in (b"", b"PROXY TCP4 192.168", proxy.version_2("198.51.100.7")[:20]):
            with self.connect(self.gate) as client:
                client.send(data)
                client.half_close()
                client.expect_end()
        self.assertEqual(self.metrics(self.gate).value("penstock_parse_rejections_total"), 0)
        wait_until(lambda: self.metrics(self.gate).value("penstock_connections_open") == 0, what="no connection open")


class Version1(ProxyCase):
    protocol = "v1"

    def test_ip_30_the_other_version_is_no_header(self):
        self.check_source(proxy.version_1("198.51.100.7"), "198.51.100.7")
        self.check_dropped(proxy.version_2("198.51.100.7") + GET, "proxy_header_missing")


class Version2(ProxyCase):
    protocol = "v2"

    def test_ip_30_the_other_version_is_no_header(self):
        self.check_source(proxy.version_2("198.51.100.7"), "198.51.100.7")
        self.check_dropped(proxy.version_1("198.51.100.7") + GET, "proxy_header_missing")


class Slow(ProxyCase):
    text = "timeouts: {proxy_header: 3s}\n"

    def test_ip_32_who_stalls_is_closed_without_a_word(self):
        self.app.expect_nothing()
        silent, stalled = self.connect(self.gate), self.connect(self.gate)
        stalled.send(b"PROXY")
        for client in (silent, stalled):
            client.expect_end()
        self.assertEqual(self.rejections("proxy_header_timed_out"), 2)

    def test_a_connection_that_has_sent_nothing_does_not_hold_up_the_end(self):
        client = self.connect(self.gate)
        wait_until(lambda: self.metrics(self.gate).value("penstock_connections_open") == 1, what="the connection")
        self.gate.signal(signal.SIGTERM)
        client.expect_end()
        self.assertEqual(self.gate.wait_for_end(), 0)


class Trust(GatewayCase):
    def test_ip_31_only_listed_networks_may_send_it(self):
        app = self.upstream()
        app.expect_nothing()
        gate = self.gateway(app, listener("any", "[10.0.0.0/8]") + "client: {trusted_proxies: [127.0.0.0/8]}")
        with self.connect(gate) as client:
            try:
                client.send(proxy.version_1("198.51.100.7") + GET)
            except ConnectionError:
                pass  # closed at once
            client.expect_end()
        self.assertEqual(self.metrics(gate).value("penstock_parse_rejections_total", reason="proxy_header_untrusted"), 1)

    def test_ip_31_without_a_list_the_trusted_proxies_may(self):
        app = self.upstream()
        gate = self.gateway(app, "listeners: [{address: 127.0.0.1:0, proxy_protocol: v1}]\nclient: {trusted_proxies: [127.0.0.0/8]}")
        with self.connect(gate) as client:
            client.send(proxy.version_1("198.51.100.7") + GET)
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(app.last.fields.get("X-Forwarded-For"), "198.51.100.7")

    def test_ip_30_a_header_on_a_plain_listener_is_a_bad_request(self):
        app = self.upstream()
        app.expect_nothing()
        gate = self.gateway(app, "client: {trusted_proxies: [127.0.0.0/8]}")
        with self.connect(gate) as client:
            client.send(proxy.version_1("198.51.100.7") + GET)
            self.assertEqual(client.read_response().status, 400)
            client.expect_end()

    def test_ip_30_every_listener_has_its_own_setting(self):
        app = self.upstream()
        gate = self.gateway(app, listener("v1").replace("]\n", ", {address: 127.0.0.1:0}]\n") + "client: {source: peer}")
        wait_until(lambda: len(re.findall(r"listening on 127\.0\.0\.1:[0-9]+", gate.stderr)) == 2, what="both listeners")
        behind, plain = (("127.0.0.1", int(port)) for port in re.findall(r"listening on 127\.0\.0\.1:([0-9]+)", gate.stderr))
        with Connection(plain) as client:
            self.assertEqual(client.ask().status, 200)
        with Connection(behind) as client:
            client.send(proxy.version_1("198.51.100.7") + GET)
            self.assertEqual(client.read_response().status, 200)

    def test_ip_18_a_unix_socket_can_carry_headers(self):
        path = f"{self.folder()}/gate.sock"
        app = self.upstream()
        self.gateway(app, LIMIT + f"listeners: [{{address: 127.0.0.1:0}}, {{address: \"unix:{path}\", proxy_protocol: v2}}]")
        statuses = []
        for header in (proxy.version_2("198.51.100.7"), proxy.version_2("198.51.100.8"), proxy.version_2("198.51.100.7"),
                       proxy.block(0x20, 0), proxy.block(0x20, 0)):
            with Connection(path) as client:
                client.send(header + GET)
                statuses.append(client.read_response().status)
        self.assertEqual(statuses, [200, 200, 429, 200, 429])


    def test_ip_31_a_reload_changes_whom_to_trust_but_no_listener(self):
        app = self.upstream()
        text = "listeners: [{{address: 127.0.0.1:0, proxy_protocol: {}}}]\nclient: {{trusted_proxies: [{}]}}\n"
        gate = self.gateway(app, text.format("v1", "127.0.0.0/8"))

        def status():
            with self.connect(gate) as client:
                try:
                    client.send(proxy.version_1("198.51.100.7") + request(fields=[("Connection", "close")]))
                except ConnectionError:
                    pass  # closed at once
                return client.read_to_end()[9:12]
        self.assertEqual(status(), b"200")
        gate.write_configuration(compose(text.format("off", "10.0.0.0/8"), app.server))
        gate.signal(signal.SIGHUP)
        wait_until(lambda: "listeners changed: this takes a restart" in gate.stderr, what="the warning")
        wait_until(lambda: status() == b"", what="the reload in every worker")


class Walk(ProxyCase):
    text = LIMIT + "client: {source: x-forwarded-for, trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]}\n"

    def taken(self, source, *chain):
        fields = [("X-Forwarded-For", each) for each in chain]
        with self.connect(self.gate) as client:
            client.send(proxy.version_2(source) + request(fields=fields))
            return client.read_response().status == 429

    def test_ip_40_the_source_replaces_the_peer(self):
        self.assertFalse(self.taken("198.51.100.7", "1.2.3.4"))
        self.assertTrue(self.taken("198.51.100.7", "5.6.7.8"))
        self.assertEqual(self.app.last.fields.get("X-Forwarded-For"), "198.51.100.7")
        self.assertFalse(self.taken("10.0.0.5", "1.2.3.4"))

    def test_ip_34_ip_36_ip_37_behind_a_header_that_names_nobody_no_field_is_believed(self):
        # HAProxy and nginx write these of clients that reach them over a unix socket, and pass on what such a client sends.
        taken = []
        for number, header in enumerate((b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN 192.0.2.1 192.0.2.2 1 2\r\n", proxy.block(0x20, 0),
                                         proxy.block(0x20, 0x11, proxy.addresses("198.51.100.7")), proxy.block(0x21, 0),
                                         proxy.block(0x21, 0x31, bytes(216)))):
            with self.connect(self.gate) as client:
                client.send(header + request(fields=[("X-Forwarded-For", f"192.0.2.{number}")]))
                taken.append(client.read_response().status == 429)
        self.assertEqual(taken, [False] + [True] * 5)  # the balancer's bucket, whatever the client says
        self.assertEqual(self.app.last.fields.get("X-Forwarded-For"), "127.0.0.1")  # and the upstream is told no other

    def test_ip_40_the_walk_goes_on_from_a_trusted_source(self):
        self.assertFalse(self.taken("10.0.0.5", "6.6.6.6, 203.0.113.9, 10.0.0.6"))
        self.assertTrue(self.taken("203.0.113.9"))
        self.assertEqual(self.app.last.fields.tokens("X-Forwarded-For"), ["6.6.6.6", "203.0.113.9", "10.0.0.6", "10.0.0.5"])
