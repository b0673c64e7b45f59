"""Prices of different sources never mix: also not by way of a close that was carried."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection

from prices.closes.effective_close import effective_closes
from prices.closes.read import closes_at
from prices.closes.runs import closes_carry
from prices.current_marks import marks
from prices.models import CARRIED, MANUAL, Close, Instrument
from prices.session_marks import SESSION_MARKS, session_mark_params
from prices.sessions import sessions
from tests import factories as make

THURSDAY, FRIDAY, MONDAY = date(2026, 1, 29), date(2026, 1, 30), date(2026, 2, 2)
FRIDAY_EVENING = datetime(2026, 1, 30, 22, 0, tzinfo=UTC)
MONDAY_MORNING = datetime(2026, 2, 2, 13, 0, tzinfo=UTC)

Reader = Callable[[Instrument], Decimal | None]


def of_the_day(aapl: Instrument) -> Decimal | None:
    return marks(FRIDAY_EVENING, [aapl.pk])[0].mark


def of_the_day_before(aapl: Instrument) -> Decimal | None:
    return marks(MONDAY_MORNING, [aapl.pk])[0].previous_close


def of_a_past_session(aapl: Instrument) -> Decimal | None:
    return _of_sessions(aapl, "mark", [FRIDAY])


def before_a_past_session(aapl: Instrument) -> Decimal | None:
    return _of_sessions(aapl, "previous_close", [MONDAY])


def of_several_sessions(aapl: Instrument) -> Decimal | None:
    return _of_sessions(aapl, "mark", [FRIDAY, MONDAY])


def _of_sessions(aapl: Instrument, column: str, days: list[date]) -> Decimal | None:
    sql = f"""
        WITH priced AS (SELECT %(id)s AS instrument_id), {SESSION_MARKS}
        SELECT {column} FROM marks ORDER BY session
    """
    return _asked(sql, {**session_mark_params(sessions(), days), "id": aapl.pk})


def by_key(aapl: Instrument) -> Decimal | None:
    found = closes_at([(aapl.pk, FRIDAY)]).get((aapl.pk, FRIDAY))
    return found.close if found else None


def listed(aapl: Instrument) -> Decimal | None:
    return next((c.close for c in effective_closes([aapl.pk], FRIDAY, FRIDAY)), None)


def _asked(sql: str, params: dict[str, Any]) -> Decimal | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        (found,) = cursor.fetchone()
        return found  # type: ignore[no-any-return]


READERS = [
    of_the_day, of_the_day_before, of_a_past_session, before_a_past_session, of_several_sessions,
    by_key, listed,
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("read", READERS, ids=lambda reader: reader.__name__)
def test_a_carried_close_counts_for_its_source_alone(
    aapl: Instrument, settings: Any, read: Reader
) -> None:
    settings.PRICE_SOURCE = "csv"
    make.make_close(aapl, THURSDAY, "195.61", source="csv")
    closes_carry(session=FRIDAY, instruments=[aapl])
    assert read(aapl) == Decimal("195.61")
    settings.PRICE_SOURCE = "yahoo"
    assert read(aapl) is None
    settings.PRICE_SOURCE = "csv"
    assert read(aapl) == Decimal("195.61")


@pytest.mark.django_db
def test_each_source_carries_what_counts_for_it(aapl: Instrument, settings: Any) -> None:
    """A close by hand counts for all, and is carried for each; carrying again adds nothing."""
    make.make_close(aapl, THURSDAY, "190", source=MANUAL)
    settings.PRICE_SOURCE = "csv"
    make.make_close(aapl, THURSDAY, "195.61", source="csv")
    assert closes_carry(session=FRIDAY, instruments=[aapl]) == 1
    settings.PRICE_SOURCE = "yahoo"
    make.make_close(aapl, FRIDAY, "196", source="csv")
    assert closes_carry(session=MONDAY, instruments=[aapl]) == 1
    assert closes_carry(session=FRIDAY, instruments=[aapl]) == 1
    assert closes_carry(session=FRIDAY, instruments=[aapl]) == 0
    found = Close.objects.filter(source=CARRIED).order_by("session", "carried_for")
    assert list(found.values_list("session", "carried_for", "close")) == [
        (FRIDAY, "csv", Decimal("190")),
        (FRIDAY, "yahoo", Decimal("190")),
        (MONDAY, "yahoo", Decimal("190")),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(("source", "carried_for"), [(CARRIED, ""), ("yahoo", "yahoo")])
def test_a_carried_close_says_for_whom(aapl: Instrument, source: str, carried_for: str) -> None:
    with pytest.raises(IntegrityError, match="close_carried_for_a_source"):
        Close.objects.create(
            instrument=aapl, session=FRIDAY, source=source, carried_for=carried_for, close=1
        )
