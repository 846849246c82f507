"""Who is calling: which bucket a request falls into, by its peer and by what trusted proxies say of it."""

import random
import socket

from support.gateway_case import GatewayCase
from support.gateway_process import run_command
from support.http_client import Connection, ask

LIMIT = """
limits: {per-address: {key: client.ip, fixed_window: {limit: 1, window: 1h}}}
global_limits: [per-address]
"""
TRUSTING = LIMIT + "client: {source: x-forwarded-for, trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]}\n"


class Addresses(GatewayCase):
    """A limit of one per address: the second request of a bucket is refused, which tells buckets apart."""

    text = TRUSTING

    def setUp(self):
        self.app = self.upstream()
        self.gate = self.gateway(self.app, "workers: 1\n" + self.text)
        self.client = Connection(self.gate.address)
        self.addCleanup(self.client.close)

    def taken(self, *chain, more=()):
        """True if the bucket of this X-Forwarded-For (one line per argument) had been used before."""
        response = self.client.ask(fields=[("X-Forwarded-For", each) for each in chain] + list(more))
        self.assertIn(response.status, (200, 429))
        return response.status == 429

    def same(self, first, second):
        self.taken(*first)
        self.assertTrue(self.taken(*second), f"{first} and {second} have different buckets")

    def different(self, first, second):
        self.assertFalse(self.taken(*first), f"the bucket of {first} was in use")
        self.assertFalse(self.taken(*second), f"{first} and {second} share a bucket")


class Untrusted(Addresses):
    text = LIMIT

    def test_ip_1_without_trusted_proxies_the_peer_is_the_client(self):
        self.same(["1.2.3.4"], ["5.6.7.8"])

    def test_ip_1_a_source_without_trusted_proxies_trusts_nobody(self):
        gate = self.gateway(self.app, LIMIT + "client: {source: x-forwarded-for, trusted_proxies: [10.0.0.0/8]}")
        statuses = [ask(gate.address, fields=[("X-Forwarded-For", each)]).status for each in ("1.2.3.4", "5.6.7.8")]
        self.assertEqual(statuses, [200, 429])

    def test_ip_1_other_loopback_addresses_are_other_peers(self):
        statuses = []
        for source in ("127.0.0.2", "127.0.0.3", "127.0.0.2"):
            with socket.create_connection(self.gate.address, 10, (source, 0)) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                statuses.append(sock.makefile("rb").readline()[9:12])
        self.assertEqual(statuses, [b"200", b"200", b"429"])


