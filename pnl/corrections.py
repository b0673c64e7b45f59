"""Corrections: what late entries changed in the P&L of earlier sessions, by the session in which
they were recorded."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from kernel import prepared
from kernel.actions import Action
from kernel.pnl import traded_pnl, traded_pnl_sql
from pnl.reasons import NO_PREVIOUS_CLOSE
from prices.actions.read import any_decided
from prices.closes.effective_close import source_params
from prices.closes.read import closes_at
from prices.references import references_of
from prices.sessions import Sessions, sessions
from trades.ledger.legs import (
    StrategyEffect,
    effective_actions,
    instruments_of,
    ledger_legs,
    strategy_legs,
)
from trades.ledger.sql import effective_entries, late_entries, strategy_of

# Times have microseconds: an entry recorded at the very end belongs to the session that ended.
_MOMENT = timedelta(microseconds=1)

# Dated before the last of the sessions, and recorded after the end of the one before the first.
_LATE = late_entries("%(last_day)s::date - 1", "%(first)s")

# (session, account id, instrument id) → P&L, None where the close that it needs is missing.
Corrections = dict[tuple[date, int, int], Decimal | None]
# The same with the strategy's id after the account's.
StrategyCorrections = dict[tuple[date, int, int, int], Decimal | None]
_Found = dict[tuple[Any, ...], Decimal | None]


def reason_with(correction: Decimal | None, reason: str | None) -> str | None:
    """The `pnl_reason` of a row with this `correction_pnl`, where that of its other figures is
    `reason`. What a correction lacks is a previous close, which goes before every other reason."""
    return NO_PREVIOUS_CLOSE if correction is None else reason


def live_corrections(
    *, accounts: Iterable[int], now: datetime
) -> dict[tuple[int, int], Decimal | None]:
    """`correction_pnl` of the business date so far, by (account id, instrument id)."""
    known = sessions()
    found = session_corrections(
        accounts=accounts, days=[known.business_date(now)], now=now, known=known
    )
    return {(account, instrument): pnl for (_, account, instrument), pnl in found.items()}


def session_corrections(
    *, accounts: Iterable[int], days: Iterable[date], now: datetime, known: Sessions
) -> Corrections:
    """`correction_pnl` of each of these sessions, which must follow one another: what entries with
    earlier trade dates, recorded after the previous session's end and up to this session's (or
    now), changed in the P&L of all earlier sessions.

    The sessions' figures telescope: an entry of q at price p that should have been there changes
    them by q × previous close − q × p in all.
    """
    return _corrections(accounts, days, now, known, by_strategy=False)


def strategy_corrections(
    *, accounts: Iterable[int], days: Iterable[date], now: datetime, known: Sessions
) -> StrategyCorrections:
    """`session_corrections` by strategy: those of an account add up to its own. What moved a trade
    from one strategy to another corrects both."""
    return _corrections(accounts, days, now, known, by_strategy=True)


def _corrections(
    accounts: Iterable[int],
    days: Iterable[date],
    now: datetime,
    known: Sessions,
    *,
    by_strategy: bool,
) -> _Found:
    asked = sorted(set(days))
    if not asked:
        return {}
    previous = [known.previous_session(day) for day in asked]
    ends = [known.session_of(day).closes for day in (previous[0], *asked)]
    of = list(accounts)
    found = _late(of, asked, previous, ends, now, by_strategy)
    acted = _acted(of, asked, previous, ends, now, found, by_strategy)
    return {**found, **acted}


def _late(
    accounts: list[int],
    asked: list[date],
    previous: list[date],
    ends: list[datetime],
    now: datetime,
    by_strategy: bool,
) -> _Found:
    part = ", strategy" if by_strategy else ""
    found = prepared.rows_planned(
        f"""
            WITH late AS MATERIALIZED (
                SELECT (%(days)s::date[])[n] AS session, (%(previous)s::date[])[n] AS previous,
                       account_id{part}, instrument_id, sum(quantity) AS quantity,
                       sum(notional) AS notional
                  FROM (
                    SELECT e.*, {strategy_of("e")} AS strategy,
                           width_bucket(e.recorded_at, %(ends)s::timestamptz[]) AS n
                      FROM ({_LATE}) e
                     WHERE e.account_id = ANY(%(accounts)s) AND e.recorded_at <= %(last)s
                  ) e
                 WHERE trade_date < (%(days)s::date[])[n]
                 GROUP BY n, account_id{part}, instrument_id
            )
            SELECT l.session, l.account_id{part}, l.instrument_id,
                   {traded_pnl_sql("c.close", "l.quantity", "l.notional")}
              FROM late l
              LEFT JOIN (
                SELECT * FROM eqtrade_effective_closes(%(previous)s::date[], %(source)s)
                 WHERE instrument_id = ANY(ARRAY(SELECT DISTINCT instrument_id FROM late))
              ) c ON c.instrument_id = l.instrument_id AND c.session = l.previous
            """,
        {
            "accounts": accounts,
            "days": prepared.array(asked),
            "previous": prepared.array(previous),
            "ends": prepared.array(end + _MOMENT for end in ends),
            "first": ends[0],
            "last": min(now, ends[-1]),
            "last_day": asked[-1],
            **source_params(),
        },
    )
    return {tuple(row[:-1]): row[-1] for row in found}


def _acted(
    accounts: list[int],
    asked: list[date],
    previous: list[date],
    ends: list[datetime],
    now: datetime,
    late: _Found,
    by_strategy: bool,
) -> _Found:
    """Of keys that corporate actions concern: what became known in each session, in

        Σ quantity × close of the session before − notional + cash

    over the entries and legs dated before it. A late trade or a late action changes it alike. No
    query where no action ever counted.
    """
    if not any_decided():
        return {}
    found: _Found = {}
    for day, before, began, ended in zip(asked, previous, ends, ends[1:], strict=False):
        until = min(now, ended)
        then, later = _counted(before, began), _counted(before, until)
        concerned = instruments_of({*then, *later})
        of_day = {key[-1] for key in late if key[0] == day}
        if until <= began or (then == later and concerned.isdisjoint(of_day)):
            continue
        old = _worth(accounts, concerned, then, before, began, by_strategy)
        new = _worth(accounts, concerned, later, before, until, by_strategy)
        keys = {key for key in {*old, *new} if old.get(key) != new.get(key)}
        closes = closes_at((key[-1], before) for key in keys)
        for key in keys:
            quantity, money = (new.get(key, _NONE)[n] - old.get(key, _NONE)[n] for n in (0, 1))
            close = closes.get((key[-1], before))
            found[day, *key] = traded_pnl(None if close is None else close.close, quantity, -money)
    return found


_NONE = (Decimal(0), Decimal(0))


def _counted(session: date, known_at: datetime) -> list[Action]:
    return effective_actions(session, known_at)


_SUMS = """
    SELECT account_id{part}, instrument_id, sum(quantity), -sum(notional) FROM ({entries}) e
     WHERE account_id = ANY(%(accounts)s) AND instrument_id = ANY(%(instruments)s::bigint[])
     GROUP BY account_id{part}, instrument_id
