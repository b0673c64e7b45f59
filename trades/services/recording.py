"""The rows of a version: what booking and correction both write."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction

from trades.ledger import nudges
from trades.ledger.entries import Entry, Leg, entries_of
from trades.models import LEDGER_SHARDS, LedgerEntry, Trade, TradeVersion


def leg_of(trade: Trade) -> Leg:
    """The trade's present terms, as the ledger knows them."""
    return Leg(
        trade.account_id,
        trade.instrument_id,
        trade.trade_date,
        trade.side,
        trade.quantity,
        trade.price,
    )


def version_of(trade: Trade, *, actor_id: int, reason: str) -> TradeVersion:
    """The trade's present state as a version, to be saved."""
    return TradeVersion(
        trade=trade,
        account_id=trade.account_id,
        instrument_id=trade.instrument_id,
        side=trade.side,
        quantity=trade.quantity,
        price=trade.price,
        trade_date=trade.trade_date,
        executed_at=trade.executed_at,
        note=trade.note,
        version=trade.version,
        status=trade.status,
        actor_id=actor_id,
        reason=reason,
    )


def entry_of(entry: Entry, version: TradeVersion) -> LedgerEntry:
    """One entry of a saved version, to be saved. It is recorded when its version was, so that
    who asks for what was known at that time finds all of the version, or nothing."""
    return LedgerEntry(
        account_id=entry.account_id,
        instrument_id=entry.instrument_id,
        trade_date=entry.trade_date,
        quantity=entry.quantity,
        notional=entry.notional,
        trades=entry.trades,
        trade_id=version.trade_id,
        version=version.version,
        recorded_at=version.recorded_at,
    )


def entries_save(entries: Iterable[LedgerEntry]) -> None:
    """Write entries, after their versions, and wake the readers of their shards on commit."""
    saved = LedgerEntry.objects.bulk_create(entries)
    shards = {e.account_id % LEDGER_SHARDS for e in saved}
    transaction.on_commit(lambda: nudges.nudge_all(shards), robust=True)


class NewTrade(NamedTuple):
    """A checked trade that is not written yet: its ids resolved, its defaults filled in."""

    id: str
    account_id: int
    instrument_id: int
    side: str
    quantity: Decimal
    price: Decimal
    trade_date: date
    executed_at: datetime
    note: str
    client_trade_id: str | None


_TRADE = (
    "COPY trades_trade (id, account_id, instrument_id, side, quantity, price, trade_date,"
    " executed_at, note, version, status, booked_at, booked_by_id, request_group_id,"
    " client_trade_id) FROM STDIN"
)
_VERSION = (
    "COPY trades_tradeversion (trade_id, account_id, instrument_id, side, quantity, price,"
    " trade_date, executed_at, note, version, status, actor_id, reason, recorded_at) FROM STDIN"
)
_ENTRY = (
    "COPY trades_ledgerentry (epoch, trade_id, account_id, instrument_id, trade_date, version,"
    " trades, quantity, notional, recorded_at) FROM STDIN"
)
# The columns' own defaults, asked once: the epoch looks at the cluster's control file, and a
# version and its entry are recorded at one time. The condition is evaluated first: a snapshot
# counts on a transaction having its id before it takes a time of recording.
_DEFAULTS = (
    "SELECT eqtrade_ledger_epoch(), eqtrade_recorded_at() WHERE pg_current_xact_id() IS NOT NULL"
)


def trades_copy(
    trades: Sequence[NewTrade], groups: Sequence[str], *, booked_by: int, booked_at: datetime
) -> None:
    """Write many new trades with their first versions and ledger entries, by COPY, and wake the
    readers on commit. `groups` holds the request group of each. Must run in a transaction; the
    trades must be checked, so that no text holds a control character."""
    when = booked_at.isoformat()
    with connection.cursor() as cursor:
        cursor.execute(_DEFAULTS)
        epoch, recorded_at = cursor.fetchone()
    rows: list[str] = []
    versions: list[str] = []
    entries: list[str] = []
    for new, group in zip(trades, groups, strict=True):
        executed_at = when if new.executed_at is booked_at else new.executed_at.isoformat()
        note = _escaped(new.note)
        mine = "\\N" if new.client_trade_id is None else _escaped(new.client_trade_id)
        # The same in both: account, instrument, side, quantity, price, date, time, note.
        terms = (
            f"{new.account_id}\t{new.instrument_id}\t{new.side}\t{new.quantity}\t{new.price}"
            f"\t{new.trade_date}\t{executed_at}\t{note}\t1\tbooked"
        )
        rows.append(f"{new.id}\t{terms}\t{when}\t{booked_by}\t{group}\t{mine}\n")
        versions.append(f"{new.id}\t{terms}\t{booked_by}\t\t{recorded_at}\n")
        entries.extend(
            f"{epoch}\t{new.id}\t{e.account_id}\t{e.instrument_id}\t{e.trade_date}\t1\t{e.trades}"
            f"\t{e.quantity}\t{e.notional}\t{recorded_at}\n"
            for e in entries_of(None, _leg_of_new(new))
        )
    # Django leaves the errors of COPY as the driver raises them.
    with connection.cursor() as cursor, connection.wrap_database_errors:
        for statement, lines in ((_TRADE, rows), (_VERSION, versions), (_ENTRY, entries)):
            with cursor.copy(statement) as copy:
                copy.write("".join(lines))
    shards = {new.account_id % LEDGER_SHARDS for new in trades}
    transaction.on_commit(lambda: nudges.nudge_all(shards), robust=True)


def _leg_of_new(new: NewTrade) -> Leg:
    return Leg(new.account_id, new.instrument_id, new.trade_date, new.side, new.quantity, new.price)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")
