"""The marks' statement under the worst of plans."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from django.db import connection

from kernel.postgres.base import _native
from prices.marks import MARKS, mark_params
from prices.models import Close, Instrument, Quote

pytestmark = pytest.mark.django_db
MANY = 300


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def test_the_worst_plan_reads_each_table_once(now: datetime) -> None:
    """Nobody analyzes a table in the seconds after it was filled for the first time: a planner that
    expects no rows may join them by nested loops, and every row of one would read the others."""
    params = mark_params(now)
    native, names = _native(MARKS)
    with connection.cursor() as cursor:
        for joins in ("hashjoin", "mergejoin", "material", "memoize"):
            cursor.execute(f"SET LOCAL enable_{joins} = off")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE marks_early AS {native}")
        values = cursor.mogrify(", ".join(["%s"] * len(names)), [params[name] for name in names])
        cursor.execute(f"EXECUTE marks_early ({values})")
        Instrument.objects.bulk_create(
            Instrument(ticker=f"T{n}", yahoo_symbol=f"T{n}") for n in range(MANY)
        )
        for instrument in Instrument.objects.all():
            Close.objects.create(
                instrument=instrument,
                session=date(2026, 1, 29),
                close=10,
                source="simulated",
                recorded_at=now,
            )
            Quote.objects.create(instrument=instrument, source="simulated", price=11, as_of=now)
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE marks_early ({values})")
        ((explained,),) = cursor.fetchall()
    scans = [node for node in nodes(explained[0]["Plan"]) if "Relation Name" in node]
    assert {node["Relation Name"] for node in scans} >= {"prices_close", "prices_quote"}
    read_again = {n["Relation Name"]: n["Actual Loops"] for n in scans if n["Actual Loops"] > 1}
    assert read_again == {}
