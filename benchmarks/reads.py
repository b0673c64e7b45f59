"""Lists of the API, beside the bare statement and beside serializers over models; in alternating
rounds of one run.

ours                the list as it is, through nginx, with a token
the other checkout  the same by another checkout's stack (`--other PATH`)
bare                one prepared statement, the plainest that gives the same rows, written by orjson
                    in a view behind the same granian, nginx, middleware and login
usual               serializers of REST framework over models, likewise

8 connections wait for each answer. Everything that is not asked is stopped in its place (SIGSTOP):
no worker, no beat, so that no price changes and every way has the same rows; that they do is looked
at before. The account of 10 names has traded each of them once a week through a year, the one of
500 has bought each today; P&L is of the past 252 sessions, by ticker the first page of 1,000 rows.

From the environment: BENCH_ROUNDS (5), BENCH_SECONDS (3) of each, BENCH_CONNECTIONS (8), and
BENCH_LISTS, words of which one is in the name of each list to measure (all lists).
"""

import os
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from benchmarks.reads_ground import FULL, TEN, Ground, prepare
from benchmarks.report import Report
from benchmarks.rig.beside import Beside, beside
from benchmarks.rig.load import load, request_bytes
from benchmarks.rig.rounds import Round, add_cpu, add_latencies, add_rates, alternate, metered
from benchmarks.rig.stacks import Stack, alone, stacks

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
LISTS = os.environ.get("BENCH_LISTS", "").split(",")
CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", "8"))
WARM_UP = 1.0
"""Seconds: every connection of a pool plans a statement anew a few times before it is settled."""
READERS = ("postgres", "valkey", "api", "nginx")
"""What answers a request that reads."""
WAYS = ("bare", "usual")
# What depends on the mark: prices after a session's end, and stale ones, are a matter of rules that
# the other ways leave out.
OF_MARKS = frozenset(
    (
        *("price", "price_as_of", "as_of", "age_seconds", "stale", "source", "mark_source"),
        *("price_source", "market_value", "position_pnl", "total_pnl", "unrealized_pnl"),
        *("pnl_valid", "pnl_reason", "average_cost"),
    )
)


def measure(report: Report) -> None:
    with stacks() as found:
        grounds = []
        for stack in found:
            alone(stack, found)
            grounds.append(prepare(stack))
        ours = grounds[0]
        alone(ours.stack, found)
        target, settings = "eqtrade.wsgi:application", "benchmarks.designs.settings"
        environment = {**ours.environment, "DJANGO_SETTINGS_MODULE": settings}
        with beside(ours.stack, target, environment) as designs:
            alone(ours.stack, found, READERS)
            for name, path in _lists(ours).items():
                rows = _compare(ours, name, path, designs)
                report.add(f"{name}: rows", rows, "")
                for ground in grounds[1:]:
                    alone(ground.stack, found, READERS)
                    theirs = ground.get(ground.stack.port, f"/api/v1/{path}")["results"]
                    assert len(theirs) == rows, f"{name}: {len(theirs)} rows by {ground.stack.name}"
                    alone(ours.stack, found, READERS)
            rounds = alternate(_ways(grounds, designs), ROUNDS)
    _report(report, rounds, list(_lists(ours)), [ground.stack.name for ground in grounds])


def _lists(ground: Ground) -> dict[str, str]:
    year = f"account={TEN}&from={ground.days[0]}&to={ground.days[-1]}"
    lists = {
        "positions of 10": f"positions/?account={TEN}",
        "positions of 500": f"positions/?account={FULL}",
        "100 trades": f"trades/?account={FULL}",
        "503 prices": "prices/",
        "P&L of a year by account": f"pnl/?{year}&by=account",
        "P&L of a year by ticker": f"pnl/?{year}&by=ticker",
    }
    return {name: path for name, path in lists.items() if any(word in name for word in LISTS)}


def _ways(grounds: list[Ground], designs: Beside) -> dict[str, Callable[[], Round]]:
    ours, found = grounds[0], [ground.stack for ground in grounds]
    ways: dict[str, Callable[[], Round]] = {}
    for name, path in _lists(ours).items():
        for ground in grounds:
            port, parts = ground.stack.port, _programs(ground.stack)
            address = f"/api/v1/{path}"
            ways[_title(name, ground.stack.name)] = partial(
                _read, ground, port, address, parts, found
            )
        for way in WAYS:
            parts = designs.parts | {"postgres": ours.stack.pid("postgres")}
            address = f"/api/v1/{way}/{path}"
            ways[_title(name, way)] = partial(_read, ours, designs.port, address, parts, found)
    return ways


def _title(name: str, way: str) -> str:
    return f"{name}, {way}"


def _programs(stack: Stack) -> dict[str, int]:
    return {name: stack.pid(name) for name in READERS}


def _read(ground: Ground, port: int, path: str, parts: dict[str, int], found: list[Stack]) -> Round:
    alone(ground.stack, found, READERS)
    request = request_bytes("GET", path, ground.headers)
    with load(port, [request], connections=CONNECTIONS, status=200) as sender:
        sender.run(WARM_UP)
        ourselves = {"load generator": sender.pid, "benchmark": os.getpid()}
        with metered(parts | ourselves) as used:
            came = sender.run(SECONDS)
    return Round(came.count, came.seconds, came.latencies, used.cpu, used.elsewhere)


# --- the same rows -------------------------------------------------------------------------------


def _compare(ground: Ground, name: str, path: str, designs: Beside) -> int:
    """Every way answers with the same rows, but for what depends on marks; how many they are."""
    ours = ground.get(ground.stack.port, f"/api/v1/{path}")["results"]
    left_out = frozenset() if path.startswith("pnl/") else OF_MARKS
    for way in WAYS:
        rows = ground.get(designs.port, f"/api/v1/{way}/{path}")["results"]
        assert len(rows) == len(ours), f"{name}: {len(rows)} rows {way}, {len(ours)} ours"
        for row, own in zip(rows, ours, strict=True):
            assert row.keys() == own.keys(), f"{name}, {way}: {row.keys() ^ own.keys()}"
            for field in own.keys() - left_out:
                same = _plain(row[field]) == _plain(own[field])
                assert same, f"{name}, {way}, {field}: {row} instead of {own}"
    return len(ours)


def _plain(value: Any) -> Any:
    """A number is the same with other zeros behind it."""
    if isinstance(value, str):
        try:
            return Decimal(value)
        except InvalidOperation:
            return value
    return value


# --- figures -------------------------------------------------------------------------------------


def _report(
    report: Report, rounds: dict[str, list[Round]], lists: list[str], names: list[str]
) -> None:
    for name in lists:
        bare, usual = (_title(name, way) for way in WAYS)
        add_rates(report, bare, rounds[bare])
        add_rates(report, usual, rounds[usual], bare)
        for other in reversed(names):
            title = _title(name, other)
            beside = [bare, usual]
            if other == "ours":
                beside += [_title(name, before) for before in names[1:]]
            add_rates(report, title, rounds[title], *beside)
    for title, each in rounds.items():
        add_latencies(report, title, each)
        add_cpu(report, title, each, "an answer")
