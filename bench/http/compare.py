#!/usr/bin/python3
"""Penstock beside nginx in one run: CPU time per proxied request, memory, and time to the first answer.

The gateway has one core to itself; load generator (wrk), upstream and Redis share another. Prints Markdown on stdout and
what it is doing on stderr. Exit 0: measured; 1: a step could not be measured or went wrong; 2: usage.
"""

import argparse
import datetime
import os
import shutil
import signal
import sys
from pathlib import Path

from footprint import footprints
from processor_time import CONNECTIONS, OWN_PAIRS, PAIRS, measured_pairs, table
from servers import BenchError, Gateways, Workspace, cores, raise_descriptor_limit, upstream

ROOT = Path(__file__).resolve().parents[2]
NEEDED = {"/usr/sbin/nginx": "nginx", "/usr/lib/nginx/modules/ngx_http_lua_module.so": "libnginx-mod-http-lua",
          "/usr/share/lua/5.1/nginx/redis.lua": "lua-nginx-redis", "/usr/bin/wrk": "wrk",
          "/usr/bin/redis-server": "redis-server", "/usr/bin/redis-cli": "redis-tools"}


def tell(text):
    print(text, file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--penstock", type=Path, default=ROOT / "build/release/gateway/penstock", help="the binary to measure")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 2 s: to see that it works, not to quote")
    parser.add_argument("--rounds", type=int, help="default 5")
    parser.add_argument("--seconds", type=int, help="length of a step, default 5")
    parser.add_argument("--only", choices=["processor-time", "leases", "footprint"], help="one part of it")
    return parser.parse_args()


def main():
    asked = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends what was started, as at any other end
    missing = [package for path, package in NEEDED.items() if not os.path.exists(path)]
    if missing:
        raise BenchError(f"missing Debian packages: {' '.join(missing)} (tools/install_packages.sh bench)")
    if not asked.penstock.exists():
        raise BenchError(f"{asked.penstock} is not built (bench/run builds it)")
    rounds = asked.rounds or (2 if asked.quick else 5)
    seconds = asked.seconds or (2 if asked.quick else 5)
    gateway_core, other_core = cores()
    os.sched_setaffinity(0, {gateway_core, other_core})
    raise_descriptor_limit()

    load_before = os.getloadavg()[0]
    print(f"{datetime.date.today()}, {os.cpu_count()} CPUs, load {load_before:.1f} before the run; {rounds} rounds of "
          f"{seconds} s, {CONNECTIONS} connections; medians over rounds, ratios within a round")
    with Workspace() as workspace, upstream(workspace, other_core) as app:
        gateways = Gateways(workspace, asked.penstock.resolve(), gateway_core, app.port)
        print(f"access logs go to {workspace.log_place}")
        for part, pairs in {"processor-time": PAIRS, "leases": OWN_PAIRS}.items():
            if asked.only in (None, part):
                measured = measured_pairs(pairs, gateways, workspace, other_core, seconds, rounds, tell)
                print(f"\n{table(pairs, measured)}", flush=True)
        if asked.only in (None, "footprint"):
            print(f"\n{footprints(gateways, other_core, seconds, 3 if asked.quick else 10, tell)}", flush=True)
            if not shutil.which("haproxy"):
                print("\nHAProxy is not installed (tools/install_packages.sh bench): not measured.")


if __name__ == "__main__":
    try:
        main()
    except BenchError as problem:
        sys.exit(f"compare.py: {problem}")
