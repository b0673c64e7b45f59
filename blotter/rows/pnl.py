"""P&L rows of sessions, by account or by ticker: past sessions as they are known now, the business
date live. Every one of them is composed by `pnl_row`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from blotter.rows.figures import action_texts, shown_texts
from blotter.rows.today import Today
from kernel.actions import Action
from kernel.api.rows import Row, moment, text
from kernel.money import normalized
from kernel.pnl import SHOWN
from pnl.acting import acting_at
from pnl.corrections import live_corrections, reason_with, session_corrections
from pnl.daily.read import (
    AccountDay,
    DayPnl,
    first_trade_date,
    invalid_besides,
    past_account_days,
    past_rows,
)
from pnl.figures import KeyPnl
from pnl.live.rows import live_rows
from pnl.live.totals import live_totals
from pnl.reasons import NO_PREVIOUS_CLOSE
from prices.models import CURRENCY
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
    ticker where the mark came from, `mark_price_source`: that of a past session may be another than
    today's.
    """
    if not accounts:
        return []
    past = [day for day in days if day < today.business_date]
    is_live = today.business_date in days
    if by == "account":
        rows = _past_totals(accounts, past, today) if past else []
        return rows + (total_rows(accounts=accounts, today=today) if is_live else [])
    rows = _past_keys(accounts, past, today, with_sources) if past else []
    return rows + (_live_keys(accounts, today, with_sources) if is_live else [])


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


def total_rows(*, accounts: Iterable[int], today: Today) -> list[Row]:
    """`pnl/?by=account` of the business date: a row an account, those with nothing included."""
    # The business date's figures are live; final ones are those of finished sessions.
    live = State(today.business_date, False, today.now, None)
    return [
        pnl_row(
            live, total.account, shown_texts(total), total.correction_pnl, total.pnl_reason,
            total.invalid_rows,
        )
        for total in live_totals(accounts=accounts, now=today.now)
    ]  # fmt: skip


class State(NamedTuple):
    """The session of some figures, and how definite they are."""

    session: date
    is_final: bool
    calculated_at: datetime
    restated_at: datetime | None


def _state(row: AccountDay | DayPnl) -> State:
    return State(row.session, row.is_final, row.calculated_at, row.restated_at)


def _key_today(row: KeyPnl, today: Today) -> DayPnl:
    """A row of the business date as those of past sessions are, never final."""
    return DayPnl(
        today.business_date, row.account, row.ticker, row.account_id, row.instrument_id,
        normalized(row.opening), normalized(row.held), row.trades, text(row.previous_close),
        text(row.previous_close_as_traded), text(row.mark), row.price_source, row.pnl_reason, False,
        today.now, None, shown_texts(row),
    )  # fmt: skip


def pnl_row(
    state: State,
    account: str,
    figures: tuple[str | None, ...],
    correction_pnl: Decimal | None,
    reason: str | None,
    invalid_rows: int,
    key: Row | None = None,
) -> Row:
    """A row of `pnl/`. `figures` are the texts of `SHOWN`; `key`: the columns that only rows by
    ticker have."""
    return {
        "session": state.session.isoformat(),
        "account": account,
        **(key or {}),
        "currency": CURRENCY,
        **dict(zip(SHOWN, figures, strict=True)),
        "correction_pnl": text(correction_pnl),
        "is_final": state.is_final and not invalid_rows,
        "pnl_valid": not invalid_rows,
        "pnl_reason": reason,
        "invalid_rows": invalid_rows,
        "calculated_at": moment(state.calculated_at),
        "restated_at": moment(state.restated_at),
    }


def _key_row(
    row: DayPnl, correction: Decimal | None, with_sources: bool, actions: Sequence[Action] = ()
) -> Row:
    reason = reason_with(correction, row.pnl_reason)
    key = {
        "ticker": row.ticker,
        "opening_quantity": row.opening,
        "closing_quantity": row.closing,
        "previous_close": row.previous_close,
        "previous_close_as_traded": row.previous_close_as_traded,
        "mark": row.mark,
        "actions": action_texts(actions),
    }
    if with_sources:
        key["mark_price_source"] = row.price_source
    invalid = int(reason is not None)
    return pnl_row(_state(row), row.account, row.figures, correction, reason, invalid, key)


def _past_totals(accounts: Mapping[int, str], days: Sequence[date], today: Today) -> list[Row]:
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
        reason = NO_PREVIOUS_CLOSE if key in more else row.pnl_reason
        invalid = row.invalid_rows + more.get(key, 0)
        code, correction = accounts[row.account_id], corrections.get(key, ZERO)
        rows.append(pnl_row(_state(row), code, row.figures, correction, reason, invalid))
    return sorted(rows, key=lambda row: (row["session"], row["account"]))


def _past_keys(
    accounts: Mapping[int, str], days: Sequence[date], today: Today, with_sources: bool
) -> list[Row]:
    known = sessions()
    found = session_corrections(accounts=accounts, days=days, now=today.now, known=known)
    shown = past_rows(accounts=accounts, days=days, now=today.now, known=known, also=found.keys())
    acting = acting_at(days, known=known, now=today.now)
    return [
        _key_row(
            row, found.get((row.session, row.account_id, row.instrument_id), ZERO), with_sources,
            acting.of(row.session, row.instrument_id) if acting else (),
        )
        for row in shown
    ]  # fmt: skip


def _live_keys(accounts: Iterable[int], today: Today, with_sources: bool) -> list[Row]:
    """A row for each account and ticker that has a position row, or was corrected for earlier
    sessions."""
    wanted = list(accounts)
    found = live_corrections(accounts=wanted, now=today.now)
    shown = live_rows(accounts=wanted, now=today.now)
    flat = set(found) - {(row.account_id, row.instrument_id) for row in shown}
    if flat:
        shown += live_rows(accounts=wanted, now=today.now, keys=flat, include_flat=True)
        shown.sort(key=lambda row: (row.account, row.ticker))
    return [
        _key_row(
            _key_today(row, today), found.get((row.account_id, row.instrument_id), ZERO),
            with_sources, row.actions,
        )
        for row in shown
    ]  # fmt: skip
