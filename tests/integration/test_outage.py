"""Redis gone under load, with `on_store_failure: local`: the fleet admits no more than its limit and a bound (docs/outages.md), and
nobody gets a second quota when Redis is back."""

import threading
import time

from support.fleet import Overload
from support.gateway_case import GatewayCase
from support.http_client import ask
from support.outage_bound import LONGEST_PAUSE, bound, lost
from support.permitted import fixed_window, token_bucket
from support.redis_log import outage_of
from support.waiting import SLACK, wait_seconds, wait_until

GATEWAYS = 3
CHECK = 0.2         # seconds: check_timeout
OPEN_FOR_MAX = 0.5  # seconds; of the breaker

LOCAL = """
workers: {workers}
redis: {{url: "{url}", check_timeout: 200ms, breaker: {{open_for: 100ms, open_for_max: 500ms}}{more}}}
limits: {{shared: {{key: everyone, on_store_failure: local, {words}}}}}
global_limits: [shared]
"""


class Local(GatewayCase):
    def fleet(self, redis, words, workers=1, more=""):
        app = self.upstream()
        gateways = [self.gateway(app, LOCAL.format(url=redis.url, words=words, workers=workers, more=more)) for _ in range(GATEWAYS)]
        self.wait_for_connections(redis, GATEWAYS * workers)
        for gateway in gateways:
            self.wait_for_metric(gateway, "penstock_gateways_alive", GATEWAYS)
        return app, gateways

    def wait_for_metric(self, gateway, name, value):
        wait_until(lambda: self.metrics(gateway).value(name) == value, what=f"{name} {value:g}")

    def total(self, gateways, name):
        return sum(self.metrics(gateway).value(name) for gateway in gateways)

    def apart(self, gateways, broken):
        """Seconds between the first gateway and the last to lose Redis and to find it, together."""
        found = [outage_of(gateway, broken) for gateway in gateways]
        losing, finding = (max(each) - min(each) for each in zip(*found))
        self.assertLessEqual(finding, LONGEST_PAUSE + OPEN_FOR_MAX + SLACK)
        return losing + CHECK + finding  # the first to say so has waited for a check


class Outage(Local):
    limit, window, before, gone, after = 60, 2, 2, 4, 4

    def survive(self, permitted, breaks, mends):
        """Overload over the whole of an outage; what was admitted, in all and while Redis was gone."""
        redis = self.redis()
        app, gateways = self.fleet(redis, permitted.words)
        load = []
        seconds = self.before + self.gone + self.after
        client = threading.Thread(target=lambda: load.append(Overload(app, gateways, 6, seconds)), daemon=True)
        client.start()
        wait_seconds(self.before)
        broken = time.time()
        breaks(redis)
        before = len(app.requests)
        wait_seconds(self.gone)
        meanwhile = len(app.requests) - before
        mends(redis)
        client.join()
        self.assertTrue(load, "the clients failed")
        load = load[0]
        self.assertLessEqual(set(load.statuses), {200, 429})
        self.assertEqual(load.statuses.count(200), app.count())
        for gateway in gateways:
            self.wait_for_metric(gateway, "penstock_outage_counters", 0)
        self.assertGreater(self.total(gateways, "penstock_outage_permits_handed_over_total"), 0)
        self.assertEqual(self.total(gateways, "penstock_outage_permits_not_recorded_total"), 0)
        allowed = bound(self.limit, self.limit / self.window, GATEWAYS, self.apart(gateways, broken))
        worst = permitted.worst_excess(load.begin, load.arrivals, load.slowest)
        self.assertLessEqual(worst, allowed)
        # The gates did not close either: nearly the whole pace, but for the time that it took to notice.
        self.assertGreater(meanwhile, 0.5 * self.limit * (self.gone - 1) / self.window)
        return load, meanwhile, worst, allowed

    def test_frozen_under_load(self):
        self.survive(token_bucket(self.limit, self.window), lambda redis: redis.freeze(), lambda redis: redis.thaw())

    def test_killed_under_load_and_empty_when_it_comes_back(self):
        self.survive(fixed_window(self.limit, self.window), lambda redis: redis.kill(), lambda redis: redis.start())

    def test_the_number_of_gateways_stays_while_redis_is_gone_and_follows_when_it_is_back(self):
        redis = self.redis()
        _, gateways = self.fleet(redis, "token_bucket: {capacity: 9, refill: 9/1h}")
        redis.kill()
        wait_until(lambda: all(self.metrics(each).value("penstock_store_up") == 0 for each in gateways), what="all noticed")
        gateways[2].stop()
        for gateway in gateways[:2]:
            self.assertEqual(self.metrics(gateway).value("penstock_gateways_alive"), GATEWAYS)
        redis.start()
        for gateway in gateways[:2]:
            self.wait_for_metric(gateway, "penstock_gateways_alive", 2)

    def test_what_was_admitted_in_an_outage_is_charged_and_nobody_gets_it_twice(self):
        redis = self.redis()
        _, gateways = self.fleet(redis, "fixed_window: {limit: 30, window: 1h}", workers=2)
        redis.kill()
        wait_until(lambda: all(self.metrics(each).value("penstock_store_up") == 0 for each in gateways), what="all noticed")
        # Nothing is known of the counter: half of its share for each.
        for gateway in gateways:
            self.assertEqual([ask(gateway.address).status for _ in range(9)], [200] * 5 + [429] * 4)
        redis.start()
        for gateway in gateways:
            wait_until(lambda each=gateway: self.metrics(each).value("penstock_store_up") == 1
                       and self.metrics(each).value("penstock_store_breaker_state") == 0, what="all are back")
            self.wait_for_metric(gateway, "penstock_outage_counters", 0)
        self.assertEqual(self.total(gateways, "penstock_outage_permits_handed_over_total"), 15)
        statuses = [ask(gateways[turn % GATEWAYS].address).status for turn in range(20)]
        self.assertEqual(statuses, [200] * 15 + [429] * 5)

    def test_it_starts_without_redis_as_one_of_as_many_as_are_configured(self):
        redis = self.redis()
        redis.kill()
        app = self.upstream()
        gateway = self.gateway(app, LOCAL.format(url=redis.url, words="fixed_window: {limit: 30, window: 1h}", workers=1,
                                                 more=f", gateways_at_least: {GATEWAYS}"))
        self.assertEqual(self.metrics(gateway).value("penstock_gateways_alive"), GATEWAYS)
        self.assertEqual([ask(gateway.address).status for _ in range(9)], [200] * 5 + [429] * 4)
        redis.start()
        self.wait_for_metric(gateway, "penstock_outage_permits_handed_over_total", 5)
        self.assertEqual([ask(gateway.address).status for _ in range(26)], [200] * 25 + [429])


