"""The programs under measurement: started from templates on free ports, pinned to a core, ended by pid.

Knows how each is configured and what the kernel has accounted to it; not what is asked of it, nor what the figures mean.
"""

import contextlib
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).with_name("templates")
TICK = os.sysconf("SC_CLK_TCK")
DEADLINE = 15.0
API_KEY = "bench-key-0001"
GENEROUS = "1000000"
CONNECTIONS = 20_000  # what a gateway is configured for; the descriptor limit may allow fewer
ROOM_FOR_LOGS = 2 << 30
# As patient as the Lua handler: a check that times out is answered without Redis, and would make the step cheaper.
PENSTOCK_REDIS = "redis: {{ url: redis://127.0.0.1:{port}/0, hash_secret: bench-of-16-bytes, check_timeout: 1s }}"


class BenchError(Exception):
    """A step that cannot be measured, or whose figures would mean nothing."""


def cores():
    """(gateway, everything else)."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise BenchError("needs two cores: one for the gateway, one for load generator, upstream and Redis")
    return usable[0], usable[1]


def descriptors():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def raise_descriptor_limit():
    """For this process and all that it starts."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors(), descriptors()))


def connections_possible(wanted):
    """As many client connections as a gateway can hold that reckons with one to the app for each, as HAProxy does."""
    return min(wanted, min(CONNECTIONS, descriptors()) // 2 - 200)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def fill(template, target, values):
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    target.write_text(text, encoding="utf-8")
    return target


@dataclass(frozen=True)
class Cpu:
    """Seconds that the kernel has accounted, by mode; and those spent ready to run while somebody else had the core."""

    user: float
    system: float
    waited: float

    def __sub__(self, other):
        return Cpu(self.user - other.user, self.system - other.system, self.waited - other.waited)

    @property
    def total(self):
        return self.user + self.system


class Workspace:
    """A folder in memory for configurations and logs, with a free port for each server. Removed at the end."""

    def __init__(self):
        in_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.path = Path(tempfile.mkdtemp(prefix="penstock-bench-", dir=in_memory))
        # Logs of a busy step take some hundred megabytes.
        self.keeps_logs = in_memory is not None and shutil.disk_usage(self.path).free > ROOM_FOR_LOGS
        self.log_place = "a file on tmpfs" if self.keeps_logs else "/dev/null"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    @contextlib.contextmanager
    def folder(self):
        """One for a server; gone, with its logs, when the server is."""
        path = Path(tempfile.mkdtemp(dir=self.path))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def log_in(self, folder):
        return folder / "access.log" if self.keeps_logs else Path("/dev/null")


class Server:
    """A running program, its children included, on one core."""

    def __init__(self, command, port, core, folder, stdout=subprocess.DEVNULL):
        self.port = port
        self._errors = folder / "stderr"
        self._launched = time.monotonic()
        # The pin is inherited, so that the time from exec has no other program in it.
        own = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {core})
        try:
            with open(self._errors, "wb") as errors:
                self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=errors)
        finally:
            os.sched_setaffinity(0, own)

    def wait_until_it(self, answers):
        """Asks without a pause; returns the seconds since it was launched."""
        while not answers(self.port):
            if self.process.poll() is not None:
                raise BenchError(f"{self.process.args[0]} ended:\n{self._errors.read_text(errors='replace')[-2000:]}")
            if time.monotonic() > self._launched + DEADLINE:
                raise BenchError(f"{self.process.args[0]} does not answer")
        return time.monotonic() - self._launched

    def pids(self):
        children = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):
                    if int(stat_fields(entry)[1]) == self.process.pid:
                        children.append(int(entry))
        return [self.process.pid, *children]

    def cpu(self):
        """Of all threads."""
        pids = self.pids()
        fields = [stat_fields(pid) for pid in pids]
        waited = sum(int(task.read_text(encoding="ascii").split()[1])
                     for pid in pids for task in Path(f"/proc/{pid}/task").glob("*/schedstat"))
        return Cpu(sum(int(f[11]) for f in fields) / TICK, sum(int(f[12]) for f in fields) / TICK, waited / 1e9)

    def resident_bytes(self):
        total = 0
        for pid in self.pids():
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            total += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return total * 1024

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def stat_fields(pid):
    """Fields of /proc/PID/stat from the state on: behind the name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def answers_http(port):
    request = f"GET /up HTTP/1.1\r\nHost: bench\r\nX-API-Key: {API_KEY}\r\nConnection: close\r\n\r\n".encode()
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as client:
        client.sendall(request)
        return client.recv(64).startswith(b"HTTP/1.1 ")
    return False


def answers_redis(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as client:
        client.sendall(b"PING\r\n")
        return client.recv(64).startswith(b"+PONG")
    return False


@contextlib.contextmanager
def running(server, answers):
    """Yields (server, seconds from exec to the first answer); ends it."""
    try:
        yield server, server.wait_until_it(answers)
    finally:
        server.stop()


@contextlib.contextmanager
def upstream(workspace, core):
    with workspace.folder() as folder:
        port = free_port()
        file = fill("upstream.conf", folder / "upstream.conf", {"PORT": port, "DESCRIPTORS": descriptors()})
        with running(Server(nginx_command(folder, file), port, core, folder), answers_http) as (server, _):
            yield server


@contextlib.contextmanager
def redis(workspace, core):
    with workspace.folder() as folder:
        port = free_port()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                   "--dir", str(folder)]
        with running(Server(command, port, core, folder), answers_redis) as (server, _):
            yield server


def redis_cli(port, *words, stdin=None):
    return subprocess.run(["redis-cli", "-p", str(port), *words], input=stdin, capture_output=True, text=True,
                          timeout=DEADLINE, check=True).stdout.strip()


class Gateways:
    """The gateways by name: each method starts one in front of `upstream`, yielding (server, seconds to its first answer)."""

    def __init__(self, workspace, penstock, core, upstream_port):
        self._workspace, self._penstock, self._core, self._upstream = workspace, str(penstock), core, upstream_port

    @contextlib.contextmanager
    def nginx(self, logs=False, refuses=False):
        """Two limit_req zones, by address and by API key."""
        rate, burst = ("1r/m", "") if refuses else (f"{GENEROUS}r/s", f"burst={GENEROUS} nodelay")
        with self._nginx(logs, {
            "MODULES": "",
            "ZONES": f"limit_req_zone $binary_remote_addr zone=address:10m rate={rate};\n"
                     f"limit_req_zone $http_x_api_key zone=key:10m rate={GENEROUS}r/s;\nlimit_req_status 429;",
            "LIMITS": f"limit_req zone=address {burst};\nlimit_req zone=key burst={GENEROUS} nodelay;",
        }) as started:
            yield started

    @contextlib.contextmanager
    def nginx_lua(self, redis_port):
        """The naive bucket by address in Redis, asked from Lua."""
        script = (TEMPLATES / "naive_bucket.lua").read_text(encoding="utf-8")
        digest = redis_cli(redis_port, "-x", "SCRIPT", "LOAD", stdin=script)
        with self._workspace.folder() as folder:
            handler = fill("naive_access.lua", folder / "access.lua", {"REDIS_PORT": redis_port, "DIGEST": digest})
            with self._nginx(False, {
                "MODULES": "load_module /usr/lib/nginx/modules/ndk_http_module.so;\n"
                           "load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;",
                "ZONES": "lua_package_path '/usr/share/lua/5.1/?.lua;;';",
                "LIMITS": f"access_by_lua_file {handler};",
            }) as started:
                yield started

    @contextlib.contextmanager
    def _nginx(self, logs, values):
        with self._workspace.folder() as folder:
            port = free_port()
            log = f"{self._workspace.log_in(folder)} line buffer=64k flush=1s" if logs else "off"
            file = fill("nginx.conf", folder / "nginx.conf", {
                **values, "PORT": port, "UPSTREAM": self._upstream, "CONNECTIONS": CONNECTIONS, "DESCRIPTORS": descriptors(),
                "ACCESS_LOG": log})
            with running(Server(nginx_command(folder, file), port, self._core, folder), answers_http) as started:
                yield started

    @contextlib.contextmanager
    def penstock(self, logs=False, refuses=False, redis_port=None, precision="exact", limits="[per-address, per-key]"):
        """Token buckets by address and by API key, in memory or in Redis."""
        with self._workspace.folder() as folder:
            port = free_port()
            file = fill("penstock.yaml", folder / "penstock.yaml", {
                "PORT": port, "UPSTREAM": self._upstream, "ACCESS_LOG": "on" if logs else "off",
                "REDIS": PENSTOCK_REDIS.format(port=redis_port) if redis_port else "",
                "PER_ADDRESS": 1 if refuses else GENEROUS,
                "PER_ADDRESS_REFILL": "1/1h" if refuses else f"{GENEROUS}/1s",
                "PRECISION": precision, "LIMITS": limits})
            with open(self._workspace.log_in(folder) if logs else os.devnull, "wb") as stdout:
                server = Server([self._penstock, "run", "--config", str(file)], port, self._core, folder, stdout)
            with running(server, answers_http) as started:
                yield started

    @contextlib.contextmanager
    def haproxy(self):
        """A plain proxy."""
        with self._workspace.folder() as folder:
            port = free_port()
            file = fill("haproxy.cfg", folder / "haproxy.cfg", {
                "PORT": port, "UPSTREAM": self._upstream, "CONNECTIONS": connections_possible(CONNECTIONS) + 100})
            server = Server(["haproxy", "-db", "-f", str(file)], port, self._core, folder)
            with running(server, answers_http) as started:
                yield started


def nginx_command(folder, file):
    globals_ = "daemon off;" + (" user root root;" if os.geteuid() == 0 else "")  # else its worker may not enter the folder
    return ["/usr/sbin/nginx", "-p", str(folder), "-e", "stderr", "-c", str(file), "-g", globals_]
