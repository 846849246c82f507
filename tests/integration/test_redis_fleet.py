"""Three gateways, ten clients, one Redis, one limit: never above what it permits, and fully used."""

from support.fleet import SHARED, Overload, fixed_window, token_bucket
from support.gateway_case import GatewayCase


class Fleet(GatewayCase):
    limit, window, seconds = 100, 2, 7

    def overload(self, algorithm, permitted):
        redis, app = self.redis(), self.upstream()
        gateways = [self.gateway(app, SHARED.format(url=redis.url, algorithm=algorithm)) for _ in range(3)]
        self.wait_for_connections(redis, 3)
        load = Overload(app, gateways, 10, self.seconds)
        self.assertLessEqual(set(load.statuses), {200, 429})
        self.assertEqual(load.statuses.count(200), app.count())
        self.assertGreater(load.statuses.count(429), self.limit, "this was no overload")
        self.assertIsNone(load.first_excess(permitted))
        self.assertGreaterEqual(app.count(), 0.99 * permitted(self.seconds))
        return app

    def test_a_fixed_window_is_shared_and_fully_used(self):
        self.overload(*fixed_window(self.limit, self.window))

    def test_a_token_bucket_is_shared_and_fully_used(self):
        self.overload(*token_bucket(self.limit, self.window))
