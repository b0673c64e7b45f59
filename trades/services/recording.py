"""The writer: the one place that inserts versions and ledger entries.

Each change of trades is one statement, for one trade or thousands: it writes the trades, their
versions and their entries, or nothing. It is made here from `trades.terms` and three parts: which
trades and terms are given, what happens to the trade's own row, and which legs go to the ledger.

- *Booked*: new trades; one leg each.
- *Amended*: one trade with new terms; the old leg back, the new one added.
- *Cancelled*: any number of trades as they are; each leg back.

Two things hold in every statement. Its time of recording is taken once, for versions and entries,
and after the transaction has its id: a snapshot counts on that order, and who asks for what was
known at a time finds all of a version or nothing. And its entries are of the epoch of this very
cluster, or it fails. The readers of the ledger are woken on commit.

Nothing is written without the answer of the guards (`trades.guards.answers`). What they said of a
version is kept beside it, in a statement of its own, where they said anything.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby, islice
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from kernel import prepared
from kernel.following import MOST_NAMED, Followed, followed
from kernel.together import Together
from prices.sessions import CALENDAR_STAMP_SQL, sessions
from trades.counted import VERSIONS
from trades.fee_kinds import Fee
from trades.guards.answers import NOTHING_FOUND, Answer
from trades.ledger import nudges
from trades.ledger.sql import SUMS, added_by
from trades.models import LEDGER_SHARDS, Trade
from trades.services.new_trades import (
    NewTrade,
    arrays_of,
    fee_arrays_of,
    new_trade_id,
    new_trade_of,
)
from trades.terms import COUNTED, TERMS, VERSIONED

# More rows a statement are no quicker each, and a statement has a time limit.
PIECE_TRADES = 2_000


# --- the statements ------------------------------------------------------------------------------

_COLUMNS = ", ".join(term.column for term in VERSIONED)
_OF_DUE = ", ".join(f"d.{term.column}" for term in VERSIONED)
# What an entry is told apart by, and what it adds.
_KEY = ("account_id", "instrument_id", "trade_date", "settlement_date", "strategy_id")
_ENTERED = ", ".join((*_KEY, *SUMS))
_OF_LEG = ", ".join(f"l.{name}" for name in (*_KEY, *SUMS))

_FEE_COLUMNS = ("trade_id", "version", "kind", "amount", "source")

# The condition is evaluated before the select list: first the transaction's id, then the clock.
RECORDED_NOW = (
    "SELECT eqtrade_recorded_at() AS at, eqtrade_ledger_epoch() AS epoch"
    " WHERE pg_current_xact_id() IS NOT NULL"
)


def _leg(prefix: str, sign: int) -> str:
    """The row that a trade's terms add to the ledger (`sign` = 1), or take back (-1): one of
    `_ENTERED`."""
    key = ", ".join(f"d.{prefix}{name}" for name in _KEY)
    sums = ", ".join(f"{sign} * ({added})" for added in added_by(f"d.{prefix}").values())
    return f"({key}, {sums})"


def _statement(
    *, given: str, trade: str, legs: Sequence[str], claims: str = "", fees: str = ""
) -> str:
    """One statement that writes what `given` selects: the trade's id, the terms' columns, version,
    status, actor_id and reason. `fees` selects the fees of `due` d: trade_id, version, kind, amount
    and source. It returns the id and account of each trade that was written."""
    fees = fees and (f" fee AS (INSERT INTO trades_versionfee ({', '.join(_FEE_COLUMNS)}) {fees}),")
    due = claims or ", due AS MATERIALIZED (SELECT * FROM given)"
    return (
        f"WITH now AS MATERIALIZED ({RECORDED_NOW}), given AS MATERIALIZED ({given}){due},"
        f" trade AS ({trade}),"
        f" version AS (INSERT INTO trades_tradeversion (trade_id, {_COLUMNS}, version, status,"
        "  actor_id, reason, recorded_at)"
        f"  SELECT d.id, {_OF_DUE}, d.version, d.status, d.actor_id, d.reason, now.at"
        f"  FROM due d, now),{fees}"
        f" entry AS (INSERT INTO trades_ledgerentry (epoch, {_ENTERED}, trade_id, version,"
        "  recorded_at)"
        f"  SELECT now.epoch, {_OF_LEG}, d.id, d.version, now.at FROM due d, now,"
        f"  LATERAL (VALUES {', '.join(legs)}) l ({_ENTERED}))"
        " SELECT d.id::text, d.account_id FROM due d"
    )


# Every term's column, whether versions have it or not, and what only a booking has.
_GIVEN_COLUMNS = {
    "id": "uuid",
    **{term.column: term.sql for term in TERMS},
    "terms_hash": "text",
    "request_group_id": "uuid",
}
# Who booked it, when, and what it was checked under: the calendar's stamp and the guards' version.
# Plain bookings that are written together each have their own.
_BOOKED = {"actor_id": "int", "booked_at": "timestamptz"}
_CHECKED = {"stamp": "uuid", "guards": "bigint"}


def _rows(*, is_plain: bool) -> str:
    """The trades that are given. All of a batch are booked by one user, at one time."""
    columns = {**_GIVEN_COLUMNS, **(_BOOKED | _CHECKED if is_plain else {})}
    booked = {} if is_plain else _BOOKED
    given = ", ".join(f"%({name})s::{kind}[]" for name, kind in columns.items())
    return (
        "SELECT g.*, "
        + "".join(f"%({name})s::{kind} AS {name}, " for name, kind in booked.items())
        + f"1 AS version, 'booked' AS status, '' AS reason FROM unnest({given})"
        f" AS g ({', '.join(columns)})"
    )


# What made a booking plain when it was checked: nothing of it may have changed since. EXISTS would
# be planned as a join, which reads all instruments for each booking.
_STILL_PLAIN = (
    f" WHERE {CALENDAR_STAMP_SQL} = g.stamp"
    " AND (SELECT a.is_active AND a.can_short AND NOT a.is_limited"
    "  AND a.guards_version = g.guards FROM accounts_account a WHERE a.id = g.account_id)"
    " AND (SELECT i.is_active FROM prices_instrument i WHERE i.id = g.instrument_id)"
)
_INSERT_TRADE = (
    f"INSERT INTO trades_trade (id, {_COLUMNS}, version, status, booked_at, booked_by_id,"
    "  request_group_id, client_trade_id)"
    f"  SELECT d.id, {_OF_DUE}, d.version, d.status, d.booked_at, d.actor_id,"
    "  d.request_group_id, d.client_trade_id FROM due d"
)
# Ids are claimed in one order by all statements, so that two cannot block each other. Whoever comes
# second waits for the first to end, and writes only what the first has not claimed.
_CLAIMS = (
    ", claimed AS (INSERT INTO trades_clienttradeid (account_id, client_trade_id, trade_id,"
    "  terms_hash) SELECT account_id, client_trade_id, id, terms_hash FROM given"
    "  WHERE client_trade_id IS NOT NULL ORDER BY account_id, client_trade_id"
    "  ON CONFLICT (account_id, client_trade_id) DO NOTHING RETURNING trade_id),"
    " due AS MATERIALIZED (SELECT g.* FROM given g"
    "  WHERE client_trade_id IS NULL OR id IN (SELECT trade_id FROM claimed))"
)
_FEES_BOOKED = (
    "SELECT d.id, d.version, f.kind, f.amount, f.source FROM due d JOIN unnest(%(fee_of)s::uuid[],"
    " %(fee_kind)s::text[], %(fee_amount)s::numeric[], %(fee_source)s::text[])"
    " AS f (id, kind, amount, source) USING (id)"
)
# By whether client_trade_ids are claimed, whether what made the bookings plain is tested again, and
# whether there are fees.
BOOK = {
    (with_ids, is_plain, with_fees): _statement(
        given=_rows(is_plain=is_plain) + (_STILL_PLAIN if is_plain else ""),
        trade=_INSERT_TRADE,
        legs=[_leg("", 1)],
        claims=_CLAIMS if with_ids else "",
        fees=_FEES_BOOKED if with_fees else "",
    )
    for with_ids in (False, True)
    for is_plain in (False, True)
    for with_fees in (False, True)
}

_UPDATE_TRADE = (
    "UPDATE trades_trade t SET "
    + ", ".join(f"{term.column} = d.{term.column}" for term in VERSIONED if term.amendable)
    + ", version = d.version, status = d.status FROM due d WHERE t.id = d.id"
)
_AMEND = _statement(
    given="SELECT t.id, "
    + ", ".join(
        f"%({t.column})s::{t.sql} AS {t.column}" if t.amendable else f"t.{t.column}"
        for t in VERSIONED
    )
    + ", t.version + 1 AS version, 'amended' AS status, %(actor)s::int AS actor_id,"
    " %(reason)s AS reason, "
    + ", ".join(f"t.{term.column} AS old_{term.column}" for term in COUNTED)
    + " FROM trades_trade t WHERE t.id = %(id)s::uuid",
    trade=_UPDATE_TRADE,
    legs=[_leg("old_", -1), _leg("", 1)],
    fees="SELECT d.id, d.version, f.* FROM due d, unnest(%(fee_kind)s::text[],"
    " %(fee_amount)s::numeric[], %(fee_source)s::text[]) f",
)
_CANCEL = _statement(
    given=f"SELECT t.id, {', '.join(f't.{term.column}' for term in VERSIONED)},"
    " t.version + 1 AS version, 'cancelled' AS status, %(actor)s::int AS actor_id,"
    " %(reason)s AS reason FROM trades_trade t WHERE t.id = ANY(%(ids)s::uuid[])",
    trade=_UPDATE_TRADE,
    legs=[_leg("", -1)],
    fees="SELECT d.id, d.version, f.kind, f.amount, f.source FROM due d"
    " JOIN trades_versionfee f ON f.trade_id = d.id AND f.version = d.version - 1",
)


# --- what is written -----------------------------------------------------------------------------


def trades_write(
    trades: Sequence[NewTrade],
    *,
    booked_by: int,
    booked_at: datetime,
    answer: Answer,
    groups: Sequence[str] | None = None,
) -> set[str]:
    """Write checked trades, with their first versions and entries; the ids of those written.

    Left out is a trade whose client_trade_id has been claimed before. `groups` holds the request
    group of each. More than `PIECE_TRADES` trades, limits that hold or an answer that found
    something need a transaction around it.
    """
    written: set[str] = set()
    if len(trades) > PIECE_TRADES:
        order = sorted(range(len(trades)), key=lambda n: _claim_order(trades[n]))
        trades = [trades[n] for n in order]
        groups = groups and [groups[n] for n in order]
    for at in range(0, len(trades), PIECE_TRADES):
        piece = trades[at : at + PIECE_TRADES]
        with_ids = any(new.terms.client_trade_id is not None for new in piece)
        params: dict[str, Any] = {
            "actor_id": booked_by,
            "booked_at": booked_at,
            **arrays_of(piece, groups[at : at + PIECE_TRADES] if groups else None),
        }
        fees = [(new.id, fee) for new in piece for fee in new.terms.fees]
        params |= fee_arrays_of(fees) if fees else {}
        found = prepared.rows(BOOK[with_ids, False, bool(fees)], params)
        _wake(found, booked=len(found))
        written.update(trade_id for trade_id, _ in found)
    _keep(answer, ((trade_id, 1) for trade_id in answer.found if trade_id in written))
    return written


class Plain(NamedTuple):
    """A booking that needs neither lock nor question, and what it was checked under: the calendar's
    `stamp` and the version of its account's guards."""

    trade: NewTrade
    booked_by: int
    booked_at: datetime
    stamp: UUID
    guards: int


