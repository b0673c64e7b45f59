"""Legs of corporate actions, kept beside holdings and activity under the same checkpoint.

The legs of a shard are a function of two sets: the entries up to its checkpoint, as DailyActivity
sums them, and the actions that are applied in it (AppliedAction). So batches commute, and what is
kept is what a rebuild finds:

1. A batch that has entries dated before an applied ex-date folds the accounts concerned anew, all
   instruments that hang together, in its own transaction.
2. A decision about an action leaves work for each shard in its own transaction (ActionWork). The
   work is done under the checkpoint's lock: what counts now becomes what is applied, and every
   account of the shard is folded anew. Who dies before the commit leaves the work.

Both ask for the restatement of what changes. Nothing happens at midnight: readers take the legs
whose ex-date has come.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from kernel import notices, prepared
from kernel.actions import Action, last_ex_dates, related
from pnl.models import ActionWork, AppliedAction
from prices.actions.read import (
    action_id,
    action_version,
    actions_counting,
    actions_of_versions,
)
from trades.ledger.legs import AccountEffect, folded, instruments_of, traded_by
from trades.ledger.projection import KINDS, Batch
from trades.ledger.sql import BEYOND, STANDING
from trades.ledger.sum_projection import Bounds, Rebuilt, Scope
from trades.models import LEDGER_SHARDS, Checkpoint

CONSUMER = "pnl"

Key = tuple[int, int]


class Applied(NamedTuple):
    """By shard, the actions that its legs are of, in their order; and by instrument, the last
    ex-date before which a trade of it changes them."""

    by_shard: Mapping[int, tuple[Action, ...]]
    last: Mapping[int, date]


# Whoever applies others writes rows anew, whose ids are later.
_STAMP = f"""
    SELECT array_agg((SELECT max(id) FROM pnl_appliedaction WHERE shard = s) ORDER BY s)
      FROM generate_series(0, {LEDGER_SHARDS - 1}) s
"""
_kept: tuple[list[int | None], Applied] | None = None


def applied(cursor: CursorWrapper) -> Applied:
    """What is applied, kept in the process for as long as it stays so: a few looks at an index."""
    global _kept
    cursor.execute(_STAMP)
    stamp: list[int | None] = cursor.fetchone()[0]
    kept = _kept
    if kept is None or kept[0] != stamp:
        by_shard = {} if not any(stamp) else applied_actions(range(LEDGER_SHARDS))
        every = {action for actions in by_shard.values() for action in actions}
        kept = stamp, Applied(by_shard, last_ex_dates(every))
        _kept = kept
    return kept[1]


def applied_actions(shards: Iterable[int]) -> dict[int, tuple[Action, ...]]:
    """By shard, the actions that its legs are of, in their order; shards without any are absent."""
    found: dict[int, list[tuple[UUID, int]]] = {}
    rows = AppliedAction.objects.filter(shard__in=list(shards))
    for shard, action, version in rows.values_list("shard", "action_id", "version"):
        found.setdefault(shard, []).append((action, version))
    return {shard: actions_of_versions(versions) for shard, versions in found.items()}


_EARLIER = """
    SELECT DISTINCT e.account_id, e.instrument_id
      FROM trades_ledgerentry e
      JOIN unnest(%(acted)s::bigint[], %(ex_dates)s::date[]) AS x (instrument_id, ex_date)
        ON x.instrument_id = e.instrument_id AND e.trade_date < x.ex_date
     WHERE {where}
"""
_EARLIER_OF = {kind: _EARLIER.format(where=kind.WHERE) for kind in KINDS}


def legs_follow(cursor: CursorWrapper, batch: Batch) -> None:
    """Fold anew what a batch, whose sums are applied already, has changed before an ex-date."""
    by_shard, last = applied(cursor)
    if not by_shard:
        return
    cursor.execute(
        _EARLIER_OF[type(batch)],
        {**batch.params, "acted": list(last), "ex_dates": list(last.values())},
    )
    keys: list[Key] = cursor.fetchall()
    for shard, actions in by_shard.items():
        mine = [(a, i) for a, i in keys if a % LEDGER_SHARDS == shard]
        if mine:
            instruments = related({instrument for _, instrument in mine}, actions)
            _refold(cursor, actions, {account for account, _ in mine}, instruments)


_ACTIVITY = """
    SELECT account_id, instrument_id, trade_date, quantity FROM pnl_dailyactivity
     WHERE account_id = ANY(%s::bigint[]) AND instrument_id = ANY(%s::bigint[])
       AND trade_date < %s
