"""Leased limits: few calls of Redis, never more than permitted, also when a gateway dies with permits in hand."""

import signal

from support.fleet import SHARED, Overload
from support.gateway_case import GatewayCase, compose
from support.permitted import fixed_window, token_bucket
from support.waiting import wait_until


def scripts(redis):
    calls = redis.calls()
    return calls.get("evalsha", 0) + calls.get("eval", 0)


def charged(redis):
    """What the only counter, a fixed window, says was charged."""
    (key,) = (each for each in redis.keys() if ":shared:" in each)
    return int(redis.command("GET", key).decode()[13:].lstrip(":"))


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


class Returns(GatewayCase):
    """A gateway that ends, or turns to another Redis, with permits in hand."""

    text = "precision: leased, fixed_window: {limit: 1000000, window: 1h}"

    def started(self):
        redis, app = self.redis(), self.upstream()
        gateway = self.gateway(app, SHARED.format(url=redis.url, words=self.text))
        self.wait_for_connections(redis, 1)
        return redis, app, gateway

    def admitted_until_the_end(self, gateway, act):
        """Keeps the key busy, acts once the gateway has permits in hand, and goes on until it ends; how many passed."""
        def client(number):
            if number == 0:
                wait_until(lambda: self.metrics(gateway).value("penstock_leases_out", limit="shared") > 0, what="permits")
                act()
                return 0
            admitted, last = 0, False
            connection = self.connect(gateway)
            while not last:
                response = connection.ask()
                admitted += response.status == 200
                last = response["Connection"] == "close"
            return admitted
        return sum(self.together(4, client))

    def test_what_was_not_spent_is_back_in_redis_when_the_gateway_has_ended(self):
        redis, app, gateway = self.started()
        admitted = self.admitted_until_the_end(gateway, lambda: gateway.signal(signal.SIGTERM))
        self.assertEqual(gateway.wait_for_end(), 0)
        self.assertEqual(charged(redis), admitted)
        self.assertEqual(app.count(), admitted)

    def test_it_is_back_too_when_the_gateway_turns_to_another_connection(self):
        redis, app, gateway = self.started()

        def turn_and_end():
            other = SHARED.format(url=redis.url, words=self.text).replace("127.0.0.1", "localhost")
            gateway.write_configuration(compose(other, app.server))
            gateway.signal(signal.SIGHUP)
            wait_until(lambda: self.metrics(gateway).value("penstock_config_reloads_total", result="success") == 1,
                       what="the reload")
            gateway.signal(signal.SIGTERM)
        admitted = self.admitted_until_the_end(gateway, turn_and_end)
        self.assertEqual(gateway.wait_for_end(), 0)
        self.assertEqual(charged(redis), admitted)

    def test_a_redis_that_stands_still_does_not_keep_the_gateway(self):
        redis, _, gateway = self.started()

        def freeze_and_end():
            redis.freeze()
            gateway.signal(signal.SIGTERM)
        self.admitted_until_the_end(gateway, freeze_and_end)
        self.assertEqual(gateway.wait_for_end(), 0)
