"""Finalizing is bounded: idle keys are not calculated, pieces are small, runs take turns."""

from datetime import date
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg import connect

from eqtrade.up.postgres import PostgresServer
from kernel.locks import Lock
from pnl.daily.finalize import _pieces, daily_finalize
from pnl.models import SessionRun
from prices.sessions import sessions
from tests import factories as make
from tests.pnl.conftest import (
    FRIDAY,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    Days,
    at,
    settle,
)  # fmt: skip

NOW = at(FRIDAY)


def test_one_old_trade_date_makes_no_work_for_the_other_keys(days: Days, monkeypatch: Any) -> None:
    """A year of sessions of one key is calculated, and what the others never had is not; nor is
    each of those sessions asked for its closes."""
    monkeypatch.setattr("pnl.daily.finalize.PIECE_ROWS", 12)
    days.trade("10", "40", MONDAY)
    settle(MONDAY, TUESDAY, WEDNESDAY, THURSDAY)
    for n in range(5):
        days.trade("1", "10", MONDAY, instrument=make.make_instrument(f"T{n}"))
    days.keep(NOW)
    old = make.make_instrument("OLD")
    days.cancel(days.trade("1", "10", date(2025, 3, 14), when=NOW, instrument=old), NOW)
    with CaptureQueriesContext(connection) as asked:
        daily_finalize(now=NOW)
    statements = [query["sql"] for query in asked]
    assert SessionRun.objects.filter(session=date(2025, 3, 14), calculated_at=NOW).exists()
    assert sum("INSERT INTO pnl_dailypnl" in sql for sql in statements) == 21  # 251 sessions
    assert sum('FROM "prices_closerun"' in sql for sql in statements) < 10


def test_pieces_hold_each_key_from_its_first_trade_date_on_once(
    days: Days, monkeypatch: Any
) -> None:
    monkeypatch.setattr("pnl.daily.finalize.PIECE_ROWS", 6)
    asked = sessions().sessions_between(MONDAY, date(2026, 3, 27))
    keys = [(MONDAY, 1, 1), (WEDNESDAY, 1, 2), (FRIDAY, 2, 1)]
    keys += [(asked[7], 3, n) for n in range(9)]
    found = [
        (span.account, span.instrument, day)
        for spans, some in _pieces(keys, asked)
        for span in spans
        for day in some
        if span.first <= day <= span.last
    ]
    assert len(found) == len(set(found))
    assert set(found) == {(a, i, d) for first, a, i in keys for d in asked if d >= first}
    for spans, some in _pieces(keys, asked):
        assert len(spans) * len(some) <= 6


def test_one_finalizing_run_at_a_time(days: Days, committed_db: PostgresServer) -> None:
    days.trade("10", "40", MONDAY)
    days.close(MONDAY, "41")
    settle(MONDAY)
    with connect(committed_db.url("runtime")) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [Lock.DAILY_PNL_FINALIZE.value])
        assert daily_finalize(now=at(MONDAY, 21)) == 0
        # By itself: the server gives it back some time after its client has gone.
        other.execute("SELECT pg_advisory_unlock(%s)", [Lock.DAILY_PNL_FINALIZE.value])
    assert daily_finalize(now=at(MONDAY, 21)) > 0
    with connect(committed_db.url("runtime")) as other:
        assert other.execute(
            "SELECT pg_try_advisory_lock(%s)", [Lock.DAILY_PNL_FINALIZE.value]
        ).fetchone() == (True,)