"""


def _refold(
    cursor: CursorWrapper,
    actions: Sequence[Action],
    accounts: Collection[int],
    instruments: Collection[int],
) -> int:
    """Fold these accounts' instruments, which are all that hang together, anew from activity; write
    what differs, and ask for restatement. How many legs changed."""
    of, names = sorted(accounts), sorted(instruments)
    mine = [action for action in actions if action.instrument in instruments]
    legs: Sequence[AccountEffect] = ()
    if mine:
        cursor.execute(_ACTIVITY, [of, names, max(action.ex_date for action in mine)])
        legs = folded(traded_by(cursor.fetchall()), mine)
    return _write(cursor, legs, of, names)


_COLUMNS = (
    "account_id", "action_id", "instrument_id", "ex_date", "held", "quantity", "fraction", "cash",
    "unpaid",
)  # fmt: skip
_RIGHT = """
    SELECT * FROM unnest(%(accounts)s::bigint[], %(actions)s::uuid[], %(instruments)s::bigint[],
                         %(ex_dates)s::date[], %(held)s::numeric[], %(quantities)s::numeric[],
                         %(fractions)s::numeric[], %(cash)s::numeric[], %(unpaid)s::numeric[])
        AS r (account_id, action_id, instrument_id, ex_date, held, quantity, fraction, cash, unpaid)
"""
_SAME = ", ".join(f"l.{name}" for name in _COLUMNS)
_WANTED = ", ".join(f"r.{name}" for name in _COLUMNS)
# One statement: what is right stays untouched, and each changed key asks for its sessions.
_WRITE = f"""
    WITH right_ AS MATERIALIZED ({_RIGHT}), wrong AS MATERIALIZED (
        SELECT l.id, r.*, coalesce(r.account_id, l.account_id) AS of_account,
               coalesce(r.instrument_id, l.instrument_id) AS of_instrument,
               least(r.ex_date, l.ex_date) AS since
          FROM (SELECT * FROM pnl_actionleg
                 WHERE account_id = ANY(%(of_accounts)s::bigint[])
                   AND instrument_id = ANY(%(of_instruments)s::bigint[])) l
          FULL JOIN right_ r USING (account_id, action_id, instrument_id)
         WHERE ({_SAME}) IS DISTINCT FROM ({_WANTED})
    ), removed AS (
        DELETE FROM pnl_actionleg l USING wrong w WHERE l.id = w.id AND w.account_id IS NULL
        RETURNING 1
    ), written AS (
        INSERT INTO pnl_actionleg ({", ".join(_COLUMNS)})
        SELECT {", ".join(_COLUMNS)} FROM wrong WHERE account_id IS NOT NULL
            ON CONFLICT (account_id, action_id, instrument_id) DO UPDATE
           SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[3:])}
        RETURNING 1
    ), asked AS (
        INSERT INTO pnl_restaterequest (account_id, instrument_id, first_session, reason)
        SELECT of_account, of_instrument, min(since), 'action' FROM wrong
         GROUP BY of_account, of_instrument
        RETURNING account_id, instrument_id
    )
    SELECT (SELECT count(*) FROM written) + (SELECT count(*) FROM removed),
           array_agg(account_id), array_agg(instrument_id) FROM asked