def trade_write_plain(plain: Plain, *, answer: Answer) -> bool:
    """Write one plain booking; False if it is plain no more, because the calendar, its account, its
    instrument or the guards of its account have changed since it was checked, or if its
    client_trade_id has been claimed before. `answer` must have found nothing.

    Bookings that come while one is written are written together, in one statement. One with an id
    of the caller's own is written by itself: it waits for whoever else claims that id.
    """
    if answer.found:
        raise ValueError("A booking of which guards found something is not plain.")
    is_alone = plain.trade.terms.client_trade_id is not None or connection.in_atomic_block
    written = _write_plain([plain])[0] if is_alone else _write_together(plain)
    if written:
        _wake([(plain.trade.id, plain.trade.account_id)], booked=1)
    return written


def _write_plain(several: Sequence[Plain]) -> list[bool]:
    """Whether each was written."""
    trades = [plain.trade for plain in several]
    with_ids = any(new.terms.client_trade_id is not None for new in trades)
    fees = [(new.id, fee) for new in trades for fee in new.terms.fees]
    params: dict[str, Any] = {
        **arrays_of(trades, None),
        "actor_id": prepared.array(plain.booked_by for plain in several),
        "booked_at": prepared.array(plain.booked_at for plain in several),
        "stamp": prepared.array(plain.stamp for plain in several),
        "guards": prepared.array(plain.guards for plain in several),
        **(fee_arrays_of(fees) if fees else {}),
    }
    found = {trade_id for trade_id, _ in prepared.rows(BOOK[with_ids, True, bool(fees)], params)}
    return [new.id in found for new in trades]


