"""CPU time per proxied request, of gateways side by side: each step is measured once in every round, next to its counterpart."""

import contextlib
import statistics
from dataclasses import dataclass

from servers import BenchError, redis, redis_cli
from wrk import run_wrk

CONNECTIONS = 64
MOSTLY = 0.999  # of a step's answers must be what the step is about; the first of a run may differ


@dataclass(frozen=True)
class Step:
    name: str
    gateway: str  # a method of Gateways
    against: str  # the step to divide by, itself for a counterpart
    logs: bool = False
    refuses: bool = False
    redis: bool = False


STEPS = [
    Step("nginx, two limit_req zones", "nginx", "nginx, two limit_req zones"),
    Step("penstock, two limits in memory", "penstock", "nginx, two limit_req zones"),
    Step("nginx, two zones, access log", "nginx", "nginx, two zones, access log", logs=True),
    Step("penstock, two limits, access log", "penstock", "nginx, two zones, access log", logs=True),
    Step("nginx + Lua, naive script in Redis", "nginx_lua", "nginx + Lua, naive script in Redis", redis=True),
    Step("penstock, one exact limit in Redis", "penstock", "nginx + Lua, naive script in Redis", redis=True),
    Step("nginx, refused (429)", "nginx", "nginx, refused (429)", refuses=True),
    Step("penstock, refused (429)", "penstock", "nginx, refused (429)", refuses=True),
]


@dataclass(frozen=True)
class Figures:
    """Microseconds per request; of Redis: user and system together."""

    user: float
    system: float
    redis: float
    per_second: float
    busy: float  # share of the time that the gateway ran
    waited: float  # share of the time that it wanted to and somebody else had its core

    @property
    def total(self):
        return self.user + self.system


def measure(step, gateways, workspace, core, seconds):
    with contextlib.ExitStack() as stack:
        options = {"refuses": True} if step.refuses else {}
        options |= {"logs": True} if step.logs else {}
        store = stack.enter_context(redis(workspace, core)) if step.redis else None
        if store:
            options["redis_port"] = store.port
        gateway, _ = stack.enter_context(getattr(gateways, step.gateway)(**options))
        run_wrk(gateway.port, core, 1, CONNECTIONS)

        scripts_before = script_calls(store)
        gateway_before, store_before = gateway.cpu(), store.cpu() if store else None
        load = run_wrk(gateway.port, core, seconds, CONNECTIONS)
        spent = gateway.cpu() - gateway_before
        store_spent = (store.cpu() - store_before).total if store else 0.0
        scripts = script_calls(store) - scripts_before

    as_meant = load.refused if step.refuses else load.requests - load.refused
    if as_meant < MOSTLY * load.requests:
        raise BenchError(f"{step.name}: {load.refused} of {load.requests} answers were refusals")
    if step.redis and scripts < MOSTLY * load.requests:
        raise BenchError(f"{step.name}: {scripts} script calls for {load.requests} requests")
    each = 1e6 / load.requests
    return Figures(spent.user * each, spent.system * each, store_spent * each, load.per_second, spent.total / load.seconds,
                   spent.waited / load.seconds)


def script_calls(store):
    if not store:
        return 0
    lines = redis_cli(store.port, "INFO", "commandstats").splitlines()
    return sum(int(line.split("calls=")[1].split(",")[0]) for line in lines if line.startswith("cmdstat_evalsha:"))


def rounds_of(gateways, workspace, core, seconds, rounds, tell):
    """[{step name: Figures}], one for each round; counterparts change places from round to round."""
    results = []
    for number in range(rounds):
        this_round = {}
        for first, second in zip(STEPS[::2], STEPS[1::2]):
            for step in (first, second) if number % 2 == 0 else (second, first):
                figures = measure(step, gateways, workspace, core, seconds)
                this_round[step.name] = figures
                tell(f"round {number + 1} of {rounds}: {step.name}: {figures.total:.1f} us, {figures.per_second:.0f}/s, "
                     f"waited {figures.waited:.0%}")
        results.append(this_round)
    return results


def table(rounds):
    lines = ["| Gateway | user µs | system µs | total µs | ratio (least–most) | Redis µs | ratio | requests/s | busy | waited |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for step in STEPS:
        own = [r[step.name] for r in rounds]
        against = [r[step.against] for r in rounds]

        def middle(what, of=own):
            return statistics.median(map(what, of))
        total = middle(lambda f: f.total)
        ratio = redis_ratio = redis_time = ""
        if step.redis:
            redis_time = f"{middle(lambda f: f.redis):.1f}"
        if step.against != step.name:
            ratios = [mine.total / other.total for mine, other in zip(own, against)]
            ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
            if step.redis:
                redis_ratio = f"{statistics.median(mine.redis / other.redis for mine, other in zip(own, against)):.2f}"
        lines.append(f"| {step.name} | {middle(lambda f: f.user):.1f} | {middle(lambda f: f.system):.1f} | {total:.1f} "
                     f"| {ratio} | {redis_time} | {redis_ratio} | {middle(lambda f: f.per_second):,.0f} "
                     f"| {middle(lambda f: f.busy):.0%} | {middle(lambda f: f.waited):.0%} |")
    return "\n".join(lines)