class Walk(Addresses):
    def test_ip_2_the_rightmost_untrusted_address_is_the_client(self):
        self.same(["6.6.6.6, 198.51.100.7, 10.0.0.2"], ["198.51.100.7"])
        self.assertFalse(self.taken("6.6.6.6"))

    def test_ip_2_a_chain_of_trusted_proxies_means_its_leftmost(self):
        self.same(["10.1.1.1, 10.0.0.2"], ["10.1.1.1"])
        self.assertFalse(self.taken("10.0.0.2"))

    def test_ip_4_what_a_client_writes_in_front_changes_nothing(self):
        numbers = random.Random(4)
        self.assertFalse(self.taken("198.51.100.7"))
        for _ in range(100):
            forged = ".".join(str(numbers.randrange(1, 255)) for _ in range(4))
            self.assertTrue(self.taken(f"{forged}, 198.51.100.7"), forged)

    def test_ip_5_several_lines_are_one_list(self):
        self.same(["6.6.6.6", "198.51.100.7"], ["198.51.100.7"])
        self.same(["203.0.113.1", "10.0.0.1"], ["203.0.113.1"])
        self.assertFalse(self.taken("6.6.6.6"))

    def test_ip_7_whitespace_and_empty_elements_are_ignored(self):
        self.same(["198.51.100.7"], [" ,, \t198.51.100.7\t , ,"])

    def test_ip_7_garbage_at_the_decisive_position_means_the_last_trusted_hop(self):
        self.same(["evil<script>, 10.0.0.2"], ["10.0.0.2"])
        self.assertTrue(self.taken("other garbage, 10.0.0.2"))
        self.assertTrue(self.taken("9.9.9.9, garbage, 10.0.0.2"))
        self.assertGreaterEqual(self.metrics(self.gate).value("penstock_forwarded_for_rejected_total"), 3)

    def test_ip_7_a_list_of_10000_elements_does_not_gift_a_bucket(self):
        response = ask(self.gate.address, fields=[("X-Forwarded-For", ",".join(["1.1.1.1"] * 10_000))])
        self.assertIn(response.status, (400, 431))

    def test_ip_8_ports_are_dropped(self):
        self.same(["192.0.2.1:1234"], ["192.0.2.1"])
        self.same(["192.0.2.2"], ["192.0.2.2:9"])
        self.same(["[2001:db8:8::1]:443"], ["2001:db8:8::1"])
        self.same(["[2001:db8:9::1]"], ["2001:db8:9::1"])

    def test_ip_8_a_bare_ipv6_address_has_no_port(self):
        self.same(["2001:db8::1:443"], ["2001:db8::1"])

    def test_ip_9_other_spellings_of_addresses_are_garbage(self):
        self.assertFalse(self.taken("10.9.9.9"))
        for text in ("fe80::1%eth0", "010.0.0.1", "127.1", "0x7f.0.0.1", "3232235777", "192.0.2.1/24", "1.2.3.4.5", "\"2001:db8::1\"",
                     "1.2.3", "1.2.3.256", "[2001:db8::1", "2001:db8::1]", "[1.2.3.4]:80", "1.2.3.4:", "1.2.3.4:99999", "::1::2", "unknown"):
            self.assertTrue(self.taken(f"{text}, 10.9.9.9"), text)

    def test_ip_16_connection_cannot_hide_the_client(self):
        self.assertFalse(self.taken("198.51.100.7"))
        self.assertTrue(self.taken("198.51.100.7", more=[("Connection", "X-Forwarded-For")]))