_write_together = Together(_write_plain)


def _claim_order(new: NewTrade) -> tuple[bool, int, str]:
    """Own ids are claimed in one order by all, over all pieces of a transaction as within one:
    two that claim the same in other orders would block each other."""
    own_id = new.terms.client_trade_id
    return own_id is None, new.account_id, own_id or ""


def trade_write_amended(
    trade: Trade, *, fees: Sequence[Fee], left: int, actor: int, reason: str, answer: Answer
) -> None:
    """Write the next version of a locked trade, whose new terms stand in `trade`, with all its
    fees; `left` is the id of the account that it was in."""
    terms = {t.column: getattr(trade, t.column) for t in VERSIONED if t.amendable}
    said = {
        "id": trade.pk,
        "actor": actor,
        "reason": reason,
        **fee_arrays_of((None, f) for f in fees),
    }
    prepared.rows(_AMEND, {**terms, **said})
    _keep(answer, [(each, trade.version + 1) for each in answer.found])
    _wake([(str(trade.pk), left), (str(trade.pk), trade.account_id)], amended=1)


def trades_write_cancelled(
    ids: Collection[UUID],
    *,
    actor: int,
    reason: str,
    answer: Answer,
    versions: Mapping[str, int] | None = None,
) -> int:
    """Write the last version of locked trades, none of which may be cancelled yet; how many.
    `versions` are the last ones before it, of those that the answer has found something of."""
    found = prepared.rows(_CANCEL, {"ids": list(ids), "actor": actor, "reason": reason})
    _keep(answer, [(each, (versions or {})[each] + 1) for each in answer.found])
    _wake(found, cancelled=len(found))
    return len(found)