"""


def _leg_params(legs: Sequence[AccountEffect]) -> dict[str, Any]:
    return {
        "accounts": [leg.account for leg in legs],
        "actions": [action_id(leg.effect.action) for leg in legs],
        "instruments": [leg.effect.instrument for leg in legs],
        "ex_dates": [leg.effect.action.ex_date for leg in legs],
        "held": [leg.effect.held for leg in legs],
        "quantities": [leg.effect.quantity for leg in legs],
        "fractions": [leg.effect.fraction for leg in legs],
        "cash": [leg.effect.cash for leg in legs],
        "unpaid": [leg.effect.unpaid for leg in legs],
    }


def _write(
    cursor: CursorWrapper,
    legs: Sequence[AccountEffect],
    accounts: Sequence[int],
    instruments: Sequence[int],
) -> int:
    """Make these the legs of these accounts' instruments; how many were written or removed. Tells
    who watches after the commit."""
    params: dict[str, Any] = {"of_accounts": accounts, "of_instruments": instruments}
    cursor.execute(_WRITE, {**_leg_params(legs), **params})
    changed, of, names = cursor.fetchone()
    if changed:
        told: dict[int, set[int]] = {}
        for account, name in zip(of, names, strict=True):
            told.setdefault(account, set()).add(name)
        transaction.on_commit(
            lambda: notices.publish(
                notices.account_changed(account, instruments=changed_names)
                for account, changed_names in told.items()
            ),
            robust=True,
        )
    return int(changed)


_HELD = """
    SELECT i.id FROM unnest(%s::bigint[]) i (id)
     WHERE EXISTS (SELECT FROM pnl_actionleg l WHERE l.instrument_id = i.id AND l.quantity <> 0)
"""


def held_by_actions(instruments: Collection[int], now: datetime) -> set[int]:
    """Those of these instruments that came into some account by an action: they need prices, too,
    though nobody ever traded them."""
    return {pk for (pk,) in prepared.rows(_HELD, [list(instruments)])}


# --- A decision ----------------------------------------------------------------------------------


def work_ask(instruments: Iterable[int]) -> None:
    """Leave work for every shard, in the decision's transaction."""
    wanted = sorted(set(instruments))
    ActionWork.objects.bulk_create(
        ActionWork(shard=shard, instrument_id=instrument)
        for shard in range(LEDGER_SHARDS)
        for instrument in wanted
    )


def work_waits() -> bool:
    return ActionWork.objects.exists()


def work_do() -> int:
    """Apply what was decided, shard by shard, one transaction each; how many legs changed. Must
    not run inside a transaction. A second call finds nothing to do."""
    shards = list(ActionWork.objects.order_by("shard").values_list("shard", flat=True).distinct())
    return sum(_work(shard) for shard in shards)


def _work(shard: int) -> int:
    Checkpoint.objects.get_or_create(consumer=CONSUMER, shard=shard)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM trades_checkpoint WHERE consumer = %s AND shard = %s FOR UPDATE",
            [CONSUMER, shard],
        )
        work = list(ActionWork.objects.filter(shard=shard).values_list("pk", "instrument_id"))
        if not work:
            return 0
        counting = actions_counting()
        AppliedAction.objects.filter(shard=shard).delete()
        AppliedAction.objects.bulk_create(
            AppliedAction(shard=shard, action_id=action_id(action), version=action_version(action))
            for action in counting
        )
        instruments = related({instrument for _, instrument in work}, counting)
        cursor.execute(
            "SELECT DISTINCT account_id FROM pnl_holding"
            " WHERE instrument_id = ANY(%s::bigint[]) AND account_id %% %s = %s",
            [sorted(instruments), LEDGER_SHARDS, shard],
        )
        accounts = [row[0] for row in cursor.fetchall()]
        changed = _refold(cursor, counting, accounts, instruments)
        ActionWork.objects.filter(pk__in=[pk for pk, _ in work]).delete()
    return changed


# --- Rebuild and survey --------------------------------------------------------------------------


def legs_rebuild(cursor: CursorWrapper, scope: Scope) -> Rebuilt:
    """Fold the scope anew from activity, which is right already. The checkpoint must be locked."""
    actions = applied_actions([scope.shard]).get(scope.shard, ())
    cursor.execute(_KEYS_OF_LEGS.format(where=Scope.ROWS), scope.params)
    keys: list[Key] = cursor.fetchall()
    instruments = instruments_of(actions) | {instrument for _, instrument in keys}
    if not instruments:
        return Rebuilt()
    cursor.execute(
        "SELECT DISTINCT account_id FROM pnl_holding r"
        f" WHERE {Scope.ROWS} AND instrument_id = ANY(%(instruments)s::bigint[])",
        {**scope.params, "instruments": sorted(instruments)},
    )
    accounts = {row[0] for row in cursor.fetchall()} | {account for account, _ in keys}
    return Rebuilt(0, _refold(cursor, actions, accounts, instruments), 0)


