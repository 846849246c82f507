"""One run of wrk: what was asked, what came back."""

import os
import re
import subprocess
from dataclasses import dataclass

from servers import API_KEY, BenchError

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True)
class Load:
    """Answers that wrk counted; `refused` are those with a status beyond 399."""

    requests: int
    seconds: float
    refused: int

    @property
    def per_second(self):
        return self.requests / self.seconds


def run_wrk(port, core, seconds, connections, script=None):
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s",
               "--header", f"X-API-Key: {API_KEY}", *(["--script", str(script)] if script else []),
               f"http://127.0.0.1:{port}/items/17"]
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=False)
    finally:
        os.sched_setaffinity(0, own)
    total = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m),", done.stdout)
    if done.returncode != 0 or not total:
        raise BenchError(f"wrk failed: {done.stderr or done.stdout}")
    if broken := re.search(r"Socket errors: .*", done.stdout):
        raise BenchError(f"wrk met errors, so its figures mean nothing: {broken[0]}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    return Load(int(total[1]), float(total[2]) * UNITS[total[3]], int(refused[1]) if refused else 0)
