"""Several gateways, one Redis and more demand than a limit permits: what reached the upstream, and when."""

import threading
import time

from support.http_client import Connection

SHARED = """
workers: 1
redis: {{url: "{url}", check_timeout: 2s}}
limits: {{shared: {{key: everyone, on_store_failure: deny, {words}}}}}
global_limits: [shared]
"""


class Overload:
    """`clients` connections, spread over the gateways, each asking as fast as it is answered, for some seconds."""

    def __init__(self, upstream, gateways, clients, seconds):
        self.statuses = []
        self._gateways, self._problems, self._lock = gateways, [], threading.Lock()
        self.begin = time.time()
        self.slowest = 0.0  # seconds that any request took: no arrival is later behind its decision
        self._end = self.begin + seconds
        threads = [threading.Thread(target=self._client, args=(number,), daemon=True) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.end = time.time()
        self.arrivals = sorted(each.arrived for each in list(upstream.requests))
        if self._problems:
            raise self._problems[0]

    def _client(self, number):
        statuses, slowest = [], 0.0
        try:
            with Connection(self._gateways[number % len(self._gateways)].address) as connection:
                while (asked := time.time()) < self._end:
                    statuses.append(connection.ask().status)
                    if statuses[-1] == 200:
                        slowest = max(slowest, time.time() - asked)
        except Exception as problem:  # raised again by the constructor
            self._problems.append(problem)
        with self._lock:
            self.statuses += statuses
            self.slowest = max(self.slowest, slowest)
