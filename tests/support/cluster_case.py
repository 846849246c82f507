"""The base of the tests with a Redis Cluster behind the gateway."""

import struct

from support.gateway_case import GatewayCase

HUGE = 1_000_000


def used_of(value):
    """What a fixed window's key says: its end in 13 digits, then the permits used."""
    return int(value.decode()[13:].lstrip(":")) if value else 0


def held_of(value):
    """What a concurrency limit's key says: permits, by whomever."""
    return sum(int(permits) for _, permits, _ in struct.iter_unpack("<ddd", value or b""))


class ClusterCase(GatewayCase):
    def start(self, text, primaries=3, replicas=0, check_timeout="5s", terms="", **more):
        """A whole cluster, an app, and a gateway that is connected to all of it."""
        self.nodes = self.cluster(primaries=primaries, replicas=replicas, **more)
        self.app = self.upstream()
        self.gate = self.another(text, check_timeout, terms)

    def another(self, text, check_timeout="5s", terms=""):
        gate = self.gateway(self.app, f"redis: {{url: \"{self.nodes.url}\", check_timeout: {check_timeout}{terms}}}\n" + text)
        self.assertEqual(self.metrics(gate).value("penstock_store_up"), 1)
        return gate

    def scattered(self, count):
        """Callers whose counters are with different nodes, in turn."""
        found, number = {node.name: [] for node in self.nodes.primaries}, 0
        while any(len(each) < count for each in found.values()):
            caller = f"caller-{number}"
            found[self.owner_of_caller(caller).name].append(caller)
            number += 1
        return [each[index] for index in range(count) for each in found.values()]

    def owner_of_caller(self, caller):
        return self.nodes.owner_of(self.nodes.slot_of("{header.x-a=" + caller + "}"))

    def values(self, part):
        """Of every key with that in its name, whoever has it."""
        return [node.command("GET", key) for node in self.nodes.serving() for key in node.keys() if part in key]
