"""CPU time per proxied request, in pairs: each round measures Penstock right before or after what it is compared with."""

import contextlib
import statistics
from dataclasses import dataclass

from servers import TEMPLATES, BenchError, redis, redis_cli
from wrk import run_wrk

CONNECTIONS = 64
QUIET = 0.1  # the share of time that a gateway may wait for its core before its figures count as disturbed
ATTEMPTS = 3
MOSTLY = 0.999  # of a step's answers must be what the step is about; the first of a run may differ


@dataclass(frozen=True)
class Step:
    name: str
    gateway: str  # a method of Gateways
    logs: bool = False
    refuses: bool = False
    redis: bool = False
    options: tuple = ()  # more arguments of that method
    paced: bool = False  # about 10,000 a second; else as fast as it is answered


ONE_LIMIT = (("limits", "[per-address]"),)
LEASED = (*ONE_LIMIT, ("precision", "leased"))

# What is compared with, and Penstock.
PAIRS = [
    (Step("nginx, two limit_req zones", "nginx"), Step("penstock, two limits in memory", "penstock")),
    (Step("nginx, two zones, access log", "nginx", logs=True), Step("penstock, two limits, access log", "penstock", logs=True)),
    (Step("nginx + Lua, naive script in Redis", "nginx_lua", redis=True),
     Step("penstock, one exact limit in Redis", "penstock", redis=True, options=ONE_LIMIT)),
    (Step("nginx, refused (429)", "nginx", refuses=True), Step("penstock, refused (429)", "penstock", refuses=True)),
]

# Penstock with a limit in memory, and with the same in Redis that is seldom asked.
OWN_PAIRS = [
    (Step("one limit in memory", "penstock", options=ONE_LIMIT),
     Step("leased in Redis, one hot key", "penstock", redis=True, options=LEASED)),
    (Step("one limit in memory, 10,000/s", "penstock", options=ONE_LIMIT, paced=True),
     Step("leased in Redis, one hot key, 10,000/s", "penstock", redis=True, options=LEASED, paced=True)),
    (Step("one limit in memory", "penstock", options=ONE_LIMIT),
     Step("exact in Redis, one hot key", "penstock", redis=True, options=ONE_LIMIT)),
    (Step("refused (429) by a limit in memory", "penstock", refuses=True, options=ONE_LIMIT),
     Step("refused (429) by a remembered denial", "penstock", refuses=True, redis=True, options=ONE_LIMIT)),
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
    calls: float  # of Redis, per request

    @property
    def total(self):
        return self.user + self.system


def measure(step, gateways, workspace, core, seconds):
    with contextlib.ExitStack() as stack:
        options = dict(step.options)
        options |= {"refuses": True} if step.refuses else {}
        options |= {"logs": True} if step.logs else {}
        store = stack.enter_context(redis(workspace, core)) if step.redis else None
        if store:
            options["redis_port"] = store.port
        gateway, _ = stack.enter_context(getattr(gateways, step.gateway)(**options))
        pace = TEMPLATES / "pause.lua" if step.paced else None
        run_wrk(gateway.port, core, 1, CONNECTIONS, pace)

        scripts_before = script_calls(store)
        gateway_before, store_before = gateway.cpu(), store.cpu() if store else None
        load = run_wrk(gateway.port, core, seconds, CONNECTIONS, pace)
        spent = gateway.cpu() - gateway_before
        store_spent = (store.cpu() - store_before).total if store else 0.0
        scripts = script_calls(store) - scripts_before

    as_meant = load.refused if step.refuses else load.requests - load.refused
    if as_meant < MOSTLY * load.requests:
        raise BenchError(f"{step.name}: {load.refused} of {load.requests} answers were refusals")
    if step.gateway == "nginx_lua" and scripts < MOSTLY * load.requests:
        raise BenchError(f"{step.name}: {scripts} script calls for {load.requests} requests")
    each = 1e6 / load.requests
    return Figures(spent.user * each, spent.system * each, store_spent * each, load.per_second, spent.total / load.seconds,
                   spent.waited / load.seconds, scripts / load.requests)


def script_calls(store):
    if not store:
        return 0
    lines = redis_cli(store.port, "INFO", "commandstats").splitlines()
    return sum(int(line.split("calls=")[1].split(",")[0]) for line in lines if line.startswith("cmdstat_evalsha:"))


def quiet(both):
    return all(figures.waited <= QUIET for figures in both)


def measured_pairs(pairs, gateways, workspace, core, seconds, rounds, tell):
    """For each pair a list of (other's Figures, Penstock's Figures), one for each round; who comes first alternates.

    A pair that others disturbed is measured anew; when all attempts were disturbed the last one stands.
    """
    results = [[] for _ in pairs]
    for number in range(rounds):
        for pair, kept in zip(pairs, results):
            for _ in range(ATTEMPTS):
                figures = {}
                for step in pair if number % 2 == 0 else reversed(pair):
                    one = figures[step] = measure(step, gateways, workspace, core, seconds)
                    tell(f"round {number + 1} of {rounds}: {step.name}: {one.total:.1f} us, {one.per_second:.0f}/s, "
                         f"waited {one.waited:.0%}, {one.calls:.4f} calls")
                both = tuple(figures[step] for step in pair)
                if quiet(both):
                    break
            kept.append(both)
    return results


def table(pairs, results):
    lines = ["| Gateway | user µs | system µs | total µs | ratio (least–most) | Redis µs | ratio | calls | requests/s "
             "| busy | waited | quiet |", "| --- |" + 11 * " ---: |"]
    for (other, penstock), measured in zip(pairs, results):
        undisturbed = [both for both in measured if quiet(both)]
        chosen = undisturbed or measured
        others, own = zip(*chosen)
        ratios = [mine.total / its.total for its, mine in chosen]
        ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
        redis_ratio = f"{statistics.median(mine.redis / its.redis for its, mine in chosen):.2f}" if other.redis else ""
        rounds = f"{len(undisturbed)} of {len(measured)}"
        lines += [row(other, others, "", "", rounds), row(penstock, own, ratio, redis_ratio, rounds)]
    return "\n".join(lines)


def row(step, figures, ratio, redis_ratio, rounds):
    def middle(name):
        return statistics.median(getattr(one, name) for one in figures)

    redis_time = f"{middle('redis'):.1f}" if step.redis else ""
    calls = f"{middle('calls'):.4f}" if step.redis else ""
    return (f"| {step.name} | {middle('user'):.1f} | {middle('system'):.1f} | {middle('total'):.1f} | {ratio} | {redis_time} "
            f"| {redis_ratio} | {calls} | {middle('per_second'):,.0f} | {middle('busy'):.0%} | {middle('waited'):.0%} "
            f"| {rounds} |")
