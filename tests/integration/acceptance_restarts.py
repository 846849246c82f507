"""Redis killed and started again a thousand times under light load: the gateway's descriptors and memory stay where they were.
Prints a table in Markdown. Run by `make acceptance` (some ten minutes), or by hand:

PENSTOCK_BINARY=build/release/gateway/penstock PYTHONPATH=tests python3 tests/integration/acceptance_restarts.py [RESTARTS]
"""

import sys
import unittest

import test_redis_restarts
from support.tables import Table

table = Table("restarts", "descriptors", "resident, KiB", "requests", "connections made", "lines on stderr")


class Restarts(test_redis_restarts.Restarts):
    restarts = int(sys.argv[1]) if len(sys.argv) > 1 else 1000

    def seen(self, count, state):
        if count in (10, self.restarts) or count % max(1, self.restarts // 10) == 0:
            table.row(count, *state)
            print(".", end="", flush=True)


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1], defaultTest="Restarts", exit=False).result
    print(f"\nredis-server killed and started {Restarts.restarts} times\n")
    print(table)
    raise SystemExit(not result.wasSuccessful())
