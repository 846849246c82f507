"""What a gateway costs beside CPU: time from exec to its first answer, memory of idle connections, memory after a load."""

import shutil
import socket
import statistics
import time

from servers import API_KEY, BenchError, connections_possible
from wrk import run_wrk

IDLE_WANTED = 10_000
LOAD_CONNECTIONS = 256
SETTLED_AFTER = 2.0  # seconds without a request, for buffers to be given back
REQUEST = f"GET /items/17 HTTP/1.1\r\nHost: bench\r\nX-API-Key: {API_KEY}\r\n\r\n".encode()


def ask(client):
    """One request on a kept connection."""
    client.sendall(REQUEST)
    answer = client.recv(4096)
    while not answer.endswith(b"}"):
        more = client.recv(4096)
        if not more:
            raise BenchError(f"connection closed: {answer[:80]!r}")
        answer += more
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise BenchError(f"unexpected answer: {answer[:80]!r}")


def bytes_per_idle_connection(gateway, connections):
    clients = []
    try:
        for _ in range(connections + 1):
            clients.append(socket.create_connection(("127.0.0.1", gateway.port), timeout=10))
            ask(clients[-1])
            if len(clients) == 1:  # beyond what the first request brings with it
                before = gateway.resident_bytes()
        time.sleep(SETTLED_AFTER)
        after = gateway.resident_bytes()
        for client in (clients[0], clients[len(clients) // 2], clients[-1]):
            ask(client)  # they were kept, not closed
    finally:
        for client in clients:
            client.close()
    return (after - before) / connections


def footprints(gateways, core, seconds, launches, tell):
    """Markdown rows, one for each gateway."""
    idle = connections_possible(IDLE_WANTED)
    lines = [f"| Gateway | exec to first answer, ms (least–most of {launches}) | RSS after it, MiB "
             f"| bytes per idle connection ({idle:,}) | RSS after {LOAD_CONNECTIONS} connections, MiB |",
             "| --- | ---: | ---: | ---: | ---: |"]
    names = ["nginx", "penstock"] + (["haproxy"] if shutil.which("haproxy") else [])
    starts = {name: [] for name in names}
    for _ in range(launches):
        for name in names:
            with getattr(gateways, name)() as (_, to_first_answer):
                starts[name].append(1000 * to_first_answer)
    for name in names:
        with getattr(gateways, name)() as (gateway, _):
            fresh = gateway.resident_bytes()
            per_connection = bytes_per_idle_connection(gateway, idle)
        with getattr(gateways, name)() as (gateway, _):
            run_wrk(gateway.port, core, seconds, LOAD_CONNECTIONS)
            loaded = gateway.resident_bytes()
        times = starts[name]
        tell(f"{name}: {per_connection:.0f} bytes per idle connection")
        lines.append(f"| {name} | {statistics.median(times):.1f} ({min(times):.1f}–{max(times):.1f}) | {fresh / 2**20:.1f} "
                     f"| {per_connection:,.0f} | {loaded / 2**20:.1f} |")
    return "\n".join(lines)
