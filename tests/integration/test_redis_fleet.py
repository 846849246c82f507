"""Three gateways, ten clients, one Redis, one limit: never above what it permits, and fully used."""

from support.fleet import SHARED, Overload
from support.gateway_case import GatewayCase
from support.permitted import fixed_window, token_bucket


class Fleet(GatewayCase):
    limit, window, seconds = 100, 2, 7
    least_used = 0.99  # of what is permitted

    def overload(self, permitted):
        redis, app = self.redis(), self.upstream()
        gateways = [self.gateway(app, SHARED.format(url=redis.url, words=permitted.words)) for _ in range(3)]
        self.wait_for_connections(redis, 3)
        load = Overload(app, gateways, 10, self.seconds)
        self.assertLessEqual(set(load.statuses), {200, 429})
        self.assertEqual(load.statuses.count(200), app.count())
        self.assertGreater(load.statuses.count(429), self.limit, "this was no overload")
        self.assertIsNone(permitted.first_excess(load.begin, load.arrivals, load.slowest))
        self.assertGreaterEqual(app.count(), self.least_used * permitted.used(load.begin, load.begin + self.seconds))
        return redis, load

    def test_a_fixed_window_is_shared_and_fully_used(self):
        self.overload(fixed_window(self.limit, self.window))

    def test_a_token_bucket_is_shared_and_fully_used(self):
        self.overload(token_bucket(self.limit, self.window))