class Unwilling(Local):
    """Redis lives, and refuses every check: the limit holds all the same. Each gateway has a Redis of its own, and is alone."""

    words = ("token_bucket: {capacity: 20, refill: 20/hour}", "fixed_window: {limit: 20, window: 1h}")

    def expect_half(self, redis, url, words, seconds=0):
        gateway = self.gateway(self.upstream(), LOCAL.format(url=url, words=words, workers=1, more=""))
        self.wait_for_connections(redis, 1)
        end = time.time() + seconds
        statuses = [ask(gateway.address).status for _ in range(100)]
        while time.time() < end:
            statuses.append(ask(gateway.address).status)
        self.assertEqual(statuses, [200] * 10 + [429] * (len(statuses) - 10))

    def test_one_that_knows_no_scripts(self):
        for words in self.words:
            with self.subTest(words):
                redis = self.redis(options=("--rename-command", "EVALSHA", "", "--rename-command", "EVAL", ""))
                self.expect_half(redis, redis.url, words)

    def test_a_user_without_a_right_to_the_key(self):
        for words in self.words:
            with self.subTest(words):  # for some circles of a breaker that a probe closes
                redis = self.redis()
                redis.command("ACL", "SETUSER", "u", "on", ">pw", "~rl:{penstock*", "+@all")
                self.expect_half(redis, f"redis://u:pw@127.0.0.1:{redis.port}/0", words, seconds=3)


class Restart(Local):
    """Redis restarted empty under load of one gateway: nothing else can loosen the limit, so that what is beyond it is what Redis lost."""

    limit, window, before, after = 40, 4, 1.5, 5

    def restart(self, gone):
        redis, app = self.redis(), self.upstream()
        permitted = token_bucket(self.limit, self.window)
        gateway = self.gateway(app, LOCAL.format(url=redis.url, words=permitted.words, workers=1, more=""))
        self.wait_for_connections(redis, 1)
        load = []
        client = threading.Thread(target=lambda: load.append(Overload(app, [gateway], 4, self.before + gone + self.after)), daemon=True)
        client.start()
        wait_seconds(self.before)
        redis.kill()
        wait_seconds(gone)
        redis.start()
        client.join()
        self.assertTrue(load, "the clients failed")
        self.wait_for_metric(gateway, "penstock_outage_counters", 0)
        handed_over = self.total([gateway], "penstock_outage_permits_handed_over_total")
        return handed_over, permitted.worst_excess(load[0].begin, load[0].arrivals, load[0].slowest)

    def expect(self, handed_over, worst):
        # What is not a whole permit on either side of the outage.
        self.assertLessEqual(worst, lost(self.limit, handed_over) + 2)

    def test_at_once_it_admits_at_most_the_limit_once_more(self):
        handed_over, worst = self.restart(0)
        self.expect(handed_over, worst)
        self.assertGreater(worst, 0, "Redis lost nothing")

    def test_after_a_while_what_was_admitted_meanwhile_is_charged_and_makes_it_less(self):
        handed_over, worst = self.restart(2)
        self.assertGreater(handed_over, self.limit / self.window)
        self.expect(handed_over, worst)