_KEYS_OF_LEGS = "SELECT DISTINCT account_id, instrument_id FROM pnl_actionleg r WHERE {where}"


def legs_survey(cursor: CursorWrapper, bounds: Bounds) -> dict[int, Rebuilt]:
    """By account id, how many legs differ from what the ledger's entries up to the checkpoints and
    the applied actions make. Reads only."""
    cursor.execute(_KEPT.format(where=Bounds.ROWS), bounds.params)
    kept = _by_key(cursor.fetchall())
    by_shard = applied_actions(range(LEDGER_SHARDS))
    if not kept and not by_shard:
        return {}
    right = _right(cursor, by_shard, _FROM_ENTRIES.format(where=Bounds.ENTRIES), bounds.params)
    found: dict[int, Rebuilt] = {}
    for key in {*kept, *right}:
        if kept.get(key) != right.get(key):
            found[key[0]] = found.get(key[0], Rebuilt()) + Rebuilt(0, 1, 0)
    return found


def leg_breaks() -> list[tuple[int, int, date, str, Decimal | None, Decimal | None]]:
    """Legs that are not what the trades as they are now make, less what lies beyond the checkpoint:
    account and instrument id, ex-date, what of it, as kept, and as it should be."""
    by_shard = applied_actions(range(LEDGER_SHARDS))
    with connection.cursor() as cursor:
        cursor.execute(_KEPT.format(where="true"))
        kept = _by_key(cursor.fetchall())
        if not kept and not by_shard:
            return []
        right = _right(cursor, by_shard, _FROM_TRADES, {"consumer": CONSUMER})
    found = []
    for key in sorted({*kept, *right}, key=str):
        have, want = kept.get(key), right.get(key)
        for n, what in enumerate(_COLUMNS[4:]):
            one, other = (None if row is None else row[n + 1] for row in (have, want))
            if one != other:
                day = (have or want or ())[0]
                found.append((key[0], key[2], day, what, one, other))
    return found


_KEPT = f"SELECT {', '.join(_COLUMNS)} FROM pnl_actionleg r WHERE {{where}}"
_FROM_ENTRIES = """
    SELECT e.account_id, e.instrument_id, e.trade_date, sum(e.quantity)
      FROM trades_ledgerentry e
     WHERE {where} AND e.instrument_id = ANY(%(instruments)s::bigint[])
     GROUP BY 1, 2, 3
"""
_FROM_TRADES = f"""
    SELECT account_id, instrument_id, trade_date,
           coalesce(s.quantity, 0) - coalesce(b.quantity, 0)
      FROM ({STANDING}) s FULL JOIN ({BEYOND}) b USING (account_id, instrument_id, trade_date)
     WHERE instrument_id = ANY(%(instruments)s::bigint[])
"""

_LegKey = tuple[int, Any, int]


def _right(
    cursor: CursorWrapper,
    by_shard: Mapping[int, Sequence[Action]],
    query: str,
    params: Mapping[str, Any],
) -> dict[_LegKey, tuple[Any, ...]]:
    every = {action for actions in by_shard.values() for action in actions}
    if not every:
        return {}
    cursor.execute(query, {**params, "instruments": sorted(instruments_of(every))})
    traded = traded_by(cursor.fetchall())
    rows = []
    for shard, actions in by_shard.items():
        mine = {a: days for a, days in traded.items() if a % LEDGER_SHARDS == shard}
        rows += [_values(leg) for leg in folded(mine, actions)]
    return _by_key(rows)


def _by_key(rows: Iterable[tuple[Any, ...]]) -> dict[_LegKey, tuple[Any, ...]]:
    return {row[:3]: row[3:] for row in rows}


def _values(leg: AccountEffect) -> tuple[Any, ...]:
    effect = leg.effect
    return (
        leg.account, action_id(effect.action), effect.instrument, effect.action.ex_date,
        effect.held, effect.quantity, effect.fraction, effect.cash, effect.unpaid,
    )  # fmt: skip
