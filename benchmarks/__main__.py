"""`python -m benchmarks [NAME …] [--other PATH]`: run those named, or all but the largest; a table
and JSON lines for each. Those of whole stacks also measure the checkout at PATH, in alternating
rounds."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from benchmarks import (
    beside_import,
    booking,
    booking_to_frame,
    cost,
    doors,
    fanout,
    guards,
    idle,
    import_csv,
    ledger_apply,
    ledger_flat,
    ledger_rebuild,
    page,
    page_work,
    preview,
    reads,
    refresh,
    restate,
    revalue,
    split,
    strategies,
    trades_list,
    upgrades,
)
from benchmarks.report import Report
from benchmarks.rig.stacks import OTHER

BENCHMARKS: dict[str, Callable[[Report], None]] = {
    "booking": booking.measure,
    "guards": guards.measure,
    "booking_to_frame": booking_to_frame.measure,
    "apply": ledger_apply.measure,
    "rebuild": ledger_rebuild.measure,
    "cost": cost.measure,
    "flat": ledger_flat.measure,
    "import": import_csv.measure,
    "preview": preview.measure,
    "beside_import": beside_import.measure,
    "restate": restate.measure,
    "revalue": revalue.measure,
    "split": split.measure,
    "strategies": strategies.measure,
    "page": page.measure,
    "page_work": page_work.measure,
    "reads": reads.measure,
    "trades_list": trades_list.measure,
    "refresh": refresh.measure,
    "fanout": fanout.measure,
    "doors": doors.measure,
    "ten_decimals": upgrades.measure_ten_decimals,
    "fees_upgrade": upgrades.measure_fees,
    "idle": idle.measure,
}
# Millions of rows, for a migration that was written once.
ONLY_BY_NAME = {"ten_decimals", "fees_upgrade"}


def main(arguments: Sequence[str]) -> int:
    """Run those named, or all that need no name; 2 for an unknown name."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Run benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--other", metavar="PATH", help="a second checkout to measure beside")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in BENCHMARKS]
    if unknown:
        known = ", ".join(BENCHMARKS)
        print(f"no such benchmark: {', '.join(unknown)}; there are: {known}", file=sys.stderr)
        return 2
    if asked.other:
        os.environ[OTHER] = asked.other
    for name in asked.names or [name for name in BENCHMARKS if name not in ONLY_BY_NAME]:
        report = Report(name)
        BENCHMARKS[name](report)
        report.show()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
