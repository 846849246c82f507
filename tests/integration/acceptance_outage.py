"""Redis stopped for 20 seconds under load on three gateways with `on_store_failure: local`, and restarted empty under load on one: the
upstream's own count against the limit and the bound of docs/outages.md. Prints tables in Markdown. Run by `make acceptance` (about six minutes), or by hand:

PENSTOCK_BINARY=build/release/gateway/penstock PYTHONPATH=tests python3 tests/integration/acceptance_outage.py
"""

import unittest

import test_outage
from support.outage_bound import lost
from support.permitted import clock_window, fixed_window, periodic_bucket, sliding_counter, sliding_log, sliding_window, token_bucket
from support.tables import Table

FORMS = (token_bucket, periodic_bucket, fixed_window, clock_window, sliding_window, sliding_counter, sliding_log)
table = Table("limit", "Redis was", "admitted, of a permitted", "while it was gone, of a permitted", "most beyond the limit in any interval",
              "bound")
restarts = Table("Redis was gone for, s", "charged when it was back", "most beyond the limit in any interval", "bound")


class Outage(test_outage.Outage):
    """100 permits per 5 s, asked for by six clients before, during and after an outage."""

    limit, window, before, gone, after = 100, 5, 6, 20, 8

    def test_every_form(self):
        for index, form in enumerate(FORMS):
            permitted = form(self.limit, self.window)
            ends = (("frozen", lambda redis: redis.freeze(), lambda redis: redis.thaw()),
                    ("killed, and came back empty", lambda redis: redis.kill(), lambda redis: redis.start()))
            for how, breaks, mends in (ends if index == 0 else ends[index % 2:index % 2 + 1]):
                with self.subTest(permitted.name, how=how):
                    load, meanwhile, worst, allowed = self.survive(permitted, breaks, mends)
                    table.row(permitted.name, how, f"{len(load.arrivals)} of {permitted.since(load.begin, load.end):.0f}",
                              f"{meanwhile} of {self.limit * self.gone / self.window:.0f}", f"{max(worst, 0):.1f}", f"{allowed:.0f}")
                    self.doCleanups()


class Restart(test_outage.Restart):
    def test_outages_of_every_length(self):
        for gone in (0, 1, 2, 4):
            with self.subTest(gone=gone):
                handed_over, worst = self.restart(gone)
                restarts.row(gone, int(handed_over), f"{max(worst, 0):.1f}", int(lost(self.limit, handed_over)))
                self.expect(handed_over, worst)
                self.doCleanups()


if __name__ == "__main__":
    result = unittest.main(verbosity=2, exit=False,
                           argv=["acceptance_outage", "Outage.test_every_form", "Restart.test_outages_of_every_length"]).result
    print(f"{table}\n\n{restarts}")
    raise SystemExit(not result.wasSuccessful())
