"""Everything that is shown, beside the plain model's figures: positions with cost, live and as of
every session, P&L by ticker and by account, snapshots. `codes` are account ids and their codes.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from blotter.rows import pnl_rows, position_rows, position_rows_as_of, today_at
from positions.models import PositionSnapshot
from tests.properties.desk_model import KEYS, ZERO, Model

SUMMED = ("trade_pnl", "position_pnl", "total_pnl", "fees", "net_pnl", "correction_pnl")


def look_at_positions(
    model: Model, codes: Mapping[int, str], now: datetime, *, known: datetime
) -> None:
    """Live, then as of each session: as known now, and as known at `known`."""
    today = today_at(now)
    assert today.business_date == model.business_date(now)
    rows = position_rows(accounts=codes, today=today, include_flat=True)
    _compare_positions(model, rows, today.business_date, now, now)
    for day in model.sessions(today.business_date):
        for moment in (None, known):
            rows = position_rows_as_of(
                accounts=codes, session=day, today=today, known_at=moment, include_flat=True
            )
            _compare_positions(model, rows, day, moment or now, now)


def _compare_positions(
    model: Model, rows: list[Any], day: date, known: datetime, now: datetime
) -> None:
    found = {(row["account"], row["ticker"]): row for row in rows}
    for key in KEYS:
        mark = model.mark(key[1], day, now)
        quantity, cost, realized = model.cost(key, day, known)
        trade, position = model.pnl(key, day, known, now)
        fees = model.fees(key, day, known)
        expected = {
            "quantity": quantity, "trade_pnl": trade, "position_pnl": position,
            "fees": fees, "net_pnl": trade + position - fees,
            "market_value": quantity * mark, "realized_pnl": realized,
            "unrealized_pnl": quantity * mark - cost,
        }  # fmt: skip
        same(found.get(key), expected, key, day, known)
        if quantity:
            average = Decimal(found[key]["average_cost"])
            assert abs(average - cost / quantity) < Decimal("1e-30")


def look_at_pnl(model: Model, codes: Mapping[int, str], now: datetime) -> None:
    """Every session up to the business date, by ticker and by account."""
    today = today_at(now)
    days = model.sessions(today.business_date)
    rows = pnl_rows(accounts=codes, days=days, by="ticker", today=today)
    found = {(row["session"], row["account"], row["ticker"]): row for row in rows}
    totals: dict[tuple[date, str], dict[str, Decimal]] = {}
    for day in days:
        for key in KEYS:
            expected = _day_of(model, key, day, now)
            same(found.get((day.isoformat(), *key)), expected, key, day)
            total = totals.setdefault((day, key[0]), dict.fromkeys(SUMMED, ZERO))
            for name in SUMMED:
                total[name] += expected[name]
    rows = pnl_rows(accounts=codes, days=days, by="account", today=today)
    by_account = {(row["session"], row["account"]): row for row in rows}
    for (day, account), expected in totals.items():
        same(by_account.get((day.isoformat(), account)), expected, account, day)


def _day_of(model: Model, key: tuple[str, str], day: date, now: datetime) -> dict[str, Decimal]:
    trade, position = model.pnl(key, day, now, now)
    fees = model.fees(key, day, now)
    return {
        "opening_quantity": model.quantity(key, model.before(day), now),
        "closing_quantity": model.quantity(key, day, now),
        "trade_pnl": trade,
        "position_pnl": position,
        "total_pnl": trade + position,
        "fees": fees,
        "net_pnl": trade + position - fees,
        "correction_pnl": model.correction(key, day, now),
    }


def look_at_snapshots(model: Model) -> None:
    found: dict[date, Any] = {day: {} for day in model.snapshots}
    for row in PositionSnapshot.objects.select_related("account", "instrument"):
        key = row.account.code, row.instrument.ticker
        found.setdefault(row.session, {})[key] = row.quantity, row.close
    assert found == model.snapshots


def same(row: Any, expected: dict[str, Decimal], *where: object) -> None:
    """A row has these figures; where there is no row they are all zero."""
    found = {name: Decimal(row[name]) if row else ZERO for name in expected}
    assert found == expected, where
