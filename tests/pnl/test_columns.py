"""What is declared once is a column wherever a statement names it."""

from django.db import models

from kernel.pnl import AMOUNTS, SHOWN, Figures
from pnl.daily.columns import KEY, STORED
from pnl.models import DailyActivity, DailyPnl
from trades.ledger.sql import SUMS
from trades.models import LedgerEntry


def columns(model: type[models.Model]) -> set[str]:
    return {field.column for field in model._meta.concrete_fields}


def test_each_sum_is_a_column_of_entries_and_of_daily_activity() -> None:
    assert set(SUMS) <= columns(LedgerEntry)
    assert columns(DailyActivity) == {"id", "account_id", "instrument_id", "trade_date", *SUMS}


def test_end_of_day_pnl_stores_every_amount_and_nothing_that_is_not_written() -> None:
    states = {"id", "is_final", "calculated_at", "restated_at"}
    assert columns(DailyPnl) == {*KEY, *STORED, *states}
    assert set(AMOUNTS) <= set(STORED)


def test_every_amount_is_shown_and_whatever_is_shown_is_a_figure() -> None:
    assert set(AMOUNTS) <= set(SHOWN)
    assert all(hasattr(Figures, name) for name in SHOWN)
