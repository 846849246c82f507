"""A primary, its replicas and the sentinels that watch them: real servers of the test's own."""

import os
import subprocess

from support.ports import free_port
from support.redis_server import RedisClient, RedisError, RedisServer
from support.waiting import DEADLINE, wait_until


class Sentinel:
    """One redis-server in sentinel mode."""

    def __init__(self, folder, primary, quorum, down_after_ms, options=()):
        self.folder, self.port = folder, free_port()
        path = os.path.join(folder, "sentinel.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join([f"port {self.port}", "bind 127.0.0.1", f"dir {folder}",
                                  f"logfile {os.path.join(folder, 'sentinel.log')}",
                                  f"sentinel monitor main 127.0.0.1 {primary} {quorum}",
                                  f"sentinel down-after-milliseconds main {down_after_ms}",
                                  "sentinel failover-timeout main 6000", "sentinel parallel-syncs main 2", *options]) + "\n")
        self.process = subprocess.Popen(["redis-server", path, "--sentinel"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def command(self, *words):
        with RedisClient(("127.0.0.1", self.port)) as client:
            return client(*words)

    def knows(self, replicas, sentinels):
        try:
            reply = self.command("SENTINEL", "MASTER", "main")
        except (OSError, RedisError):
            return False
        found = {reply[i].decode(): reply[i + 1].decode() for i in range(0, len(reply), 2)}
        return (found["flags"] == "master" and int(found["num-slaves"]) >= replicas
                and int(found["num-other-sentinels"]) == sentinels - 1)

    def primary_port(self):
        return int(self.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")[1])

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE)


class Watched:
    """One primary, two replicas, three sentinels, in agreement. `folder` makes a new folder; call kill() at the end."""

    def __init__(self, folder, replicas=2, sentinels=3, down_after_ms=1000, sentinel_options=()):
        self.servers, self.sentinels = [], []
        try:
            self.servers.append(RedisServer(folder()))
            for _ in range(replicas):
                self.servers.append(RedisServer(folder(), options=["--replicaof", "127.0.0.1", str(self.servers[0].port)]))
            wait_until(lambda: self.links_up() == replicas, what="replication")
            for _ in range(sentinels):
                self.sentinels.append(Sentinel(folder(), self.servers[0].port, sentinels // 2 + 1, down_after_ms, sentinel_options))
            if not sentinel_options:
                wait_until(lambda: all(each.knows(replicas, sentinels) for each in self.sentinels), 2 * DEADLINE,
                           "agreement of the sentinels")
        except BaseException:
            self.kill()
            raise

    @property
    def url(self):
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{each.port}" for each in self.sentinels) + "/main"

    def links_up(self):
        """Replicas that are in step with their primary."""
        return sum(b"master_link_status:up" in each.command("INFO", "replication")
                   for each in self.servers if each.process.poll() is None)

    def primary(self):
        """The server that the sentinels name, by majority."""
        ports = [each.primary_port() for each in self.sentinels if each.process.poll() is None]
        return next(each for each in self.servers if each.port == max(set(ports), key=ports.count))

    def fail_over(self):
        """As an operator does it, both servers being well."""
        wait_until(lambda: self._asked_to_fail_over(), what="a failover that may begin")

    def _asked_to_fail_over(self):
        try:
            return self.sentinels[0].command("SENTINEL", "FAILOVER", "main") == "OK"
        except RedisError:  # NOGOODSLAVE, INPROG: not yet
            return False

    def kill(self):
        for each in self.sentinels:
            each.kill()
        for each in self.servers:
            each.thaw()
            each.kill()
