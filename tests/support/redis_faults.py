"""What can go wrong with a Redis, done to a real redis-server, or to the line to it, and undone again."""

from dataclasses import dataclass
from typing import Callable

from support.ports import free_port
from support.redis_server import RedisError, RedisServer
from support.waiting import DEADLINE, wait_seconds, wait_until

FILLERS, FILLER_BYTES, LOAD_DELAY_US = 2000, 1000, 10_000  # what makes loading last 20 s, unless it is hurried


@dataclass
class Fault:
    """`breaks` and `mends` are given the rig of fault_rig: its `server`, its `line` if the fault is of the line, its `folder()`."""

    name: str
    breaks: Callable
    mends: Callable = lambda rig: None
    says: str = ""               # a word of the gateway's warning: the fault is what it is meant to be
    of_line: bool = False        # the gateway reaches Redis over a BadLine
    lasts: bool = True           # until it is mended; else it is over when `breaks` returns
    unnoticed: bool = False      # nothing but the script cache is lost: no check fails
    loses_counts: bool = False   # what was charged before
    from_start: bool = False     # broken before the gateway starts
    options: Callable = list                     # of redis-server
    prepares: Callable = lambda rig: None        # before the gateway starts


def restart(rig):
    rig.server.kill()
    rig.server.start()


def flush_scripts(rig):
    for _ in range(10):
        rig.server.command("SCRIPT", "FLUSH")
        wait_seconds(0.05)


# ---- loading

def fill(rig):
    rig.server.command("CONFIG", "SET", "rdbcompression", "no")
    rig.server.command("EVAL", f"for i = 1, {FILLERS} do redis.call('SET', 'filler:' .. i, string.rep('x', {FILLER_BYTES})) end", 0)


def load_slowly(rig):
    try:
        rig.server.command("SHUTDOWN", "SAVE")
    except ConnectionError:
        pass  # its answer
    rig.server.process.wait(DEADLINE)
    slow = ["--key-load-delay", str(LOAD_DELAY_US), "--loading-process-events-interval-bytes", "1024"]
    rig.server.start(slow, lambda: rig.server.says("LOADING"))


def load_fast(rig):
    rig.server.command("CONFIG", "SET", "key-load-delay", "0")
    wait_until(lambda: rig.server.says("PONG"), what="the end of loading")


# ---- replicas

def follow(rig):
    other = RedisServer(rig.folder(), options=["--repl-diskless-sync-delay", "0"])
    rig.cleanup(other.kill)
    rig.server.command("REPLICAOF", "127.0.0.1", other.port)
    wait_until(lambda: rig.server.command("ROLE")[3] == b"connected", 2 * DEADLINE, "the replica")


def follow_nobody(rig):
    rig.server.command("CONFIG", "SET", "replica-serve-stale-data", "no")
    rig.server.command("REPLICAOF", "127.0.0.1", free_port())


def lead(rig):
    rig.server.command("REPLICAOF", "NO", "ONE")


# ---- clients, logins, pauses

def fill_up(rig):
    rig.operator = rig.server.client()  # who is connected already may stay
    rig.cleanup(rig.operator.__exit__)
    rig.operator("CONFIG", "SET", "maxclients", 1)
    rig.operator("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def change_password(rig):
    rig.server.command("ACL", "SETUSER", rig.USER, "resetpass", ">another")
    rig.server.command("CLIENT", "KILL", "USER", rig.USER)


def be_busy(rig):
    rig.server.command("CONFIG", "SET", "busy-reply-threshold", 10)
    rig.operator = rig.server.client()
    rig.cleanup(rig.operator.__exit__)
    rig.operator.send("EVAL", "while true do end", 0)
    wait_until(lambda: rig.server.says("BUSY"), what="a busy script")


def kill_script(rig):
    rig.server.command("SCRIPT", "KILL")
    try:
        rig.operator.read_reply()
    except RedisError:
        pass  # the script's own answer


def pause_clients(rig):
    rig.server.command("CLIENT", "PAUSE", int(1000 * rig.longest_fault), "ALL")  # nobody can end it: CLIENT UNPAUSE would wait too


def own_all_slots(rig):
    rig.server.command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    wait_until(lambda: b"cluster_state:ok" in rig.server.command("CLUSTER", "INFO"), what="a cluster of one")


def configure(name, bad, good):
    """As (breaks, mends)."""
    return (lambda rig: rig.server.command("CONFIG", "SET", name, bad), lambda rig: rig.server.command("CONFIG", "SET", name, good))


FAULTS = [
    Fault("frozen (SIGSTOP)", lambda rig: rig.server.freeze(), lambda rig: rig.server.thaw(), "timed_out"),
    Fault("killed, comes back empty", lambda rig: rig.server.kill(), lambda rig: rig.server.start(), "lost the connection",
          loses_counts=True),
    Fault("restarted empty at once", restart, lasts=False, loses_counts=True),
    Fault("not there when the gateway starts", lambda rig: rig.server.kill(), lambda rig: rig.server.start(), "cannot use", from_start=True),
    Fault("replies 1 s late", lambda rig: rig.line.delay(1), lambda rig: rig.line.heal(), "timed_out", of_line=True),
    Fault("half-closed towards the gateway", lambda rig: rig.line.half_close("to gateway"), lambda rig: rig.line.heal(),
          "lost the connection", of_line=True),
    Fault("half-closed towards Redis, no word of it", lambda rig: rig.line.half_close("to redis"), lambda rig: rig.line.heal(),
          "timed_out", of_line=True),
    Fault("rubbish before each reply", lambda rig: rig.line.inject(), lambda rig: rig.line.heal(), "makes no sense", of_line=True),
    Fault("`CLIENT PAUSE`", pause_clients, lambda rig: wait_until(lambda: rig.server.says("PONG"), what="the end of the pause"),
          "timed_out"),
    Fault("`CLIENT PAUSE WRITE`", lambda rig: rig.server.command("CLIENT", "PAUSE", 600_000, "WRITE"),
          lambda rig: rig.server.command("CLIENT", "UNPAUSE"), "timed_out"),
    Fault("busy with a script", be_busy, kill_script, "BUSY"),
    Fault("loading its data", load_slowly, load_fast, "LOADING", prepares=fill),
    Fault("a replica", follow, lead, "READONLY", loses_counts=True),
    Fault("a replica that has lost its primary", follow_nobody, lead, "MASTERDOWN"),
    Fault("out of memory", *configure("maxmemory", 1, 0), "OOM"),
    Fault("too few replicas to write", *configure("min-replicas-to-write", 1, 0), "NOREPLICAS"),
    Fault("too many clients", fill_up, lambda rig: rig.operator("CONFIG", "SET", "maxclients", 1000), "max number of clients"),
    Fault("another password", change_password, lambda rig: rig.server.command("ACL", "SETUSER", rig.USER, "resetpass", ">" + rig.PASSWORD),
          "WRONGPASS"),
    Fault("no permission for the script", lambda rig: rig.server.command("ACL", "SETUSER", rig.USER, "-evalsha"),
          lambda rig: rig.server.command("ACL", "SETUSER", rig.USER, "+evalsha"), "NOPERM"),
    Fault("a cluster's node without slots", lambda rig: rig.server.command("CLUSTER", "DELSLOTSRANGE", 0, 16383),
          own_all_slots, "CLUSTERDOWN", prepares=own_all_slots,
          options=lambda: ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]),
    Fault("`SCRIPT FLUSH`, ten times", flush_scripts, lasts=False, unnoticed=True),
]

