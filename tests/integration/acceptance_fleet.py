"""The long form of test_redis_fleet: 100 per 10 s, each algorithm, 30 s of overload. Run by `make acceptance`, or by hand:

PENSTOCK_BINARY=build/release/gateway/penstock PYTHONPATH=tests python3 tests/integration/acceptance_fleet.py
"""

import unittest

import test_redis_fleet


class LongFleet(test_redis_fleet.Fleet):
    limit, window, seconds = 100, 10, 35


if __name__ == "__main__":
    unittest.main(verbosity=2)