class Keys(Addresses):
    def test_ip_10_a_mapped_address_is_ipv4(self):
        self.same(["::ffff:1.2.3.4"], ["1.2.3.4"])
        self.same(["1.2.3.5"], ["::ffff:102:305"])
        self.same(["1.2.3.6"], ["0:0:0:0:0:FFFF:0102:0306"])
        self.different(["::ffff:1.2.3.7"], ["::ffff:1.2.3.8"])

    def test_ip_10_another_ipv6_address_with_dots_is_ipv6(self):
        self.same(["2001:db8:1234:5678::1.2.3.4"], ["2001:db8:1234:5678::9"])

    def test_ip_11_nat64_addresses_do_not_fall_into_one_bucket_with_others(self):
        self.different(["64:ff9b::1.2.3.4"], ["::5.6.7.8"])

    def test_ip_12_ipv6_is_counted_by_its_64(self):
        self.same(["2001:db8:1:2::1"], ["2001:db8:1:2:ffff::ffff"])
        self.assertFalse(self.taken("2001:db8:1:3::1"))

    def test_ip_12_the_prefix_is_configurable(self):
        for prefix, expected in ((128, [200, 200, 200]), (56, [200, 429, 429])):
            gate = self.gateway(self.app, TRUSTING.replace("trusted", f"ipv6_prefix: {prefix}, trusted"))
            found = [ask(gate.address, fields=[("X-Forwarded-For", each)]).status
                     for each in ("2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:3::1")]
            self.assertEqual(found, expected, prefix)

    def test_ip_13_spellings_of_one_ipv6_address_are_one_key(self):
        self.same(["2001:DB8:0:0:0:0:0:1"], ["2001:db8::1"])

    def test_ip_18_a_unix_socket_believes_its_trusted_proxy(self):
        path = f"{self.folder()}/gate.sock"
        self.gateway(self.app, TRUSTING + f"listeners: [{{address: 127.0.0.1:0}}, {{address: \"unix:{path}\"}}]")
        statuses = [ask(path, fields=[("X-Forwarded-For", each)]).status for each in ("1.2.3.4", "5.6.7.8", "1.2.3.4")]
        self.assertEqual(statuses, [200, 200, 429])

    def test_ip_18_callers_without_an_address_are_one(self):
        path = f"{self.folder()}/gate.sock"
        self.gateway(self.app, TRUSTING + f"listeners: [{{address: 127.0.0.1:0}}, {{address: \"unix:{path}\"}}]")
        statuses = [ask(path, fields=fields).status
                    for fields in ([], [("X-Forwarded-For", "garbage")], [("X-Forwarded-For", "1.2.3.4")], [("X-Real-IP", "5.6.7.8")])]
        self.assertEqual(statuses, [200, 429, 200, 429])

    def test_ip_18_a_unix_socket_without_a_proxy_is_limited_and_warned_of(self):
        path = f"{self.folder()}/gate.sock"
        gate = self.gateway(self.app, LIMIT + f"listeners: [{{address: 127.0.0.1:0}}, {{address: \"unix:{path}\"}}]")
        statuses = [ask(path, fields=[("X-Forwarded-For", each)]).status for each in ("1.2.3.4", "5.6.7.8")]
        self.assertEqual(statuses, [200, 429])
        checked = run_command("check", "--config", gate.path)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertIn("IP-18", checked.stdout + checked.stderr)

    def test_ip_11_nat64_is_ipv6_or_by_option_the_address_in_it(self):
        self.different(["64:ff9b::1.2.3.4"], ["64:ff9b::1.2.3.5"])
        self.assertFalse(self.taken("1.2.3.4"))
        gate = self.gateway(self.app, TRUSTING.replace("trusted", "nat64: ipv4, trusted"))
        found = [ask(gate.address, fields=[("X-Forwarded-For", each)]).status
                 for each in ("64:ff9b::1.2.3.4", "1.2.3.4", "64:ff9b::1.2.3.5", "::5.6.7.8")]
        self.assertEqual(found, [200, 429, 200, 200])

    def test_ip_12_a_network_key_has_a_prefix_for_each_family(self):
        gate = self.gateway(self.app, TRUSTING.replace("key: client.ip", "key: client.network/24/48"))
        found = [ask(gate.address, fields=[("X-Forwarded-For", each)]).status
                 for each in ("2001:db8:1:2::1", "2001:db8:1:3::1", "2001:db8:2::1", "198.51.100.7", "198.51.100.200", "198.51.101.7")]
        self.assertEqual(found, [200, 429, 200, 200, 429, 200])


class Hops(Addresses):
    text = TRUSTING.replace("trusted", "trusted_hops: 2, trusted")

    def test_ip_3_the_client_is_so_many_hops_away(self):
        self.same(["6.6.6.6, 198.51.100.7, 203.0.113.1"], ["198.51.100.7, 203.0.113.2"])
        self.assertFalse(self.taken("6.6.6.6, 203.0.113.1"))

    def test_ip_3_a_chain_that_is_too_short_means_the_peer(self):
        self.same(["1.2.3.4"], ["5.6.7.8"])
        self.assertTrue(self.taken())
        self.assertEqual(self.metrics(self.gate).value("penstock_forwarded_for_rejected_total"), 3)

    def test_ip_3_whoever_is_not_listed_is_not_believed(self):
        gate = self.gateway(self.app, LIMIT + "client: {source: x-forwarded-for, trusted_hops: 1, trusted_proxies: [10.0.0.0/8]}")
        statuses = [ask(gate.address, fields=[("X-Forwarded-For", each)]).status for each in ("1.2.3.4", "5.6.7.8")]
        self.assertEqual(statuses, [200, 429])