def trades_record(
    trades: Sequence[Trade], fees: Mapping[UUID, Sequence[Fee]] | None = None
) -> None:
    """Write unsaved models of made-up trades, already checked, of which no guard is asked: those of
    a book that is empty. `fees` are theirs, by id. Needs a transaction."""
    known = sessions()
    for trade in trades:
        trade.settlement_date = trade.settlement_date or known.settlement_day(trade.trade_date)
    for (booked_by, booked_at), some in groupby(trades, lambda t: (t.booked_by_id, t.booked_at)):
        trades_write(
            [new_trade_of(t, (fees or {}).get(t.pk, ())) for t in some],
            booked_by=booked_by,
            booked_at=booked_at,
            answer=NOTHING_FOUND,
        )
    for trade in trades:
        trade._state.adding = False


def _keep(answer: Answer, versions: Iterable[tuple[str, int]]) -> None:
    """Keep what guards said of these versions."""
    kept = list(versions)
    if not kept:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trades_askedversion (id, trade_id, version, found, confirmed_by_id,"
            " recorded_at) SELECT k.id, k.trade_id, k.version, k.found::jsonb, %s::int,"
            " eqtrade_recorded_at()"
            " FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::text[])"
            " AS k (id, trade_id, version, found)",
            [
                answer.confirmed_by,
                [new_trade_id() for _ in kept],
                [trade_id for trade_id, _ in kept],
                [version for _, version in kept],
                [json.dumps([f.kept() for f in answer.found[trade_id]]) for trade_id, _ in kept],
            ],
        )


def _wake(written: Collection[tuple[Any, ...]], **changed: int) -> None:
    """Wake the readers of the shards of these (trade, account) on commit, and count the versions.
    After the statement: outside of a transaction this is at once."""
    if shards := {account % LEDGER_SHARDS for _, account in written}:
        whose = followed(
            accounts=(account for _, account in written),
            trades=(trade for trade, _ in islice(written, MOST_NAMED)),
        )
        transaction.on_commit(lambda: _committed(shards, whose, changed), robust=True)


def _committed(shards: set[int], whose: Followed | None, changed: Mapping[str, int]) -> None:
    nudges.nudge_all(shards, whose)
    for change, versions in changed.items():
        VERSIONS.add(versions, change=change)
