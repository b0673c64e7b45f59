"""Position rows: what is held, what it is worth, and its P&L of the session."""

from collections.abc import Iterable
from datetime import date, datetime

from blotter.rows.figures import action_texts, figure_texts
from blotter.rows.today import Today
from kernel.api.rows import Row, moment, text
from kernel.pnl import value
from pnl.as_of import rows_as_of
from pnl.figures import KeyPnl
from pnl.live.rows import live_rows
from prices.models import CURRENCY


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
        "currency": CURRENCY,
        "quantity": text(row.position),
        "average_cost": text(row.average_cost),
        "price": text(row.mark),
        "price_as_of": moment(row.mark_as_of),
        "mark_source": row.mark_source,
        "price_source": row.price_source,
        "previous_close": text(row.previous_close),
        "previous_close_as_traded": text(row.previous_close_as_traded),
        "market_value": text(value(row.position, row.mark)),
        **figure_texts(row),
        "realized_pnl": text(row.realized_pnl),
        "unrealized_pnl": text(row.unrealized_pnl),
        "income": text(row.income),
        "actions": action_texts(row.actions),
        "pnl_valid": row.pnl_reason is None,
        "pnl_reason": row.pnl_reason,
        "updated_at": moment(row.updated_at),
    }
