"""Redis stopped for 20 seconds under load on three gateways with `on_store_failure: local`: the upstream's own count against the
limit and the bound of docs/outages.md. Prints a table in Markdown. Run by `make acceptance` (about six minutes), or by hand:

PENSTOCK_BINARY=build/release/gateway/penstock PYTHONPATH=tests python3 tests/integration/acceptance_outage.py
"""

import unittest

import test_outage
from support.permitted import clock_window, fixed_window, periodic_bucket, sliding_counter, sliding_log, sliding_window, token_bucket
from support.tables import Table

FORMS = (token_bucket, periodic_bucket, fixed_window, clock_window, sliding_window, sliding_counter, sliding_log)
table = Table("limit", "Redis was", "admitted, of a permitted", "while it was gone, of a permitted", "most beyond the limit in any interval",
              "bound")


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


if __name__ == "__main__":
    result = unittest.main(verbosity=2, exit=False, argv=["acceptance_outage", "Outage.test_every_form"]).result
    print(table)
    raise SystemExit(not result.wasSuccessful())
