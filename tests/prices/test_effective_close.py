"""The two functions that say which close is effective: the planner takes their bodies into the
statements that call them, and both apply one rule."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kernel import clock
from pnl.corrections import session_corrections
from prices.closes.effective_close import effective_closes
from prices.closes.read import closes_at
from prices.closes.runs import closes_carry
from prices.current_marks import marks
from prices.models import CARRIED, MANUAL, Instrument
from prices.session_marks import SESSION_MARKS, session_mark_params
from prices.sessions import sessions
from tests import factories as make

pytestmark = pytest.mark.django_db

THURSDAY, FRIDAY, MONDAY = date(2026, 1, 29), date(2026, 1, 30), date(2026, 2, 2)


def live_marks(aapl: Instrument) -> None:
    marks(clock.now())


def marks_of_sessions(aapl: Instrument) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH priced AS (SELECT %(id)s AS instrument_id), {SESSION_MARKS} SELECT * FROM marks",
            {**session_mark_params(sessions(), [FRIDAY, MONDAY]), "id": aapl.pk},
        )


def closes_of_keys(aapl: Instrument) -> None:
    closes_at([(aapl.pk, FRIDAY)])


def listed_closes(aapl: Instrument) -> None:
    list(effective_closes([aapl.pk], THURSDAY, MONDAY))


def carried_closes(aapl: Instrument) -> None:
    closes_carry(session=MONDAY, instruments=[aapl])


def corrections(aapl: Instrument) -> None:
    session_corrections(accounts=[1], days=[FRIDAY, MONDAY], now=clock.now(), known=sessions())


CALLERS = [
    live_marks, marks_of_sessions, closes_of_keys, listed_closes, carried_closes, corrections,
]  # fmt: skip


@pytest.mark.parametrize("call", CALLERS, ids=lambda caller: caller.__name__)
def test_the_planner_takes_the_rule_into_the_statement(
    aapl: Instrument, call: Callable[[Instrument], None]
) -> None:
    with CaptureQueriesContext(connection) as captured:
        call(aapl)
    asked = [q["sql"] for q in captured if "eqtrade_effective_close" in q["sql"]]
    assert len(asked) == 1
    plan = _plan(asked[0])
    assert "Function Scan on eqtrade_effective_close" not in plan
    assert "prices_close" in plan


def test_the_functions_are_such_that_the_planner_may() -> None:
    """Another language or volatility, STRICT, SECURITY DEFINER or a setting would forbid it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.lanname, p.provolatile, p.proisstrict, p.prosecdef, p.proconfig"
            "  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang"
            " WHERE p.proname LIKE 'eqtrade_effective_close%'"
        )
        assert cursor.fetchall() == [("sql", "s", False, False, None)] * 2


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.parametrize(
    ("recorded", "effective"),
    [
        ([], None),
        ([("csv", "1")], "1"),
        ([("csv", "1"), ("csv", "2")], "2"),
        ([(MANUAL, "3"), ("csv", "1")], "3"),
        ([("yahoo", "4")], None),
        ([(CARRIED, "5")], "5"),
        ([(CARRIED, "5"), ("csv", "1")], "1"),
    ],
)
def test_both_functions_apply_one_rule(
    aapl: Instrument, settings: Any, recorded: list[tuple[str, str]], effective: str | None
) -> None:
    settings.PRICE_SOURCE = "csv"
    for source, close in recorded:
        make.make_close(aapl, FRIDAY, close, source=source)
    found = [
        _only("SELECT close FROM eqtrade_effective_closes(ARRAY[%s::date], %s)", FRIDAY),
        _only(f"SELECT close FROM eqtrade_effective_close_before({aapl.pk}, %s::date, %s)", MONDAY),
    ]
    assert found == [None if effective is None else Decimal(effective)] * 2


def _only(sql: str, day: date) -> Decimal | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [day, "csv"])
        row = cursor.fetchone()
        return None if row is None else row[0]
