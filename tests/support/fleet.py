"""Several gateways, one Redis and more demand than a limit permits: what reached the upstream, and when."""

import threading
import time

from support.http_client import Connection

SHARED = """
workers: 1
redis: {{url: "{url}", check_timeout: 2s}}
limits: {{shared: {{key: everyone, on_store_failure: deny, {algorithm}}}}}
global_limits: [shared]
"""


def fixed_window(limit, window):
    """Configuration, and the most that may have passed `age` seconds after the first request."""
    return (f"fixed_window: {{limit: {limit}, window: {window}s}}", lambda age: limit * (int(age // window) + 1))


def token_bucket(limit, window):
    return (f"token_bucket: {{capacity: {limit}, refill: {limit}/{window}s}}", lambda age: limit + limit * age / window)


class Overload:
    """`clients` connections per gateway list, each asking as fast as it is answered, for some seconds."""

    def __init__(self, upstream, gateways, clients, seconds):
        self.statuses = []
        self._gateways, self._problems, self._lock = gateways, [], threading.Lock()
        self.begin = time.time()
        self._end = self.begin + seconds
        threads = [threading.Thread(target=self._client, args=(number,), daemon=True) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.seconds = time.time() - self.begin
        self.arrivals = sorted(each.arrived - self.begin for each in list(upstream.requests))
        if self._problems:
            raise self._problems[0]

    def _client(self, number):
        statuses = []
        try:
            with Connection(self._gateways[number % len(self._gateways)].address) as connection:
                while time.time() < self._end:
                    statuses.append(connection.ask().status)
        except Exception as problem:  # raised again by the constructor
            self._problems.append(problem)
        with self._lock:
            self.statuses += statuses

    def first_excess(self, permitted):
        """(age, count) at which more had arrived than permitted(age) allows, or None."""
        for count, age in enumerate(self.arrivals, 1):
            if count > permitted(age):
                return age, count
        return None
