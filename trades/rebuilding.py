"""Rebuild: compute a projection anew from the ledger, shard by shard, while bookings go on.

One transaction a shard: it locks the checkpoint, so that the projection's reader waits; readers of
rows see the old ones until the commit; only what differs is written; the checkpoint stays where it
is. What was quarantined is right again, so the quarantine of rebuilt accounts ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction

from accounts.models import Account
from kernel import notices
from kernel.database import lift_timeouts
from trades.ledger import AnotherCluster, Place
from trades.models import LEDGER_SHARDS, Checkpoint, LedgerEpoch, Quarantine
from trades.sums import Rebuilt, Scope, SumProjection


@dataclass(frozen=True)
class ShardRebuilt:
    shard: int
    result: Rebuilt


def rebuild(
    projection: SumProjection, *, accounts: list[str] | None = None, dry_run: bool = False
) -> Iterator[ShardRebuilt]:
    """Rebuild all accounts, or those of these codes; yields after each shard's commit.

    With `dry_run` everything is computed, counted and taken back. Raises AnotherCluster, and
    Account.DoesNotExist for an unknown code, before anything is written.
    """
    refuse_another_cluster()
    ids = None if accounts is None else [Account.objects.get(code=code).pk for code in accounts]
    shards = range(LEDGER_SHARDS) if ids is None else sorted({i % LEDGER_SHARDS for i in ids})
    for shard in shards:
        yield ShardRebuilt(shard, _shard(projection, shard, ids, dry_run))


def _shard(projection: SumProjection, shard: int, ids: list[int] | None, dry_run: bool) -> Rebuilt:
    Checkpoint.objects.get_or_create(consumer=projection.name, shard=shard)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        lift_timeouts(cursor)
        # The sums and the comparison fit into memory.
        cursor.execute("SELECT set_config('work_mem', '256MB', true)")
        cursor.execute(
            "SELECT epoch, txid::text, entry_id FROM trades_checkpoint"
            " WHERE consumer = %s AND shard = %s FOR UPDATE",
            [projection.name, shard],
        )
        scope = Scope(shard, Place(*cursor.fetchone()), LEDGER_SHARDS, ids)
        result = projection.rebuild(cursor, scope)
        ended = Quarantine.objects.filter(consumer=projection.name)
        if ids is None:
            ended = ended.filter(account__in=_accounts_of(shard))
        else:
            ended = ended.filter(account__in=ids)
        ended_accounts = list(ended.values_list("account_id", flat=True))
        ended.delete()
        if dry_run:
            transaction.set_rollback(True)
    if not dry_run and (result.written or result.removed or ended_accounts):
        # The checkpoint stays, so nothing else tells who watches.
        touched = _accounts_of(shard) if ids is None else ids
        notices.publish(notices.account_changed(a, instruments=None) for a in touched)
    return result


def _accounts_of(shard: int) -> list[int]:
    ids = Account.objects.values_list("pk", flat=True)
    return [pk for pk in ids if pk % LEDGER_SHARDS == shard]


def refuse_another_cluster() -> None:
    """Raise AnotherCluster when this cluster is not that of the latest epoch."""
    if not same_cluster():
        raise AnotherCluster


def same_cluster() -> bool:
    """Whether the latest epoch is of this cluster; without any epoch it is not."""
    latest = LedgerEpoch.objects.order_by("-epoch").first()
    return latest is not None and latest.system_identifier == system_identifier()


def system_identifier() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT system_identifier FROM pg_control_system()")
        return int(cursor.fetchone()[0])


def ledger_restored() -> int | None:
    """Declare that this cluster holds a restored ledger: open the next epoch, and return it; None
    when there is nothing to declare. Two at once: one of them finds nothing left to do."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('eqtrade.epoch'))")
        if same_cluster():
            return None
        latest = LedgerEpoch.objects.order_by("-epoch").first()
        epoch = LedgerEpoch.objects.create(
            epoch=1 if latest is None else latest.epoch + 1,
            system_identifier=system_identifier(),
        )
    return epoch.epoch
