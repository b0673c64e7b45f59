"""The rows that users see, composed in one place for REST and websocket, field for field."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings

from kernel.api.rows import Row, moment, text
from pnl.as_of import rows_as_of
from pnl.corrections import live_corrections, reason_with
from pnl.figures import KeyPnl
from pnl.live.rows import live_rows
from pnl.live.totals import TotalPnl, live_totals
from prices.marks import Mark, marks
from prices.sessions import sessions


@dataclass(frozen=True)
class Today:
    """What every answer of one moment shares."""

    now: datetime
    business_date: date
    price_source: str


def today_at(now: datetime) -> Today:
    return Today(now, sessions().business_date(now), settings.PRICE_SOURCE)


def position_rows(
    *,
    accounts: Iterable[int],
    today: Today,
    keys: Iterable[tuple[int, int]] | None = None,
    instruments: Iterable[int] | None = None,
    include_flat: bool = False,
) -> list[Row]:
    """Position rows of the business date, by account and ticker; narrowed as in pnl.live.rows."""
    found = live_rows(
        accounts=accounts,
        now=today.now,
        keys=keys,
        instruments=instruments,
        include_flat=include_flat,
    )
    return [_position_row(row, today) for row in found]


def position_rows_as_of(
    *,
    accounts: Iterable[int],
    session: date,
    today: Today,
    known_at: datetime | None = None,
    instruments: Iterable[int] | None = None,
    include_flat: bool = False,
) -> list[Row]:
    """Position rows of a session as of then, every column of that session; see pnl.as_of."""
    found = rows_as_of(
        accounts=accounts,
        session=session,
        now=today.now,
        known_at=known_at,
        instruments=instruments,
        include_flat=include_flat,
    )
    then = Today(today.now, session, today.price_source)
    return [_position_row(row, then) for row in found]


def _position_row(row: KeyPnl, today: Today) -> Row:
    return {
        "account": row.account,
        "ticker": row.ticker,
        "session": today.business_date.isoformat(),
        "quantity": text(row.position),
        "average_cost": text(row.average_cost),
        "price": text(row.mark),
        "price_as_of": moment(row.mark_as_of),
        "mark_source": row.mark_source,
        "price_source": row.price_source,
        "previous_close": text(row.previous_close),
        "market_value": text(_market_value(row)),
        "trade_pnl": text(row.trade_pnl),
        "position_pnl": text(row.position_pnl),
        "total_pnl": text(row.total_pnl),
        "realized_pnl": text(row.realized_pnl),
        "unrealized_pnl": text(row.unrealized_pnl),
        "pnl_valid": row.pnl_reason is None,
        "pnl_reason": row.pnl_reason,
        "updated_at": moment(row.updated_at),
    }


def _market_value(row: KeyPnl) -> Decimal | None:
    """Nothing is worth nothing, whatever its price."""
    if row.position == 0:
        return Decimal(0)
    return None if row.mark is None else row.position * row.mark


def _total_row(total: TotalPnl, today: Today) -> Row:
    return {
        "session": today.business_date.isoformat(),
        "account": total.account,
        "trade_pnl": text(total.trade_pnl),
        "position_pnl": text(total.position_pnl),
        "total_pnl": text(total.total_pnl),
        "correction_pnl": text(total.correction_pnl),
        # The business date's figures are live; final ones are those of finished sessions.
        "is_final": False,
        "pnl_valid": total.invalid_rows == 0,
        "pnl_reason": total.pnl_reason,
        "invalid_rows": total.invalid_rows,
        "calculated_at": moment(today.now),
        "restated_at": None,
    }


def total_rows(*, accounts: Iterable[int], today: Today) -> list[Row]:
    """`pnl/?by=account` of the business date: a row an account, those with nothing included."""
    return [_total_row(t, today) for t in live_totals(accounts=accounts, now=today.now)]


def key_rows(*, accounts: Iterable[int], today: Today, with_sources: bool = False) -> list[Row]:
    """`pnl/?by=ticker` of the business date: a row for each account and ticker that has a
    position row, or was corrected for earlier sessions. `with_sources`: see blotter.pnl_rows."""
    wanted = list(accounts)
    corrections = live_corrections(accounts=wanted, now=today.now)
    shown = live_rows(accounts=wanted, now=today.now)
    flat = set(corrections) - {(row.account_id, row.instrument_id) for row in shown}
    if flat:
        shown += live_rows(accounts=wanted, now=today.now, keys=flat, include_flat=True)
        shown.sort(key=lambda row: (row.account, row.ticker))
    return [
        _key_row(row, corrections.get((row.account_id, row.instrument_id), Decimal(0)), today)
        | ({"mark_price_source": row.price_source} if with_sources else {})
        for row in shown
    ]


def _key_row(row: KeyPnl, correction: Decimal | None, today: Today) -> Row:
    reason = reason_with(correction, row.pnl_reason)
    return {
        "session": today.business_date.isoformat(),
        "account": row.account,
        "ticker": row.ticker,
        "opening_quantity": text(row.opening),
        "closing_quantity": text(row.held),
        "previous_close": text(row.previous_close),
        "mark": text(row.mark),
        "trade_pnl": text(row.trade_pnl),
        "position_pnl": text(row.position_pnl),
        "total_pnl": text(row.total_pnl),
        "correction_pnl": text(correction),
        "is_final": False,
        "pnl_valid": reason is None,
        "pnl_reason": reason,
        "invalid_rows": int(reason is not None),
        "calculated_at": moment(today.now),
        "restated_at": None,
    }


def price_rows(*, today: Today, instruments: Iterable[int] | None = None) -> list[Row]:
    """Prices of the business date for instruments that have one."""
    return [price_row(m, today.now) for m in marks(today.now, instruments) if m.mark is not None]


def price_row(mark: Mark, now: datetime) -> Row:
    age = None if mark.mark_as_of is None else max(0, int((now - mark.mark_as_of).total_seconds()))
    return {
        "ticker": mark.ticker,
        "price": text(mark.mark),
        "as_of": moment(mark.mark_as_of),
        "age_seconds": age,
        "stale": mark.stale,
        "source": mark.price_source,
        "override": mark.is_override,
        "previous_close": text(mark.previous_close),
    }
