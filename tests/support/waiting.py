"""Waiting for something to become true, with a deadline. The only place in these tests that sleeps."""

import os
import time

# How many times slower than the plain build the binary may be (sanitizers); set by CMakeLists.txt.
SLOWNESS = float(os.environ.get("PENSTOCK_TEST_SLOWNESS", "1"))
DEADLINE = 15.0 * SLOWNESS  # seconds: the most that anything healthy may take on a busy machine
SLACK = 0.75 * SLOWNESS     # seconds that the scheduler may add to a time that the gateway promises


class DeadlinePassed(AssertionError):
    """What was waited for did not happen in time."""


def wait_until(condition, deadline=DEADLINE, what="the condition"):
    """Returns the first true value of condition(); raises DeadlinePassed after `deadline` seconds."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise DeadlinePassed(f"{what} did not come true within {deadline:g} s")
        time.sleep(0.005)


def wait_seconds(seconds):
    """Lets time pass, for limits whose windows are counted in seconds."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, seconds + DEADLINE, "the clock")
