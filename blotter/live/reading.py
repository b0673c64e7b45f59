"""Reads rows for the hub, with the selectors of the REST API. Blocking, in its thread."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.contrib.auth import get_user_model
from django.db import close_old_connections, connection

from accounts.models import Account
from accounts.selectors import viewable_accounts
from blotter.live.board import Reading
from blotter.live.changes import Changes
from blotter.live.logins import Login, ended_logins
from blotter.rows import Today, position_rows, price_rows, today_at, total_rows
from kernel import clock
from kernel.api.rows import Row
from prices.marks import Mark, marks
from prices.models import Instrument
from prices.sessions import read_once
from trades.api.rows import import_row, trade_row
from trades.models import LEDGER_SHARDS
from trades.selectors import import_groups, imports_by_id, trades_of_the_day

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


def read_snapshot(accounts: Mapping[int, str]) -> tuple[Today, Reading]:
    """Everything that a fresh client of these accounts sees."""
    today = today_at(clock.now())
    reading = Reading(
        positions=position_rows(accounts=accounts, today=today),
        trades=[trade_row(t) for t in trades_of_the_day(accounts, today.business_date)],
        totals=total_rows(accounts=accounts, today=today),
        prices=price_rows(today=today),
    )
    return today, reading


def read_changes(changes: Changes, accounts: Mapping[int, str]) -> tuple[Today, Reading]:
    """The current rows of what changed, for watched accounts (id → code) at once."""
    today = today_at(clock.now())
    watched = set(accounts)
    whole = changes.whole & watched
    keys = {k for k in changes.keys if k[0] in watched and k[0] not in whole}
    tickers = _tickers({i for _, i in keys})
    reading = Reading(
        whole={accounts[a] for a in whole},
        whole_trades={accounts[a] for a in changes.whole_trades & watched},
        asked_positions={(accounts[a], tickers[i]) for a, i in keys if i in tickers},
        asked_trades=set(changes.trades),
    )
    prices_moved = changes.all_prices or changes.instruments
    if whole:
        reading.positions += position_rows(accounts=whole, today=today)
    if keys:
        reading.positions += position_rows(accounts={a for a, _ in keys}, today=today, keys=keys)
    if prices_moved:
        moved = None if changes.all_prices else changes.instruments
        reading.positions += _priced_rows(watched - whole, today, moved)
        reading.prices = price_rows(today=today, instruments=moved)
    reading.trades = _trades(changes, watched, today)
    touched = watched if prices_moved else changes.accounts & watched
    if touched:
        reading.totals = total_rows(accounts=touched, today=today)
    return today, reading


def _priced_rows(accounts: set[int], today: Today, instruments: set[int] | None) -> list[Row]:
    if not accounts:
        return []
    return position_rows(accounts=accounts, today=today, instruments=instruments)


def _trades(changes: Changes, watched: set[int], today: Today) -> list[Row]:
    found = []
    if changes.whole_trades & watched:
        found += trades_of_the_day(changes.whole_trades & watched, today.business_date)
    if changes.trades:
        found += trades_of_the_day(watched, today.business_date, changes.trades)
    return [trade_row(t) for t in found]


def _tickers(instruments: set[int]) -> dict[int, str]:
    if not instruments:
        return {}
    return dict(Instrument.objects.filter(pk__in=instruments).values_list("pk", "ticker"))


@dataclass(frozen=True)
class Pulse:
    """What a poll compares with the last one: how far the readers are, and every mark."""

    today: Today
    checkpoints: dict[tuple[str, int], tuple[str, ...]]
    marks: dict[int, Mark]

    def shards_moved(self, before: "Pulse") -> set[int]:
        """Shards with a moved checkpoint, and those whose readers stand apart: what is settling
        turns doubtful by time alone."""
        moved = {
            shard
            for (consumer, shard), place in self.checkpoints.items()
            if before.checkpoints.get((consumer, shard)) != place
        }
        return moved | self.shards_apart()

    def shards_apart(self) -> set[int]:
        places: dict[int, set[tuple[str, ...]]] = {}
        for (_, shard), place in self.checkpoints.items():
            places.setdefault(shard, set()).add(place)
        return {shard for shard, found in places.items() if len(found) > 1}

    def marks_moved(self, before: "Pulse") -> set[int]:
        return {pk for pk, mark in self.marks.items() if before.marks.get(pk) != mark}


def read_pulse() -> Pulse:
    now: datetime = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT consumer, shard, epoch::text, txid::text, entry_id::text FROM trades_checkpoint"
        )
        checkpoints = {(row[0], row[1]): tuple(row[2:]) for row in cursor.fetchall()}
    return Pulse(today_at(now), checkpoints, {m.instrument_id: m for m in marks(now)})


def shard_of(account: int) -> int:
    return account % LEDGER_SHARDS


def read_allowed(user_id: int, codes: list[str] | None) -> list[Account]:
    """The accounts among `codes` (all with None) that the user may view now."""
    user = get_user_model().objects.filter(pk=user_id).first()
    return [] if user is None else viewable_accounts(user, codes)


def read_ended_logins(logins: Collection[Login]) -> set[Login]:
    """The logins by which nobody would be let in any more."""
    return ended_logins(logins, clock.now())


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
