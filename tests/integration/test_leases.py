"""Leased limits: few calls of Redis, never more than permitted, also when a gateway dies with permits in hand."""

import signal

from support.fleet import SHARED, Overload, fixed_window, token_bucket
from support.gateway_case import GatewayCase


def leased(algorithm):
    text, permitted = algorithm
    return "precision: leased, " + text, permitted


def scripts(redis):
    calls = redis.calls()
    return calls.get("evalsha", 0) + calls.get("eval", 0)


class Leases(GatewayCase):
    seconds = 5

    def fleet(self, algorithm, gateways=3):
        redis, app = self.redis(), self.upstream()
        started = [self.gateway(app, SHARED.format(url=redis.url, algorithm=algorithm)) for _ in range(gateways)]
        self.wait_for_connections(redis, gateways)
        return redis, app, started

    def on_lease(self, gateways):
        return sum(self.metrics(each).value("penstock_admissions_on_lease_total", limit="shared") for each in gateways)

    def overload(self, algorithm):
        text, permitted = leased(algorithm)
        redis, app, gateways = self.fleet(text)
        before = scripts(redis)
        load = Overload(app, gateways, 9, self.seconds)
        self.assertLessEqual(set(load.statuses), {200, 429})
        self.assertEqual(load.statuses.count(200), app.count())
        self.assertGreater(load.statuses.count(429), 0, "this was no overload")
        self.assertIsNone(load.first_excess(permitted))
        self.assertGreater(self.on_lease(gateways), 0)
        self.assertLess(scripts(redis) - before, len(load.statuses) / 2)

    def test_a_token_bucket_is_never_exceeded_by_three_gateways(self):
        self.overload(token_bucket(400, 1))

    def test_a_fixed_window_is_never_exceeded_by_three_gateways(self):
        self.overload(fixed_window(400, 1))

    def test_a_gateway_that_is_killed_takes_its_permits_along_and_no_more(self):
        text, permitted = leased(token_bucket(400, 1))
        redis, app, gateways = self.fleet(text)
        first = Overload(app, gateways, 6, 1)
        begin = first.begin
        gateways[0].signal(signal.SIGKILL)
        second = Overload(app, gateways[1:], 6, 3)
        second.arrivals = sorted(each.arrived - begin for each in list(app.requests))
        self.assertIsNone(second.first_excess(permitted))
        self.assertGreater(second.statuses.count(200), 0.9 * 400 * 2)

    def test_few_requests_of_one_client_are_answered_as_an_exact_limit_answers(self):
        _, app, (gateway,) = self.fleet("precision: leased, token_bucket: {capacity: 5, refill: 5/1h}", 1)
        connection = self.connect(gateway)
        self.assertEqual([connection.ask().status for _ in range(8)], [200] * 5 + [429] * 3)
        self.assertEqual(app.count(), 5)
