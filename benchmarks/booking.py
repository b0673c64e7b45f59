"""Bookings a second over the whole way, beside what limits them; in alternating rounds.

First whole stacks alternate, with nothing else between, where there is more than one to compare
(`--other`, BENCH_FEES): what limits them writes five times as much into the database of one of
them, which goes on vacuuming in the next round. Then ours alternates with what limits it.

Each way books in 60 accounts × 15 tickers over 16 connections that wait for each answer: in
accounts that hold 15 positions and in accounts that hold 500. All use one database, the stack's.

ours                the stack as it runs, through nginx, with a token; workers read the ledger and
                    beat has its jobs done, the simulated prices' among them
ours with two fees  the same, each booking with a commission and a regulatory fee (BENCH_FEES=1)
the other checkout  the same by another checkout's stack (`--other PATH`)
limit               our own writer's statement for one trade, its version and entry, prepared, by
                    pgbench
limit by hand       the same rows by the plainest statement that one can write
bare                a bare WSGI function behind the same granian and nginx: a SELECT by token, the
                    statement written by hand, no framework
usual               the same function, but the request locks the position's row, inserts the trade
                    and updates the row; it keeps no versions and no ledger

While the last four run, everything of the stack but PostgreSQL is stopped in its place (SIGSTOP):
nobody reads the ledger. Afterwards the readers catch up, and positions, trades, versions and
entries are compared with what was sent. CPU of ours counts until the readers have read it all.

From the environment: BENCH_ROUNDS (5), BENCH_SECONDS (8) of each, BENCH_CONNECTIONS (16),
BENCH_CLIENT_IDS (0; 1: each booking of ours has a client_trade_id), BENCH_FEES (0).
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from benchmarks.booking_ground import ACCOUNTS, FEW, MANY, TICKERS, Ground, prepare
from benchmarks.designs import TRADE_DATE, statements
from benchmarks.report import Report
from benchmarks.rig.beside import Beside, beside
from benchmarks.rig.load import Load, load
from benchmarks.rig.pgbench import pgbench
from benchmarks.rig.rounds import (
    Round,
    add_cpu,
    add_latencies,
    add_more,
    add_rates,
    alternate,
    metered,
)
from benchmarks.rig.stacks import Stack, alone, stacks

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "8"))
CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", "16"))
CLIENT_IDS = os.environ.get("BENCH_CLIENT_IDS", "0") == "1"
FEES = os.environ.get("BENCH_FEES", "0") == "1"
TWO_FEES = {
    "fees": [
        {"kind": "commission", "amount": "2.00"}, {"kind": "regulatory", "amount": "0.58"},
    ]
}  # fmt: skip
WHOLE, WITH_FEES = "ours beside stacks", "ours with two fees"
WARM_UP = 1
SETTLE = 1.5
"""Seconds for what was stopped to do what it missed."""
TRADES = "/api/v1/trades/"


def measure(report: Report) -> None:
    with stacks() as found:
        grounds = []
        for stack in found:
            alone(stack, found)
            grounds.append(prepare(stack))
        ours = grounds[0]
        alone(ours.stack, found)
        with ours.stack.superuser() as root:
            root.execute(statements.USUAL_TABLES.encode())
        with beside(
            ours.stack, "benchmarks.designs.booking:application", {TRADE_DATE: ours.trade_date}
        ) as designs:
            _idle(report, ours.stack)
            scripts = {
                "limit": statements.by_writer(_writer(ours.stack), ours.trade_date),
                "limit by hand": statements.by_hand(ours.trade_date),
            }
            rounds = alternate(_stack_ways(grounds), ROUNDS)
            rounds |= alternate(_ways(ours, scripts, designs, found), ROUNDS)
            for ground in grounds:
                alone(ground.stack, found)
                report.add(f"{ground.stack.name}: trades compared", ground.compare(), "")
    _report(report, rounds, [ground.stack.name for ground in grounds[1:]])


def _writer(stack: Stack) -> str:
    """Our own statement."""
    said = stack.manage(
        "shell",
        "--no-imports",
        "-c",
        "from trades.services.recording import BOOK; import json;"
        "print(json.dumps(BOOK[False, False, False]))",
    )
    return str(json.loads(said.splitlines()[-1]))


def _stack_ways(grounds: list[Ground]) -> dict[str, Callable[[], Round]]:
    """Whole stacks beside one another; none where there is nothing to compare."""
    ours, found = grounds[0], [ground.stack for ground in grounds]
    ways: dict[str, Callable[[], Round]] = {}
    if FEES or len(grounds) > 1:
        for size in (FEW, MANY):
            for ground in grounds:
                name = WHOLE if ground is ours else ground.stack.name
                ways[_title(name, size)] = partial(_whole, ground, size, found)
            if FEES:
                ways[_title(WITH_FEES, size)] = partial(_whole, ours, size, found, TWO_FEES)
    return ways


def _ways(
    ours: Ground, scripts: Mapping[str, str], designs: Beside, found: list[Stack]
) -> dict[str, Callable[[], Round]]:
    ways: dict[str, Callable[[], Round]] = {}
    for size in (FEW, MANY):
        ways[_title("ours", size)] = partial(_whole, ours, size, found)
        for name, script in scripts.items():
            ways[_title(name, size)] = partial(_limit, script, ours, size, found)
        for name in ("bare", "usual"):
            ways[_title(name, size)] = partial(_design, name, ours, size, designs, found)
    return ways


def _title(name: str, size: int) -> str:
    return f"{name}, {size} positions"


def _whole(
    ground: Ground, size: int, found: list[Stack], terms: Mapping[str, Any] | None = None
) -> Round:
    """The stack as it runs, readers and all."""
    stack = ground.stack
    alone(stack, found)
    time.sleep(SETTLE)
    stack.drained()
    requests = ground.requests(TRADES, size, client_ids=CLIENT_IDS, more=terms)
    with load(stack.port, requests, connections=CONNECTIONS, status=201) as sender:
        ground.count(size, sender.run(WARM_UP).answered)
        stack.drained()
        with metered(stack.parts() | _ourselves(sender)) as used:
            came = sender.run(SECONDS)
            waited = stack.drained()
        ground.count(size, came.answered)
    more = {"all readers had it after": 1000 * waited}
    return Round(came.count, came.seconds, came.latencies, used.cpu, used.elsewhere, more)


def _limit(script: str, ground: Ground, size: int, found: list[Stack]) -> Round:
    """A statement alone."""
    stack = ground.stack
    alone(stack, found, ("postgres",))
    variables = {
        "first_account": ground.first_account[size],
        "last_account": ground.first_account[size] + ACCOUNTS - 1,
        "first_instrument": ground.first_instrument,
        "last_instrument": ground.first_instrument + TICKERS - 1,
        "user": ground.user,
    }
    run = partial(pgbench, stack, script, clients=CONNECTIONS, variables=variables)
    warm = run(seconds=WARM_UP)
    parts = {"postgres": stack.pid("postgres"), "benchmark": os.getpid()}
    with metered(parts) as used:
        came = run(seconds=SECONDS)
    ground.count_written(warm.count + came.count)
    cpu = {"postgres": used.cpu["postgres"], "load generator": came.cpu_seconds}
    _catch_up(stack, found)
    return Round(came.count, came.seconds, came.latencies, cpu, used.elsewhere)


def _design(name: str, ground: Ground, size: int, designs: Beside, found: list[Stack]) -> Round:
    """A function of benchmarks.designs.booking."""
    stack = ground.stack
    alone(stack, found, ("postgres",))
    requests = ground.requests(f"/{name}/", size, client_ids=False)
    with load(designs.port, requests, connections=CONNECTIONS, status=201) as sender:
        ground.count(size, sender.run(WARM_UP).answered, usual=name == "usual")
        parts = designs.parts | {"postgres": stack.pid("postgres")}
        with metered(parts | _ourselves(sender)) as used:
            came = sender.run(SECONDS)
        ground.count(size, came.answered, usual=name == "usual")
    _catch_up(stack, found)
    return Round(came.count, came.seconds, came.latencies, used.cpu, used.elsewhere)


# --- who runs meanwhile --------------------------------------------------------------------------


def _catch_up(stack: Stack, found: list[Stack]) -> None:
    """The next round must not pay for what this one left unread."""
    alone(stack, found)
    stack.drained()


def _ourselves(sender: Load) -> dict[str, int]:
    return {"load generator": sender.pid, "benchmark": os.getpid()}


# --- figures -------------------------------------------------------------------------------------


def _idle(report: Report, stack: Stack) -> None:
    """What the stack costs while nobody asks anything, since it is in ours as well."""
    time.sleep(SETTLE)
    parts = stack.parts()
    with metered(parts) as used:
        time.sleep(SECONDS)
    for part, seconds in used.cpu.items():
        if seconds / SECONDS > 0.001:
            report.add(f"idle, CPU a second: {part}", 1000 * seconds / SECONDS, "ms")


def _report(report: Report, rounds: dict[str, list[Round]], others: list[str]) -> None:
    for size in (FEW, MANY):
        limit = _title("limit", size)
        add_rates(report, limit, rounds[limit])
        for name in ("limit by hand", "bare", "usual", "ours"):
            title = _title(name, size)
            beside = [limit]
            if name == "ours":
                beside.append(_title("usual", size))
            if size == MANY:
                beside.append(_title(name, FEW))
            add_rates(report, title, rounds[title], *beside)
        for other in others:
            add_rates(report, _title(other, size), rounds[_title(other, size)])
            whole = _title(WHOLE, size)
            add_rates(report, whole, rounds[whole], _title(other, size))
        if FEES:
            title = _title(WITH_FEES, size)
            add_rates(report, title, rounds[title], _title(WHOLE, size))
    for title, each in rounds.items():
        add_latencies(report, title, each)
        add_more(report, title, each)
        add_cpu(report, title, each, "a booking")
