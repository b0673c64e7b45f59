"""What another user waits while strangers try passwords in loops, beside what they wait alone.

16 loops past nginx, which would hold them back by address: each try is from another address, and
half of them are of names that nobody has. The other user asks for their accounts through nginx, one
call after the other. In alternating rounds of one run.

From the environment: BENCH_ROUNDS (5), BENCH_CALLS (400) of each, BENCH_LOOPS (16).
"""

import os
from collections import Counter

from benchmarks.report import Report
from benchmarks.rig.stacks import stacks
from tests.stack.door_loops import Loops, seconds_of

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
CALLS = int(os.environ.get("BENCH_CALLS", "400"))
LOOPS = int(os.environ.get("BENCH_LOOPS", "16"))


def measure(report: Report) -> None:
    with stacks() as found:
        stack = found[0]
        other, api = stack.client("viewer"), stack.layout.socket("api")
        alone: list[float] = []
        during: list[float] = []
        tried: Counter[int] = Counter()
        for number in range(ROUNDS):
            alone.append(_p95(seconds_of(other, CALLS)))
            with Loops(api, f"stranger {number}", LOOPS).running() as loops:
                during.append(_p95(seconds_of(other, CALLS)))
            assert loops.failed == []
            tried += loops.answered
        report.rounds("GET accounts/ alone, p95", alone, "ms")
        report.rounds(f"under {LOOPS} loops, p95", during, "ms", beside="GET accounts/ alone, p95")
        report.add("passwords looked at", tried[400], "")
        report.add("tries refused", tried[429], "")


def _p95(seconds: list[float]) -> float:
    return seconds[int(len(seconds) * 0.95)] * 1000
