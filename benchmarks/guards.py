"""What guards cost: bookings and bulk bookings with all of them on, with none, and by another
checkout, in alternating rounds of one run; and limits over the whole book.

All on means each of the nine guards active in every account, at levels that nothing exceeds: all is
measured and nothing is asked. No trade is sent twice, but at another price by a little. With
`--other PATH` the other checkout's stack books the same, as before there were guards.

From the environment: BENCH_ROUNDS (5), BENCH_SECONDS (8) of each, BENCH_CONNECTIONS (16),
BENCH_BULK (10000 rows), BENCH_POSITIONS (300000).
"""

import http.client
import json
import os
import time
from collections.abc import Callable
from functools import partial
from itertools import count, cycle, islice
from statistics import median
from typing import Any

from benchmarks.booking import CONNECTIONS, ROUNDS, SECONDS, SETTLE, TRADES, WARM_UP
from benchmarks.booking_ground import FEW, Ground, prepare
from benchmarks.ground import ledger_ground
from benchmarks.report import Report
from benchmarks.revalue import NAMES, fill, price, seconds_of
from benchmarks.rig.load import load
from benchmarks.rig.rounds import Round, add_cpu, add_latencies, add_rates, alternate, metered
from benchmarks.rig.stacks import Stack, alone, stacks

BULK = int(os.environ.get("BENCH_BULK", "10000"))
POSITIONS = int(os.environ.get("BENCH_POSITIONS", "300000"))
_number = count()
LIMITED = 100
"""Accounts that a group of the limits' benchmark has."""

SET = """
from django.contrib.auth.models import User
from trades.guard_rules import CODES
from trades.services.guard_settings import Wanted, guards_put
guards_put(user=User.objects.get(username="desk"), wanted=[
    Wanted(None, code, warn=10**9, is_active={on}) for code in CODES])
"""


def measure(report: Report) -> None:
    with stacks() as found:
        grounds = []
        for stack in found:
            alone(stack, found)
            grounds.append(prepare(stack))
        ours, others = grounds[0], grounds[1:]
        single: dict[str, Callable[[], Round]] = {}
        bulk: dict[str, Callable[[], Round]] = {}
        for ground in others:
            single[ground.stack.name] = partial(_booked, ground, found)
            bulk[f"bulk, {ground.stack.name}"] = partial(_bulk, ground, found)
        for name, on in (("off", False), ("all on", True)):
            single[name] = partial(_booked, ours, found, on)
            bulk[f"bulk, {name}"] = partial(_bulk, ours, found, on)
        rounds = {**alternate(single, ROUNDS), **alternate(bulk, ROUNDS)}
        for ground in grounds:
            alone(ground.stack, found)
            report.add(f"{ground.stack.name}: trades compared", ground.compare(), "")
    names = [ground.stack.name for ground in others]
    for name in (*names, "off", "all on"):
        add_rates(report, name, rounds[name], *_beside(name, names))
        add_latencies(report, name, rounds[name])
        add_cpu(report, name, rounds[name], "a booking")
    for name in (*names, "off", "all on"):
        beside = [f"bulk, {other}" for other in _beside(name, names)]
        add_rates(report, f"bulk, {name}", rounds[f"bulk, {name}"], *beside)
    _limits(report)


def _beside(name: str, others: list[str]) -> list[str]:
    return {"off": others, "all on": [*others, "off"]}.get(name, [])


def _set(stack: Stack, on: bool | None) -> None:
    if on is not None:
        stack.manage("shell", "--no-imports", "-c", SET.format(on=on))
        time.sleep(SETTLE)


def _booked(ground: Ground, found: list[Stack], on: bool | None = None) -> Round:
    """Single bookings, over connections that wait for each answer."""
    stack = ground.stack
    alone(stack, found)
    _set(stack, on)
    stack.drained()
    requests = ground.requests(TRADES, FEW, client_ids=False, distinct=True)
    with load(stack.port, requests, connections=CONNECTIONS, status=201) as sender:
        ground.count(FEW, sender.run(WARM_UP).answered)
        stack.drained()
        with metered(stack.parts() | {"load generator": sender.pid}) as used:
            came = sender.run(SECONDS)
            stack.drained()
        ground.count(FEW, came.answered)
    return Round(came.count, came.seconds, came.latencies, used.cpu, used.elsewhere)


def _bulk(ground: Ground, found: list[Stack], on: bool | None = None) -> Round:
    """Bulk bookings one after the other, each of as many rows."""
    stack = ground.stack
    alone(stack, found)
    _set(stack, on)
    rows = ground.bookings(FEW)
    latencies: list[float] = []
    with metered(stack.parts()) as used:
        for _ in range(3):
            sent = [
                {**row, "price": f"{row['price']}{next(_number):08}"}
                for row in islice(cycle(rows), BULK)
            ]
            body = json.dumps({"trades": sent}).encode()
            stack.drained()
            began = time.perf_counter()
            _post(stack.port, ground.token, body)
            latencies.append(1000 * (time.perf_counter() - began))
    answered = [0] * len(rows)
    for n in range(BULK):
        answered[n % len(rows)] += len(latencies)
    ground.count(FEW, answered)
    seconds = median(latencies) / 1000
    return Round(BULK, seconds, latencies, used.cpu, used.elsewhere)


def _post(port: int, token: str, body: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    connection.request("POST", f"{TRADES}bulk/", body, headers)
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()[:500]
    answer.read()
    connection.close()


def _limits(report: Report) -> None:
    """One measurement of every limit: gross of each account, and a group of many."""
    with ledger_ground() as ground:
        from django.contrib.auth.models import User

        from kernel import clock
        from pnl.limits import limits_watch
        from prices.sessions import sessions
        from trades.models import AccountGroup, Limit

        now = clock.now()
        known = sessions()
        today = known.business_date(now)
        price(ground, now, known.previous_session(today))
        accounts = fill(ground, POSITIONS, today, history=0)
        boss = User.objects.create_user("limits")
        group = AccountGroup.objects.create(name="Desk")
        group.accounts.set(accounts[:LIMITED])
        more: dict[str, Any] = {"changed_by": boss, "amount": 1}
        Limit.objects.bulk_create(
            [
                Limit(account_id=account, kind=kind, **more)
                for account in accounts
                for kind in ("gross", "name", "day_loss")
            ]
            + [Limit(group=group, kind=kind, **more) for kind in ("gross", "name_share")]
        )
        limits_watch(now=now)
        report.add(
            f"limits over {POSITIONS:,} rows, {len(accounts)} accounts of {NAMES} names",
            seconds_of(lambda: limits_watch(now=now)),
            "s",
        )
