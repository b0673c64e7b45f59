"""Reads rows for the boards, with the selectors of the REST API, and encodes them. Blocking, in
threads."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import close_old_connections

from blotter.alerts.told import firing_row, firings_by_id, firings_unseen
from blotter.live.day_trades import EVERYTHING, NOTHING, held_of
from blotter.live.found import AccountFound, Moment, PricesFound
from blotter.live.kind import Kind
from blotter.live.kinds import KINDS
from blotter.live.unread import Unread
from blotter.rows import Today, price_row, today_at
from kernel import clock
from kernel.api.rows import Row, encoded
from prices.current_marks import marks
from prices.models import Instrument
from prices.sessions import read_once
from trades.api.limits import breach_row
from trades.api.rows import import_row, trade_values
from trades.day import newest_of_the_day, of_the_day
from trades.guards.breaches import breaches_by_id
from trades.selectors import import_groups, imports_by_id

Result = TypeVar("Result")

# A message is for every page of the uploader.
MAX_GROUPS_TOLD = 1_000


def with_connection(job: Callable[[], Result]) -> Result:
    """Run a job on a database connection that is known to be usable, and give it back."""
    close_old_connections()
    try:
        with read_once():
            return job()
    finally:
        close_old_connections()


@dataclass(frozen=True)
class Wanted:
    """An account, and what of it is to be read; with trades for a window of `depth`."""

    account: int
    code: str
    depth: int
    unread: Unread


@dataclass(frozen=True)
class Read:
    """The rows that a reading found, and their moment."""

    moment: Moment
    accounts: list[AccountFound]
    prices: PricesFound | None = None


def read_accounts(wanted: Sequence[Wanted], names: dict[int, str]) -> Read:
    """Read what is unread of these accounts, as it is now. `names`: known tickers by instrument."""
    today = today_at(clock.now())
    found = {each.account: AccountFound(each.account, each.unread.whole) for each in wanted}
    by_code = {each.code: found[each.account] for each in wanted}
    for kind in KINDS:
        rows = _rows_by_instrument if kind.by_instrument else _rows_of_accounts
        for row in rows(kind, wanted, names, today, found):
            row.pop(kind.moment, None)
            by_code[row["account"]].put(kind.name, kind.key_of(row), encoded(row))
    _read_trades(wanted, today, found)
    return Read(_moment(today), list(found.values()))


def _rows_of_accounts(
    kind: Kind,
    wanted: Sequence[Wanted],
    _: dict[int, str],
    today: Today,
    found: dict[int, AccountFound],
) -> list[Row]:
    """Rows of the accounts where anything changed. The row of a kind that always has one an account
    is never gone, so its absence is not asked for."""
    touched = [each.account for each in wanted if each.unread.total]
    for account in touched:
        found[account].asked[kind.name] = None if kind.key else set()
    return kind.read(accounts=touched, today=today) if touched else []


def _rows_by_instrument(
    kind: Kind,
    wanted: Sequence[Wanted],
    names: dict[int, str],
    today: Today,
    found: dict[int, AccountFound],
) -> list[Row]:
    """Rows of the instruments that changed, or of all instruments."""
    whole = [each.account for each in wanted if each.unread.positions]
    keys: set[tuple[int, int]] = set()
    for each in wanted:
        if each.unread.positions:
            found[each.account].asked[kind.name] = None
        elif each.unread.instruments:
            keys |= {(each.account, pk) for pk in each.unread.instruments}
    tickers = _tickers({pk for _, pk in keys}, names)
    for account, pk in keys:
        asked = found[account].asked.setdefault(kind.name, set())
        if asked is not None and pk in tickers:
            asked.add(tickers[pk])
    rows: list[Row] = []
    if whole:
        rows += kind.read(accounts=whole, today=today)
    if keys:
        rows += kind.read(accounts={a for a, _ in keys}, today=today, keys=keys)
    return rows


def _read_trades(wanted: Sequence[Wanted], today: Today, found: dict[int, AccountFound]) -> None:
    depths: dict[int, list[int]] = {}
    asked: dict[int, set[str]] = {}
    for each in wanted:
        if each.unread.trades:
            depths.setdefault(each.depth, []).append(each.account)
        elif each.unread.trade_ids:
            asked[each.account] = found[each.account].asked_trades = each.unread.trade_ids
    for depth, accounts in depths.items():
        newest = newest_of_the_day(accounts, today.business_date, held_of(depth))
        for account, day in newest.items():
            one = found[account]
            one.asked_trades, one.reach, one.trades_total = None, depth, day.total
            one.trades = {str(t.id): (t.version, encoded(trade_values(t))) for t in day.rows}
            if day.total > len(day.rows):
                one.bottom = min(one.trades, default=NOTHING)
            else:
                one.bottom = EVERYTHING
    if asked:
        ids = set().union(*asked.values())
        for trade in of_the_day(asked, today.business_date, ids):
            key = str(trade.id)
            if key in asked[trade.account_id]:
                found[trade.account_id].trades[key] = trade.version, encoded(trade_values(trade))


def read_prices(unread: Unread) -> Read:
    """Prices of what moved."""
    today = today_at(clock.now())
    which = None if unread.positions else unread.instruments
    read = marks(today.now, which)
    rows = {}
    for mark in read:
        if mark.mark is None:
            continue
        row = price_row(mark, today.now)
        del row["age_seconds"]
        rows[mark.ticker] = encoded(row), mark.mark_as_of
    asked = None if which is None else {mark.ticker for mark in read}
    return Read(_moment(today), [], PricesFound(rows, asked))


def _moment(today: Today) -> Moment:
    return Moment(today.now, today.business_date, today.price_source)


def _tickers(instruments: set[int], names: dict[int, str]) -> dict[int, str]:
    missing = instruments - names.keys()
    if not missing:
        return names
    found = Instrument.objects.filter(pk__in=missing).values_list("pk", "ticker")
    return {**names, **dict(found)}


def read_alerts(ids: Iterable[str], users: Collection[int]) -> dict[str, tuple[int, Row]]:
    """Firings of alerts as they are now, by id, each with whose it is: these, and what these users
    have not seen."""
    found = firings_by_id(ids) if ids else []
    found += firings_unseen(users) if users else []
    return {str(each.pk): (each.alert.user_id, firing_row(each)) for each in found}


def read_breaches(ids: Iterable[str]) -> dict[str, Row]:
    """Breaches as they are now, by id."""
    return {str(breach.pk): breach_row(breach) for breach in breaches_by_id(ids)}


def read_imports(ids: Iterable[str]) -> dict[str, Row]:
    """Imports as they are now, by id; the request groups only of those that have ended, and not
    where there may be very many: who wants them asks for the import."""
    jobs = imports_by_id(ids)
    ended = import_groups(
        job
        for job in jobs
        if job.finished_at is not None and job.rows_total <= MAX_GROUPS_TOLD * job.group_size
    )
    now = clock.now()
    return {str(job.pk): import_row(job, now, ended.get(job.pk)) for job in jobs}
