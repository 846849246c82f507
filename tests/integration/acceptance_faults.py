"""Every fault of Redis under steady load, with every `on_store_failure`: prints the matrix of docs/faults.md in Markdown and exits
with 1 if a cell is not as that page says. Run by `make faults` (some five minutes), or by hand, maybe with words of some faults' names:

PENSTOCK_BINARY=build/release/gateway/penstock PYTHONPATH=tests python3 tests/integration/acceptance_faults.py [WORDS...]
"""

import sys

from support.fault_cell import COLUMNS, Timing, measure_all
from support.fault_rig import CHECK_TIMEOUT, CLIENTS, LIMIT, PACE, RATE
from support.redis_faults import FAULTS
from support.tables import Table

MODES = ("local", "allow", "deny")
TIMING = Timing(before=1.5, during=4, after=1.5, slack=0.25)
AT_ONCE = 2  # cells


def main(words):
    chosen = [(fault, mode) for fault in FAULTS for mode in MODES if not words or any(word in fault.name for word in words)]
    cells = measure_all(chosen, TIMING, AT_ONCE, lambda cell: print("F" if cell.wrong or cell.late else ".", end="", flush=True))
    table = Table(*COLUMNS)
    for cell in cells:
        table.row(*cell.row())
    print(f"\n\none gateway, one bucket of {LIMIT} and {RATE}/s for all, {CLIENTS} clients with {PACE} requests/s, "
          f"check_timeout {1000 * CHECK_TIMEOUT:.0f} ms, each fault for {TIMING.during:g} s\n")
    print(table)
    bad = [cell for cell in cells if cell.wrong or cell.late]
    for cell in cells:
        if cell.repeated:
            print(f"measured twice: {cell.fault.name}, {cell.mode}")
    for cell in bad:
        print(f"WRONG: {cell.fault.name}, {cell.mode}: " + "; ".join(cell.wrong + cell.late))
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