"""


def _worth(
    accounts: list[int],
    instruments: set[int],
    actions: list[Action],
    session: date,
    known_at: datetime,
    by_strategy: bool,
) -> dict[tuple[int, ...], tuple[Decimal, Decimal]]:
    """By key, the quantity and the money (received > 0) of entries and legs up to a session, as
    known at a moment."""
    rows = prepared.rows_planned(
        _SUMS.format(
            entries=effective_entries("%(session)s", "%(known_at)s::timestamptz"),
            part=f", {strategy_of('e')}" if by_strategy else "",
        ),
        {
            "accounts": accounts,
            "instruments": sorted(instruments),
            "session": session,
            "known_at": known_at,
        },
    )
    found = {tuple(key): (quantity, money) for *key, quantity, money in rows}
    prices: dict[tuple[date, int], Decimal | None] | None = None
    read = strategy_legs if by_strategy else ledger_legs
    for leg in read(actions, accounts=accounts, known_at=known_at):
        effect = leg.effect
        part = (leg.strategy,) if isinstance(leg, StrategyEffect) else ()
        cash = effect.cash
        if effect.unpaid:
            if prices is None:
                prices = references_of(actions, known=sessions(), now=known_at)
            cash += effect.unpaid * (
                prices.get((effect.action.ex_date, effect.instrument)) or Decimal(0)
            )
        key = leg.account, *part, effect.instrument
        quantity, money = found.get(key, _NONE)
        found[key] = (quantity + effect.quantity, money + cash)
    return found


def correction_sums(found: Mapping[tuple[int, int], Decimal | None]) -> dict[int, Decimal]:
    """The sums of what is known of `live_corrections`, by account id."""
    sums: dict[int, Decimal] = {}
    for (account, _), pnl in found.items():
        sums[account] = sums.get(account, Decimal(0)) + (pnl or Decimal(0))
    return sums
