"""P&L of sessions as rows: past ones as they are known now, the business date live."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from blotter.rows import Today, key_rows, total_rows
from kernel.api.rows import Row, moment, text
from pnl.corrections import NO_PREVIOUS_CLOSE, past_corrections, reason_with
from pnl.past import AccountDay, DayPnl, invalid_besides, past_account_days, past_rows
from prices.sessions import sessions

ZERO = Decimal(0)


def pnl_rows(
    *, accounts: Mapping[int, str], days: Sequence[date], by: str, today: Today
) -> list[Row]:
    """Rows by session, account (and ticker with `by="ticker"`) of sessions that follow one another,
    none after the business date. `accounts` maps ids to codes."""
    if not accounts:
        return []
    past = [day for day in days if day < today.business_date]
    rows = []
    if past:
        rows = (_account_rows if by == "account" else _ticker_rows)(accounts, past, today)
    if today.business_date in days:
        live = total_rows if by == "account" else key_rows
        rows = rows + live(accounts=accounts, today=today)
    return rows


def _account_rows(accounts: Mapping[int, str], days: Sequence[date], today: Today) -> list[Row]:
    known = sessions()
    which: dict[str, Any] = {"now": today.now, "known": known}
    found = past_corrections(accounts=accounts, days=days, **which)
    corrections: dict[tuple[date, int], Decimal] = {}
    for (day, account, _), pnl in found.items():
        corrections[day, account] = corrections.get((day, account), ZERO) + (pnl or ZERO)
    unknown = [key for key, pnl in found.items() if pnl is None]
    more = invalid_besides(unknown, **which) if unknown else {}
    rows = []
    for row in past_account_days(accounts=accounts, days=days, **which):
        key = row.session, row.account_id
        rows.append(
            _account_row(row, accounts[row.account_id], corrections.get(key, ZERO), more.get(key))
        )
    return sorted(rows, key=lambda row: (row["session"], row["account"]))


def _account_row(row: AccountDay, account: str, correction: Decimal, more: int | None) -> Row:
    """`more`: invalid rows by their corrections alone; None when all corrections are known."""
    invalid = row.invalid_rows + (more or 0)
    reason = row.pnl_reason if more is None else NO_PREVIOUS_CLOSE
    return {
        "session": row.session.isoformat(),
        "account": account,
        "trade_pnl": text(row.trade_pnl),
        "position_pnl": text(row.position_pnl),
        "total_pnl": text(row.total_pnl),
        "correction_pnl": text(correction),
        "is_final": row.is_final and not invalid,
        "pnl_valid": not invalid,
        "pnl_reason": reason,
        "invalid_rows": invalid,
        "calculated_at": moment(row.calculated_at),
        "restated_at": moment(row.restated_at),
    }


def _ticker_rows(accounts: Mapping[int, str], days: Sequence[date], today: Today) -> list[Row]:
    known = sessions()
    left = past_corrections(accounts=accounts, days=days, now=today.now, known=known)
    rows = []
    for row in past_rows(
        accounts=accounts, days=days, now=today.now, known=known, also=left.keys()
    ):
        key = row.session, row.account_id, row.instrument_id
        rows.append(_ticker_row(row, left.get(key, ZERO)))
    return rows


def _ticker_row(row: DayPnl, correction: Decimal | None) -> Row:
    reason = reason_with(correction, row.pnl_reason)
    return {
        "session": row.session.isoformat(),
        "account": row.account,
        "ticker": row.ticker,
        "opening_quantity": text(row.opening),
        "closing_quantity": text(row.closing),
        "previous_close": text(row.previous_close),
        "mark": text(row.mark),
        "trade_pnl": text(row.trade_pnl),
        "position_pnl": text(row.position_pnl),
        "total_pnl": text(row.total_pnl),
        "correction_pnl": text(correction),
        "is_final": row.is_final and reason is None,
        "pnl_valid": reason is None,
        "pnl_reason": reason,
        "invalid_rows": int(reason is not None),
        "calculated_at": moment(row.calculated_at),
        "restated_at": moment(row.restated_at),
    }
