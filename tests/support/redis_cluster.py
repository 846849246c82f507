"""A real Redis Cluster of the test's own: primaries, each with as many replicas as wanted, on loopback."""

import os
import subprocess

from support.ports import free_cluster_port
from support.redis_server import RedisError, RedisServer
from support.waiting import DEADLINE, wait_until

SLOTS = 16384


class ClusterNode(RedisServer):
    """One redis-server in cluster mode; knows its id. With `tls` (certificate, key, authority) it has a second port for that, over which
    the nodes speak to each other, and where it says the cluster is to whoever asks there."""

    def __init__(self, folder, node_timeout_ms, tls=None, port=None):
        options = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", str(node_timeout_ms),
                   "--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0"]
        self.tls_port = free_cluster_port() if tls else None
        if tls:
            certificate, key, authority = tls
            options += ["--tls-port", str(self.tls_port), "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file",
                        authority, "--tls-auth-clients", "no", "--tls-cluster", "yes", "--tls-replication", "yes"]
        super().__init__(folder, options=options, port=port or free_cluster_port())
        self.id = self.command("CLUSTER", "MYID").decode()

    @property
    def name(self):
        """As the gateway calls it."""
        return f"127.0.0.1:{self.port_of_nodes}"

    @property
    def port_of_nodes(self):
        """Where the others reach it."""
        return self.tls_port or self.port

    def cluster_info(self, field):
        for line in self.command("CLUSTER", "INFO").decode().splitlines():
            if line.startswith(field + ":"):
                return line.split(":")[1]
        raise KeyError(field)

    def is_primary(self):
        return self.command("ROLE")[0] == b"master"


class RedisCluster:
    """`primaries` nodes that share the slots evenly, each with `replicas`; none: whoever wants them adds them. Nodes are in `nodes`,
    primaries first."""

    def __init__(self, folder, primaries=3, replicas=0, node_timeout_ms=2000, tls=None):
        self.nodes, self.primaries, self._ports = [], [], []
        self._folder, self._node_timeout_ms, self._tls = folder, node_timeout_ms, tls
        try:
            self._build(primaries, replicas)
        except BaseException:
            self.close()
            raise

    def _build(self, primaries, replicas):
        if primaries == 0:
            return
        for _ in range(primaries * (1 + replicas)):
            self.add_node()
        self.primaries = self.nodes[:primaries]
        for index, node in enumerate(self.primaries):
            first, last = SLOTS * index // primaries, SLOTS * (index + 1) // primaries - 1
            node.command("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.command("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
        for node in self.nodes[1:]:
            self.meet(node)
        wait_until(lambda: all(each.cluster_info("cluster_known_nodes") == str(len(self.nodes)) for each in self.nodes),
                   what="the nodes of the cluster to know one another")
        for index, replica in enumerate(self.nodes[primaries:]):
            self.follow(replica, self.primaries[index % primaries])
        self.wait_until_whole()

    def reserve(self, count):
        """Ports that the next nodes will have."""
        self._ports += [free_cluster_port() for _ in range(count)]
        return list(self._ports)

    def add_node(self):
        """One more node, which nobody knows yet."""
        folder = os.path.join(self._folder, f"node{len(self.nodes)}")
        os.mkdir(folder)
        self.nodes.append(ClusterNode(folder, self._node_timeout_ms, self._tls, self._ports.pop(0) if self._ports else None))
        return self.nodes[-1]

    def meet(self, node):
        node.command("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port_of_nodes)

    def follow(self, replica, primary):
        def told():
            try:
                return replica.command("CLUSTER", "REPLICATE", primary.id) == "OK"
            except RedisError:  # it does not know that one yet
                return False
        wait_until(told, what="a replica to accept its primary")
        wait_until(lambda: replica.command("ROLE")[3] == b"connected", what="a replica to be connected")

    def wait_until_whole(self):
        def whole():
            return all(each.cluster_info("cluster_state") == "ok" and each.cluster_info("cluster_slots_assigned") == str(SLOTS)
                       for each in self.living())
        wait_until(whole, what="the cluster to be whole")

    def living(self):
        return [each for each in self.nodes if each.process.poll() is None]

    def replicas_of(self, primary):
        return [each for each in self.living() if each is not primary and each.command("ROLE")[0] == b"slave"
                and each.command("ROLE")[2] == primary.port_of_nodes]

    def serving(self):
        """The nodes that are primaries now."""
        return [each for each in self.living() if each.is_primary()]

    @property
    def url(self):
        return ("rediss" if self._tls else "redis") + "+cluster://" + ",".join(each.name for each in self.nodes[:2])

    def slot_of(self, key):
        return self.nodes[0].command("CLUSTER", "KEYSLOT", key)

    def owner_of(self, slot):
        for node in self.serving():
            for first, last, primary, *_ in node.command("CLUSTER", "SLOTS"):
                if first <= slot <= last:
                    return next(each for each in self.nodes if each.port == primary[1])
        raise AssertionError(f"nobody has slot {slot}")

    def begin_move(self, slot, target):
        """The slot is on its way from its owner, which is returned; its keys are still there."""
        source = self.owner_of(slot)
        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
        return source

    def move_key(self, key, source, target):
        source.command("MIGRATE", "127.0.0.1", target.port_of_nodes, key, 0, 5000)

    def end_move(self, slot, source, target):
        """The keys that are left go too, then the slot."""
        while True:
            for key in (keys := source.command("CLUSTER", "GETKEYSINSLOT", slot, 100)):
                self.move_key(key.decode(), source, target)
            if not keys:
                break
        for node in (target, source):
            node.command("CLUSTER", "SETSLOT", slot, "NODE", target.id)

    def disown(self, slot):
        """Nobody has the slot any more. Returns who had it."""
        owner = self.owner_of(slot)
        owner.command("CLUSTER", "DELSLOTS", slot)

        def is_nobodys():  # what the owner told of it before may have arrived since
            for node in self.living():
                if node.cluster_info("cluster_slots_assigned") == str(SLOTS):
                    node.command("CLUSTER", "DELSLOTS", slot)
            return all(node.cluster_info("cluster_slots_assigned") == str(SLOTS - 1) for node in self.living())
        wait_until(is_nobodys, what="the slot to have no owner")
        return owner

    def command_of_tool(self, *words):
        return ["redis-cli", "--cluster", *map(str, words), "--cluster-yes"]

    def reshard(self, slots, source, target):
        """redis-cli moves that many slots; returns when it is done."""
        subprocess.run(self.command_of_tool("reshard", self.nodes[0].name, "--cluster-from", source.id, "--cluster-to", target.id,
                                            "--cluster-slots", slots, "--cluster-pipeline", 10),
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def calls(self):
        """Commands executed so far by the nodes that live, by lower-case name."""
        total = {}
        for node in self.living():
            for name, count in node.calls().items():
                total[name] = total.get(name, 0) + count
        return total

    def close(self):
        for node in self.nodes:
            node.thaw()
            node.kill()
