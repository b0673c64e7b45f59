"""P&L of sessions as rows: past ones as they are known now, the business date live."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from blotter.rows import Today, key_rows, total_rows
from kernel.api.rows import Row, moment, text
from pnl.corrections import past_corrections
from pnl.past import AccountDay, DayPnl, past_account_days, past_rows
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
    corrections: dict[tuple[date, int], Decimal] = {}
    found = past_corrections(accounts=accounts, days=days, now=today.now, known=known)
    for (day, account, _), pnl in found.items():
        corrections[day, account] = corrections.get((day, account), ZERO) + (pnl or ZERO)
    rows = [
        _account_row(row, accounts[row.account_id], corrections.get((row.session, row.account_id)))
        for row in past_account_days(accounts=accounts, days=days, now=today.now, known=known)
    ]
    return sorted(rows, key=lambda row: (row["session"], row["account"]))


def _account_row(row: AccountDay, account: str, correction: Decimal | None) -> Row:
    return {
        "session": row.session.isoformat(),
        "account": account,
        "trade_pnl": text(row.trade_pnl),
        "position_pnl": text(row.position_pnl),
        "total_pnl": text(row.total_pnl),
        "correction_pnl": text(correction or ZERO),
        "is_final": row.is_final,
        "pnl_valid": row.invalid_rows == 0,
        "pnl_reason": row.pnl_reason,
        "invalid_rows": row.invalid_rows,
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
        "is_final": row.is_final,
        "pnl_valid": row.pnl_reason is None,
        "pnl_reason": row.pnl_reason,
        "invalid_rows": int(row.pnl_reason is not None),
        "calculated_at": moment(row.calculated_at),
        "restated_at": moment(row.restated_at),
    }
