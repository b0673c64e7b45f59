"""Rebuild: compute a projection anew from the ledger, while bookings go on.

First a survey: one snapshot sees rows and checkpoints as they were committed together, so the rows
must equal the sums up to the checkpoints, and no lock is needed to find the accounts where they do
not. It is one parallel pass over the ledger.

Then those accounts, and those in quarantine, shard by shard in one transaction each: it locks the
checkpoint, so that the projection's reader waits; readers of rows see the old ones until the
commit; only what differs is written; the checkpoint stays where it is. What was quarantined is
right again, so the quarantine of rebuilt accounts ends.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models import Account
from kernel import notices
from kernel.database import is_outage, lift_timeouts
from trades.ledger.epoch import refuse_another_cluster
from trades.ledger.projection import Place
from trades.ledger.shard_batch import NO_ENTRYS_FAULT
from trades.ledger.sum_projection import Bounds, Rebuilt, Scope
from trades.models import LEDGER_SHARDS, Checkpoint, Quarantine

logger = logging.getLogger(__name__)


class Rebuildable(Protocol):
    """A projection that can be compared with the ledger, and computed anew from it."""

    @property
    def name(self) -> str: ...

    def survey(self, cursor: CursorWrapper, bounds: Bounds) -> dict[int, Rebuilt]:
        """By account id, what `rebuild` would find; reads only, in the caller's snapshot."""
        ...

    def rebuild(self, cursor: CursorWrapper, scope: Scope) -> Rebuilt:
        """Write what differs. The caller has locked the checkpoint."""
        ...


@dataclass(frozen=True)
class ShardRebuilt:
    """`failed` says, by account code, why an account could not be computed; it is as it was."""

    shard: int
    result: Rebuilt
    failed: dict[str, str] = field(default_factory=dict)


def rebuild(
    projection: Rebuildable, *, accounts: list[str] | None = None, dry_run: bool = False
) -> Iterator[ShardRebuilt]:
    """Rebuild all accounts, or those of these codes; yields after each shard's commit.

    Accounts that are named are computed anew whether the survey finds them wrong or not. With
    `dry_run` everything is computed and counted, and nothing written. Raises AnotherCluster, and
    Account.DoesNotExist for an unknown code, before anything is written; whatever the database
    raises while it is away. An account that cannot be computed holds up no other.
    """
    refuse_another_cluster()
    ids = None if accounts is None else [Account.objects.get(code=code).pk for code in accounts]
    found, quarantined = _survey(projection, ids)
    shards = range(LEDGER_SHARDS) if ids is None else sorted({i % LEDGER_SHARDS for i in ids})
    for shard in shards:
        here = {pk: result for pk, result in found.items() if pk % LEDGER_SHARDS == shard}
        suspects = {pk for pk, result in here.items() if result.written or result.removed}
        suspects |= {pk for pk in quarantined.union(ids or ()) if pk % LEDGER_SHARDS == shard}
        if dry_run or not suspects:
            yield ShardRebuilt(shard, sum(here.values(), Rebuilt()))
            continue
        sound = (result for pk, result in here.items() if pk not in suspects)
        mended, failed = _mend_each(projection, shard, sorted(suspects))
        yield ShardRebuilt(shard, sum(sound, mended), failed)


class NotMended(Exception):
    """Some accounts could not be computed and are as they were; the message says which, and why."""


def rebuild_to_the_end(projection: Rebuildable, *, accounts: list[str] | None = None) -> int:
    """`rebuild` in one go; the number of rows that were mended. Raises NotMended at the end."""
    mended, failed = Rebuilt(), dict[str, str]()
    for done in rebuild(projection, accounts=accounts):
        mended += done.result
        failed |= done.failed
    if failed:
        raise NotMended("; ".join(f"{code}: {why}" for code, why in sorted(failed.items())))
    return mended.written + mended.removed


def _survey(projection: Rebuildable, ids: list[int] | None) -> tuple[dict[int, Rebuilt], set[int]]:
    """The rows that differ, by account, and the accounts in quarantine: all in one snapshot."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        lift_timeouts(cursor)
        _give_memory(cursor)
        places = [Place(0, "0", 0)] * LEDGER_SHARDS
        cursor.execute(
            "SELECT shard, epoch, txid::text, entry_id FROM trades_checkpoint WHERE consumer = %s",
            [projection.name],
        )
        for shard, *place in cursor.fetchall():
            places[shard] = Place(*place)
        found = projection.survey(cursor, Bounds(places, ids))
        quarantined = Quarantine.objects.filter(consumer=projection.name)
        if ids is not None:
            quarantined = quarantined.filter(account__in=ids)
        return found, set(quarantined.values_list("account_id", flat=True))


def _mend_each(
    projection: Rebuildable, shard: int, accounts: list[int]
) -> tuple[Rebuilt, dict[str, str]]:
    """All accounts at once; when that fails, one after the other, and which of them did."""
    try:
        return _mend(projection, shard, accounts), {}
    except Exception as error:
        if is_outage(error) or isinstance(error.__cause__, NO_ENTRYS_FAULT):
            raise
    mended, failed = Rebuilt(), {}
    for account in accounts:
        try:
            mended += _mend(projection, shard, [account])
        except Exception as error:
            if is_outage(error):
                raise
            code = Account.objects.get(pk=account).code
            logger.exception("%s: account %s cannot be rebuilt", projection.name, code)
            failed[code] = str(error).strip().partition("\n")[0]
    return mended, failed


def _mend(projection: Rebuildable, shard: int, accounts: list[int]) -> Rebuilt:
    """Compute the accounts, all of this shard, anew under the checkpoint's lock."""
    Checkpoint.objects.get_or_create(consumer=projection.name, shard=shard)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        lift_timeouts(cursor)
        _give_memory(cursor)
        cursor.execute(
            "SELECT epoch, txid::text, entry_id FROM trades_checkpoint"
            " WHERE consumer = %s AND shard = %s FOR UPDATE",
            [projection.name, shard],
        )
        scope = Scope(shard, Place(*cursor.fetchone()), LEDGER_SHARDS, accounts)
        result = projection.rebuild(cursor, scope)
        Quarantine.objects.filter(consumer=projection.name, account__in=accounts).delete()
    # The checkpoint stays, so nothing else tells who watches.
    notices.publish(notices.account_changed(a, instruments=None) for a in accounts)
    return result


def _give_memory(cursor: CursorWrapper) -> None:
    """For this transaction: the sums and the comparison fit into memory."""
    cursor.execute("SELECT set_config('work_mem', '256MB', true)")
