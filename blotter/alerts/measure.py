"""What alerts are compared with: the figures that the pages show, read with the same statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any
from uuid import UUID

from blotter.alert_rules import ACCOUNT_PNL, POSITION, PRICE, STALE
from blotter.models import Alert
from pnl.live.rows import live_rows
from pnl.live.totals import live_totals
from positions.models import Position
from prices.current_marks import marks
from prices.marks import Mark
from prices.sessions import sessions

TENTH = Decimal("0.1")


@dataclass(frozen=True)
class Measured:
    """A value, and what else is told with it. None: not known, which neither fires nor ends
    anything."""

    value: Decimal | None
    facts: Mapping[str, Any] = field(default_factory=dict)


def measures(alerts: Iterable[Alert], now: datetime) -> dict[UUID, Measured]:
    """What each alert is compared with now, by its id. One reading for all of a kind."""
    by_kind: dict[str, list[Alert]] = {}
    for alert in alerts:
        by_kind.setdefault(alert.kind, []).append(alert)
    found: dict[UUID, Measured] = {}
    if ACCOUNT_PNL in by_kind:
        found |= _account_pnl(by_kind[ACCOUNT_PNL], now)
    if POSITION in by_kind:
        found |= _positions(by_kind[POSITION], now)
    priced = [*by_kind.get(PRICE, ()), *by_kind.get(STALE, ())]
    if priced:
        found |= _prices(priced, now)
    return found


def _account_pnl(alerts: Sequence[Alert], now: datetime) -> dict[UUID, Measured]:
    accounts = {alert.account_id for alert in alerts if alert.account_id is not None}
    totals = {total.account: total for total in live_totals(accounts=accounts, now=now)}
    found = {}
    for alert in alerts:
        total = totals[alert.account.code] if alert.account else None
        if total is not None:
            facts = {"partial": True} if total.invalid_rows else {}
            found[alert.pk] = Measured(total.total_pnl, facts)
    return found


def _positions(alerts: Sequence[Alert], now: datetime) -> dict[UUID, Measured]:
    keys = {
        (alert.account_id, alert.instrument_id)
        for alert in alerts
        if alert.account_id is not None and alert.instrument_id is not None
    }
    rows = live_rows(accounts={account for account, _ in keys}, keys=keys, now=now)
    held: dict[tuple[int | None, int | None], Decimal] = {
        (row.account_id, row.instrument_id): row.position for row in rows
    }
    return {
        alert.pk: Measured(held.get((alert.account_id, alert.instrument_id), Decimal(0)))
        for alert in alerts
    }


def _prices(alerts: Sequence[Alert], now: datetime) -> dict[UUID, Measured]:
    accounts = {alert.account_id for alert in alerts if alert.account_id is not None}
    held: dict[int, set[int]] = {account: set() for account in accounts}
    if accounts:
        holding = Position.objects.filter(account__in=accounts).exclude(quantity=0)
        for account, instrument in holding.values_list("account_id", "instrument_id"):
            held[account].add(instrument)
    named = {alert.instrument_id for alert in alerts if alert.instrument_id is not None}
    found = {mark.instrument_id: mark for mark in marks(now, named.union(*held.values()))}
    ages = _ages(found.values(), now)
    measured = {}
    for alert in alerts:
        if alert.kind == PRICE and alert.instrument_id is not None:
            mark = found.get(alert.instrument_id)
            measured[alert.pk] = Measured(None if mark is None else mark.mark)
        elif alert.instrument_id is not None:
            measured[alert.pk] = Measured(ages.get(alert.instrument_id, Decimal(0)))
        elif alert.account_id is not None:
            oldest = max(
                ((ages[pk], found[pk].ticker) for pk in held[alert.account_id] if pk in ages),
                default=(Decimal(0), None),
            )
            measured[alert.pk] = Measured(oldest[0], {"ticker": oldest[1]})
    return measured


def _ages(found: Iterable[Mark], now: datetime) -> dict[int, Decimal]:
    """By instrument, minutes since its mark was taken, in tenths; of one without a quote, since the
    exchange opened. Those of which nothing is awaited are left out: while the exchange is closed
    all, and prices that were set by hand."""
    known = sessions()
    session = known.session_of(known.business_date(now))
    if not session.opens <= now < session.closes:
        return {}
    ages = {}
    for mark in found:
        if mark.is_override or mark.mark_source in ("close", "carried"):
            continue
        is_quote = mark.mark_source == "quote" and mark.mark_as_of is not None
        since = mark.mark_as_of if is_quote and mark.mark_as_of else session.opens
        seconds = Decimal((now - since).total_seconds())
        ages[mark.instrument_id] = (max(seconds, Decimal(0)) / 60).quantize(TENTH, ROUND_DOWN)
    return ages
