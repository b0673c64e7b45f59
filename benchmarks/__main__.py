"""`python -m benchmarks [NAME …]`: run one benchmark, or all; a table and JSON lines for each."""

import sys
from collections.abc import Callable

from benchmarks import (
    beside_import,
    booking_to_frame,
    cost,
    import_csv,
    ledger_apply,
    ledger_flat,
    ledger_rebuild,
    page,
    refresh,
    restate,
    revalue,
    trades_list,
)
from benchmarks.report import Report

BENCHMARKS: dict[str, Callable[[Report], None]] = {
    "booking_to_frame": booking_to_frame.measure,
    "apply": ledger_apply.measure,
    "rebuild": ledger_rebuild.measure,
    "cost": cost.measure,
    "flat": ledger_flat.measure,
    "import": import_csv.measure,
    "beside_import": beside_import.measure,
    "restate": restate.measure,
    "revalue": revalue.measure,
    "page": page.measure,
    "trades_list": trades_list.measure,
    "refresh": refresh.measure,
}


def main(names: list[str]) -> int:
    """Run those named, or all; 2 for an unknown name."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        known = ", ".join(BENCHMARKS)
        print(f"no such benchmark: {', '.join(unknown)}; there are: {known}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        report = Report(name)
        BENCHMARKS[name](report)
        report.show()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