class Forwarded(Addresses):
    text = TRUSTING.replace("x-forwarded-for", "forwarded")

    def taken(self, *chain, more=()):
        response = self.client.ask(fields=[("Forwarded", each) for each in chain] + list(more))
        self.assertIn(response.status, (200, 429))
        return response.status == 429

    def test_ip_24_the_rightmost_untrusted_node_is_the_client(self):
        self.same(["for=6.6.6.6, for=198.51.100.7;proto=https, for=10.0.0.2"], ["FOR=\"198.51.100.7:4711\""])
        self.assertFalse(self.taken("for=6.6.6.6"))

    def test_ip_21_ipv6_is_quoted_and_in_brackets(self):
        self.same(["for=\"[2001:db8::1]:4711\""], ["for=\"[2001:DB8:0::2]\""])
        self.assertFalse(self.taken("for=10.9.9.9"))
        self.assertTrue(self.taken("for=[2001:db8:9::1], for=10.9.9.9"))

    def test_ip_20_22_what_names_nobody_means_the_last_trusted_hop(self):
        self.assertFalse(self.taken("for=10.9.9.9"))
        before = self.metrics(self.gate).value("penstock_forwarded_for_rejected_total")
        texts = ("for=_hidden", "for=unknown", "for=1.2.3.4;for=5.6.7.8", "1.2.3.4", "by=1.2.3.4", "for=\"1.2.3.4", "for=127.1")
        for text in texts:
            self.assertTrue(self.taken(f"{text}, for=10.9.9.9"), text)
        self.assertEqual(self.metrics(self.gate).value("penstock_forwarded_for_rejected_total"), before + len(texts))

    def test_ip_23_quotes_hide_commas_and_an_open_one_hides_nothing(self):
        self.same(["for=\"_a,b\";by=203.0.113.1, for=198.51.100.7"], ["for=\"198.51.\\100.7\""])
        self.assertTrue(self.taken("for=\", for=198.51.100.7, for=\"10.0.0.2:80\""))

    def test_ip_25_the_other_chain_is_not_looked_at(self):
        self.assertFalse(self.taken("for=198.51.100.7", more=[("X-Forwarded-For", "1.2.3.4")]))
        self.assertTrue(self.taken("for=198.51.100.7", more=[("X-Forwarded-For", "5.6.7.8"), ("X-Real-IP", "5.6.7.8")]))


class SingleField(Addresses):
    text = TRUSTING.replace("x-forwarded-for", "header CF-Connecting-IP")

    def taken(self, *values, more=()):
        response = self.client.ask(fields=[("CF-Connecting-IP", each) for each in values] + list(more))
        self.assertIn(response.status, (200, 429))
        return response.status == 429

    def test_ip_14_the_configured_field_names_the_client(self):
        self.same(["198.51.100.7"], ["::ffff:198.51.100.7"])
        self.different(["2001:db8:1::1"], ["2001:db8:2::1"])

    def test_ip_14_several_lines_garbage_and_other_fields_mean_the_peer(self):
        self.assertFalse(self.taken())
        for values in (["1.2.3.4", "5.6.7.8"], ["1.2.3.4, 5.6.7.8"], ["garbage"], [""]):
            self.assertTrue(self.taken(*values), values)
        self.assertTrue(self.taken(more=[("True-Client-IP", "1.2.3.4"), ("X-Forwarded-For", "1.2.3.4"), ("Forwarded", "for=1.2.3.4")]))
        self.assertEqual(self.metrics(self.gate).value("penstock_forwarded_for_rejected_total"), 4)

    def test_ip_14_x_real_ip_is_such_a_field_and_a_stranger_is_not_believed(self):
        text = TRUSTING.replace("x-forwarded-for", "x-real-ip")
        for text, expected in ((text, [200, 200, 429]), (text.replace("127.0.0.0/8, ", ""), [200, 429, 429])):
            gate = self.gateway(self.app, text)
            statuses = [ask(gate.address, fields=[("X-Real-IP", each)]).status for each in ("1.2.3.4", "5.6.7.8", "1.2.3.4")]
            self.assertEqual(statuses, expected)
