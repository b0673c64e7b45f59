"""P&L of sessions as rows: past ones as they are known now, the business date live."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from blotter.rows import Today, key_rows, total_rows
from kernel.api.rows import Row, moment, text
from pnl.corrections import reason_with, session_corrections
from pnl.daily.read import (
    AccountDay,
    DayPnl,
    first_trade_date,
    invalid_besides,
    past_account_days,
    past_rows,
)
from pnl.reasons import NO_PREVIOUS_CLOSE
from prices.sessions import sessions

ZERO = Decimal(0)


def pnl_rows(
    *,
    accounts: Mapping[int, str],
    days: Sequence[date],
    by: str,
    today: Today,
    with_sources: bool = False,
) -> list[Row]:
    """Rows by session, account (and ticker with `by="ticker"`) of sessions that follow one another,
    none after the business date. `accounts` maps ids to codes. `with_sources` adds to rows by
    ticker where the mark came from, `mark_price_source`: a kept row's may be another than today's.
    """
    if not accounts:
        return []
    past = [day for day in days if day < today.business_date]
    is_live = today.business_date in days
    if by == "account":
        rows = _account_rows(accounts, past, today) if past else []
        return rows + (total_rows(accounts=accounts, today=today) if is_live else [])
    rows = _ticker_rows(accounts, past, today, with_sources) if past else []
    if is_live:
        rows += key_rows(accounts=accounts, today=today, with_sources=with_sources)
    return rows


def days_with_pnl(
    accounts: Iterable[int], first: date | None, last: date, today: Today
) -> list[date]:
    """The sessions from `first` (none: `last` alone) to `last`, which is cut to the business date,
    less those before these accounts' first trade date: there is nothing in them, however far
    back one asks."""
    last = min(last, today.business_date)
    days = sessions().sessions_between(last if first is None else first, last)
    begin = None
    if days and days[0] < today.business_date:
        begin = first_trade_date(accounts)
    return [day for day in days if day == today.business_date or (begin and day >= begin)]


def _account_rows(accounts: Mapping[int, str], days: Sequence[date], today: Today) -> list[Row]:
    known = sessions()
    which: dict[str, Any] = {"now": today.now, "known": known}
    found = session_corrections(accounts=accounts, days=days, **which)
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


def _ticker_rows(
    accounts: Mapping[int, str], days: Sequence[date], today: Today, with_sources: bool
) -> list[Row]:
    known = sessions()
    left = session_corrections(accounts=accounts, days=days, now=today.now, known=known)
    rows = []
    for row in past_rows(
        accounts=accounts, days=days, now=today.now, known=known, also=left.keys()
    ):
        key = row.session, row.account_id, row.instrument_id
        source = {"mark_price_source": row.price_source} if with_sources else {}
        rows.append(_ticker_row(row, left.get(key, ZERO)) | source)
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
