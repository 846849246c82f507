"""A real redis-server of the test's own, and a client that speaks just enough RESP to look at it."""

import os
import signal
import subprocess

from support.http_wire import connect
from support.ports import free_port
from support.waiting import DEADLINE, wait_until


class RedisError(Exception):
    """An error reply."""


class RedisClient:
    """One connection; call it with the words of a command."""

    def __init__(self, address, timeout=DEADLINE):
        self.socket = connect(address, timeout)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def __call__(self, *words):
        self.send(*words)
        return self.read_reply()

    def send(self, *words):
        parts = [str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))

    def read_reply(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("redis-server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.read_reply() for _ in range(int(rest))]
        raise RedisError(f"reply {line!r}")


class RedisServer:
    """Started by the constructor on a free port, or on a unix socket; `port` may be kept over a restart."""

    def __init__(self, folder, unix=False, options=(), port=None):
        self.folder, self._options = folder, list(options)
        self._unix_path = os.path.join(folder, "redis.sock") if unix else None
        self.port = None if unix else port or free_port()
        self.process = None
        self.start()

    @property
    def address(self):
        return self._unix_path or ("127.0.0.1", self.port)

    @property
    def url(self):
        return f"unix://{self._unix_path}" if self._unix_path else f"redis://127.0.0.1:{self.port}/0"

    def start(self, more=(), ready=None):
        """With `more` options, until it answers PING, or until ready()."""
        where = ["--port", "0", "--unixsocket", self._unix_path] if self._unix_path else ["--port", str(self.port)]
        self.process = subprocess.Popen(
            ["redis-server", *where, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", self.folder,
             "--logfile", os.path.join(self.folder, "redis.log"), *self._options, *more],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(ready or self._answers, DEADLINE, "redis-server")

    def _answers(self):
        return self.says("PONG")

    def says(self, words):
        """Whether its answer to PING, maybe an error, begins so."""
        if self.process.poll() is not None:
            raise AssertionError("redis-server did not start; see redis.log")
        try:
            with self.client() as client:
                return client("PING").startswith(words)
        except RedisError as refusal:
            return str(refusal).startswith(words)
        except OSError:
            return False

    def client(self):
        return RedisClient(self.address)

    def command(self, *words):
        with self.client() as client:
            return client(*words)

    def calls(self):
        """Commands executed so far, by lower-case name."""
        text = self.command("INFO", "commandstats").decode()
        return {line.split(":")[0].removeprefix("cmdstat_"): int(line.split("calls=")[1].split(",")[0])
                for line in text.splitlines() if line.startswith("cmdstat_")}

    def undisturbed(self, action):
        """What action() returns, made again until no gateway has announced itself meanwhile: that is an EVALSHA as well."""
        for _ in range(20):
            before = self.command("GET", "rl:{penstock-gateways}")
            result = action()
            if self.command("GET", "rl:{penstock-gateways}") == before:
                return result
        raise AssertionError("announcements came each time")

    def keys(self):
        """All but the one in which gateways announce themselves."""
        return sorted(key.decode() for key in self.command("KEYS", "*") if not key.endswith(b"{penstock-gateways}"))

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE)

    def restart(self):
        """A new, empty server at the same address."""
        self.kill()
        self.start()
