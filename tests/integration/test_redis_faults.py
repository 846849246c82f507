"""The fault matrix of docs/faults.md in short: every fault of Redis under load with `local`, and two that differ most with the others.
acceptance_faults.py has all of it, and takes its time."""

import unittest

from support.fault_cell import Timing, measure_all
from support.redis_faults import FAULTS
from support.waiting import SLACK

TIMING = Timing(before=1, during=1, after=0.5, slack=SLACK)
AT_ONCE = 4  # cells: they mostly wait


class Faults(unittest.TestCase):
    def expect_all(self, cells):
        for cell in measure_all(cells, TIMING, AT_ONCE):
            with self.subTest(cell.fault.name, mode=cell.mode):
                self.assertEqual(cell.wrong + cell.late, [], cell.log)

    def test_local_goes_on_limiting(self):
        self.expect_all([(fault, "local") for fault in FAULTS])

    def test_allow_and_deny(self):
        silent = next(fault for fault in FAULTS if fault.says == "timed_out")
        refusing = next(fault for fault in FAULTS if fault.says == "OOM")
        self.expect_all([(fault, mode) for fault in (silent, refusing) for mode in ("allow", "deny")])
