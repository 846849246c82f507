"""Leased limits: few calls of Redis, never more than permitted, also when a gateway dies with permits in hand."""

import signal

from support.fleet import SHARED, Overload
from support.gateway_case import GatewayCase
from support.permitted import fixed_window, token_bucket


def scripts(redis):
    calls = redis.calls()
    return calls.get("evalsha", 0) + calls.get("eval", 0)


class Leases(GatewayCase):
    seconds = 5

    def fleet(self, words, gateways=3):
        redis, app = self.redis(), self.upstream()
        started = [self.gateway(app, SHARED.format(url=redis.url, words="precision: leased, " + words)) for _ in range(gateways)]
        self.wait_for_connections(redis, gateways)
        return redis, app, started

    def on_lease(self, gateways):
        return sum(self.metrics(each).value("penstock_admissions_on_lease_total", limit="shared") for each in gateways)

    def overload(self, permitted):
        redis, app, gateways = self.fleet(permitted.words)
        before = scripts(redis)
        load = Overload(app, gateways, 9, self.seconds)
        self.assertLessEqual(set(load.statuses), {200, 429})
        self.assertEqual(load.statuses.count(200), app.count())
        self.assertGreater(load.statuses.count(429), 0, "this was no overload")
        self.assertIsNone(permitted.first_excess(load.begin, load.arrivals, load.slowest))
        self.assertGreater(self.on_lease(gateways), 0)
        self.assertLess(scripts(redis) - before, len(load.statuses) / 2)

    def test_a_token_bucket_is_never_exceeded_by_three_gateways(self):
        self.overload(token_bucket(400, 1))

    def test_a_fixed_window_is_never_exceeded_by_three_gateways(self):
        self.overload(fixed_window(400, 1))

    def test_a_gateway_that_is_killed_takes_its_permits_along_and_no_more(self):
        permitted = token_bucket(400, 1)
        _, app, gateways = self.fleet(permitted.words)
        first = Overload(app, gateways, 6, 1)
        gateways[0].expected_statuses = (-signal.SIGKILL,)
        gateways[0].kill()
        second = Overload(app, gateways[1:], 6, 3)
        slowest = max(first.slowest, second.slowest)
        self.assertIsNone(permitted.first_excess(first.begin, second.arrivals, slowest))
        self.assertGreater(second.statuses.count(200), 0.9 * 400 * 2)

    def test_few_requests_of_one_client_are_answered_as_an_exact_limit_answers(self):
        _, app, (gateway,) = self.fleet("token_bucket: {capacity: 5, refill: 5/1h}", 1)
        connection = self.connect(gateway)
        self.assertEqual([connection.ask().status for _ in range(8)], [200] * 5 + [429] * 3)
        self.assertEqual(app.count(), 5)
