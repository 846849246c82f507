"""One real client that sends a thousand requests, each of which says in another way who it is: it has one bucket."""

import ipaddress
import random

from support import proxy_protocol as proxy
from support.gateway_case import GatewayCase
from support.http_client import Connection

REQUESTS, QUOTA = 1000, 7
LIMITS = f"""
limits: {{per-address: {{key: client.ip, fixed_window: {{limit: {QUOTA}, window: 1d}}}}}}
global_limits: [per-address]
workers: 1
"""
CLAIMS = ["X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "Fastly-Client-IP", "X-Client-IP", "X-Cluster-Client-IP",
          "X-Original-Forwarded-For", "X_Forwarded_For", "X-Forwarded", "Forwarded-For", "X-Envoy-External-Address"]
GARBAGE = ["unknown", "_hidden", "evil<script>", "127.1", "010.0.0.1", "fe80::1%eth0", "0x7f.1", "%31.2.3.4", "1%2E2%2E3%2E4", "\"", "for=\"",
           "for=1.2.3.4;x=\"\\", "{ip=1.2.3.4}", "1.2.3.4/0", "::ffff:0:0:0", "", " ", ",,", "=?utf-8?q?1.2.3.4?=", "１.2.3.4".encode().decode("latin-1")]


class Forger:
    """Random ways to name somebody else, and to name one client; the seed is in every failure."""

    def __init__(self):
        self.seed = random.SystemRandom().getrandbits(32)
        self.random = random.Random(self.seed)

    def address(self):
        if self.random.random() < 0.5:
            return str(ipaddress.IPv4Address(self.random.getrandbits(32)))
        return str(ipaddress.IPv6Address(self.random.getrandbits(128)))

    def cased(self, name):
        return "".join(self.random.choice((each.lower(), each.upper())) for each in name)

    def element(self):
        return self.random.choice((self.address(), self.random.choice(GARBAGE), f"[{self.address()}]:80", self.address() + ":80"))

    def forwarded_element(self):
        text = self.element().replace("\"", "\\\"")
        return self.random.choice((f"for={text}", f"for=\"{text}\"", f"{self.cased('for')}=\"[{text}]:1\";proto=https", self.element()))

    def list(self, element):
        return self.random.choice((", ", ",", " ,\t, ")).join(element() for _ in range(self.random.randrange(4)))

    def claims(self):
        """Fields that nobody believes here."""
        fields = [(self.cased(name), self.element().strip()) for name in CLAIMS if self.random.random() < 0.3]
        return fields + [(self.cased("X-Forwarded-Proto"), "https"), ("Via", "1.1 " + str(self.random.getrandbits(20)))]

    def lines(self, name, elements):
        """The list on one line or on several."""
        if self.random.random() < 0.5:
            return [(self.cased(name), ", ".join(elements))]
        return [(self.cased(name), each) for each in elements]

    def spelling(self, client):
        """`client`, or what counts as the same one: IPv4 as mapped IPv6, another host of an IPv6 /64."""
        address = ipaddress.ip_address(client)
        if address.version == 4:
            number = int(address)
            mapped = f"::ffff:{number >> 16:x}:{number & 65535:x}"
            return self.random.choice((client, f"::ffff:{client}", mapped, self.cased(f"0:0:0:0:0:ffff:{client}"), f"[{mapped}]"))
        other = ipaddress.IPv6Address(int(address) & ~((1 << 64) - 1) | self.random.getrandbits(64))
        return self.cased(self.random.choice((str(other), other.exploded, client, f"[{other}]")))

    def with_port(self, text):
        if self.random.random() < 0.5:
            return text
        if ":" not in text or text.startswith("["):
            return f"{text}:{self.random.randrange(1, 65536)}"
        return f"[{text}]:{self.random.randrange(1, 65536)}"


class OneBucket(GatewayCase):
    def setUp(self):
        self.forger = Forger()

    def check_one_bucket(self, settings, fields_of, preamble=b""):
        app = self.upstream()
        gate = self.gateway(app, LIMITS + settings)
        allowed = 0
        with Connection(gate.address) as client:
            if preamble:
                client.send(preamble)
            for number in range(REQUESTS):
                fields = fields_of()
                status = client.ask(fields=fields).status
                self.assertIn(status, (200, 429), f"seed {self.forger.seed}, request {number}: {fields}")
                allowed += status == 200
                if status == 200 and number >= QUOTA:
                    self.fail(f"another bucket: seed {self.forger.seed}, request {number}: {fields}")
        self.assertEqual((allowed, app.count()), (QUOTA, QUOTA), f"seed {self.forger.seed}")

    def stranger(self):
        forger = self.forger
        return [*forger.lines("X-Forwarded-For", [forger.list(forger.element), forger.spelling(forger.address())]),
                *forger.lines("Forwarded", [forger.list(forger.forwarded_element), forger.forwarded_element()]), *forger.claims()]

    def test_a_stranger_is_who_is_connected_whatever_the_source(self):
        for source in ("peer", "x-forwarded-for", "forwarded", "x-real-ip"):
            with self.subTest(source):
                self.check_one_bucket(f"client: {{source: {source}, trusted_proxies: [10.0.0.0/8]}}", self.stranger)

    def test_behind_a_proxy_that_appends_to_x_forwarded_for(self):
        forger = self.forger
        for client in ("198.51.100.7", "2001:db8:1:2::7"):
            with self.subTest(client):
                self.check_one_bucket(
                    "client: {source: x-forwarded-for, trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]}",
                    lambda: [*forger.claims(), ("Forwarded", forger.list(forger.forwarded_element)),
                             *forger.lines("X-Forwarded-For", [forger.list(forger.element), forger.with_port(forger.spelling(client)),
                                                               forger.random.choice(("10.0.0.2", "10.9.8.7:80", "::ffff:10.0.0.3"))])])

    def test_behind_two_proxies_that_are_counted(self):
        forger = self.forger
        self.check_one_bucket(
            "client: {source: x-forwarded-for, trusted_hops: 2, trusted_proxies: [127.0.0.0/8]}",
            lambda: [*forger.claims(), *forger.lines("X-Forwarded-For", [forger.list(forger.element), forger.spelling("198.51.100.7"),
                                                                         forger.address()])])

    def test_behind_a_proxy_that_appends_to_forwarded(self):
        forger = self.forger

        def node():
            text = forger.with_port(forger.spelling("198.51.100.7"))
            text = f"[{text}]" if ":" in text and "." not in text.split(":")[0] and not text.startswith("[") else text
            return f"{forger.cased('for')}=\"{text}\";{forger.cased('proto')}=https;by=\"_a,b\""
        self.check_one_bucket(
            "client: {source: forwarded, trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]}",
            lambda: [*forger.claims(), ("X-Forwarded-For", forger.list(forger.element)),
                     *forger.lines("Forwarded", [forger.list(forger.forwarded_element), node(), "for=\"10.0.0.2:_http\""])])

    def test_behind_a_proxy_that_writes_one_field(self):
        forger = self.forger
        self.check_one_bucket(
            "client: {source: header X-Azure-ClientIP, trusted_proxies: [127.0.0.0/8]}",
            lambda: [*self.stranger(), (forger.cased("X-Azure-ClientIP"), forger.with_port(forger.spelling("2001:db8:1:2::7")))])

    def test_behind_a_load_balancer_that_sends_a_proxy_header(self):
        self.check_one_bucket(
            "listeners: [{address: 127.0.0.1:0, proxy_protocol: v2}]\n"
            "client: {source: x-forwarded-for, trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]}",
            self.stranger, proxy.version_2("198.51.100.7"))
