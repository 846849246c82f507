"""A sharded limit on a real Redis: all of it usable by one connection, and never more."""

from support.gateway_case import GatewayCase

SHARDED = """
workers: 1
redis: {{url: "{url}", check_timeout: 2s}}
limits: {{shared: {{key: everyone, shards: 4, on_store_failure: deny, fixed_window: {{limit: 203, window: 1h}}}}}}
global_limits: [shared]
"""


class Shards(GatewayCase):
    def started(self, gateways):
        redis, app = self.redis(), self.upstream()
        started = [self.gateway(app, SHARDED.format(url=redis.url)) for _ in range(gateways)]
        self.wait_for_connections(redis, gateways)
        return redis, app, started

    def test_one_connection_uses_all_of_it_and_not_one_more(self):
        redis, app, (gateway,) = self.started(1)
        connection = self.connect(gateway)
        statuses = [connection.ask().status for _ in range(260)]
        self.assertEqual(statuses, [200] * 203 + [429] * 57)
        self.assertEqual(app.count(), 203)
        self.assertEqual(len(redis.keys()), 4)

    def test_three_gateways_use_all_of_it_and_not_one_more(self):
        _, app, gateways = self.started(3)

        def client(number):
            connection = self.connect(gateways[number % 3])
            return [connection.ask().status for _ in range(60)]
        statuses = sum(self.together(6, client), [])
        self.assertEqual(statuses.count(200), 203)
        self.assertEqual(app.count(), 203)
