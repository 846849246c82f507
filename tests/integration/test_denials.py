"""Refusals that still stand are told without Redis, counted down, until the configuration changes."""

import signal

from support.gateway_case import GatewayCase
from support.http_client import ask
from support.waiting import wait_until

LIMIT = """
workers: 1
redis: {{url: "{url}", check_timeout: 2s}}
limits: {{shared: {{key: everyone, on_store_failure: deny, {algorithm}}}}}
global_limits: [shared]
"""


def scripts(redis):
    """Without the gateway's announcements, each of which makes one SET; a check of a window that is open makes none."""
    calls = redis.calls()
    return calls.get("evalsha", 0) + calls.get("eval", 0) - calls.get("set", 0)


class Denials(GatewayCase):
    def started(self, algorithm):
        redis, app = self.redis(), self.upstream()
        text = LIMIT.format(url=redis.url, algorithm=algorithm)
        gateway = self.gateway(app, text)
        self.wait_for_connections(redis, 1)
        # The first announcement finds no script and comes twice: scripts() would count one of them.
        wait_until(lambda: redis.command("GET", "rl:{penstock-gateways}"), what="the gateway's announcement")
        return redis, app, gateway

    def from_memory(self, gateway):
        return self.metrics(gateway).value("penstock_denials_from_memory_total", limit="shared")

    def test_a_caller_who_is_refused_costs_redis_nothing_until_its_wait_is_over(self):
        redis, app, gateway = self.started("fixed_window: {limit: 3, window: 1h}")
        connection = self.connect(gateway)
        self.assertEqual([connection.ask().status for _ in range(4)], [200, 200, 200, 429])
        before = scripts(redis)
        answers = [connection.ask() for _ in range(500)]
        self.assertEqual({each.status for each in answers}, {429})
        self.assertTrue(all(0 < int(each["Retry-After"]) <= 3600 for each in answers))
        self.assertEqual(scripts(redis), before)
        self.assertEqual(self.from_memory(gateway), 500)
        self.assertEqual(app.count(), 3)

    def test_who_waits_as_long_as_it_was_told_is_admitted(self):
        redis, app, gateway = self.started("token_bucket: {capacity: 1, refill: 1/1s}")
        connection = self.connect(gateway)
        self.assertEqual([connection.ask().status for _ in range(2)], [200, 429])
        wait_until(lambda: connection.ask().status == 200, what="a permit")
        self.assertEqual(app.count(), 2)
        self.assertGreater(self.from_memory(gateway), 0)

    def test_a_denial_outlives_redis_but_not_a_reload(self):
        redis, app, gateway = self.started("fixed_window: {limit: 1, window: 1h}")
        connection = self.connect(gateway)
        self.assertEqual([connection.ask().status for _ in range(2)], [200, 429])
        redis.kill()
        self.assertEqual(connection.ask().status, 429)
        redis.restart()
        self.wait_for_connections(redis, 1)
        self.assertEqual(connection.ask().status, 429)
        gateway.signal(signal.SIGHUP)
        wait_until(lambda: ask(gateway.address).status == 200, what="the reload to forget")
        self.assertEqual(app.count(), 2)


class Alike(GatewayCase):
    def test_a_crowd_on_one_key_is_admitted_exactly_as_often_as_permitted_with_fewer_calls(self):
        redis, app = self.redis(), self.upstream()
        gateway = self.gateway(app, LIMIT.format(url=redis.url, algorithm="fixed_window: {limit: 600, window: 1h}"))
        self.wait_for_connections(redis, 1)
        before = scripts(redis)

        def client(_):
            connection = self.connect(gateway)
            return [connection.ask().status for _ in range(50)]
        statuses = sum(self.together(16, client), [])
        self.assertEqual(statuses.count(200), 600)
        self.assertEqual(statuses.count(429), 200)
        self.assertEqual(app.count(), 600)
        self.assertLessEqual(scripts(redis) - before, 602)
