"""The long form of test_memory: 5 GiB up and down. Run by `make acceptance`, or by hand:

PENSTOCK_BINARY=build/release/gateway/penstock PYTHONPATH=tests python3 tests/integration/acceptance_bodies.py
"""

import unittest

import test_memory


class LargeBodies(test_memory.ConstantMemory):
    size = 5 * 1024 * test_memory.MIB


if __name__ == "__main__":
    unittest.main(verbosity=2)
