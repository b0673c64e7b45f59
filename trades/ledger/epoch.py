"""The cluster that the ledger lives in: transaction ids start over in another one."""

from django.db import connection, transaction

from kernel.locks import Lock, transaction_lock
from trades.ledger.shard_batch import AnotherCluster
from trades.models import LedgerEpoch


def refuse_another_cluster() -> None:
    """Raise AnotherCluster when this cluster is not that of the latest epoch."""
    if not same_cluster():
        raise AnotherCluster


def same_cluster() -> bool:
    """True if the latest epoch is of this cluster; without any epoch it is not."""
    latest = LedgerEpoch.objects.order_by("-epoch").first()
    return latest is not None and latest.system_identifier == system_identifier()


def system_identifier() -> int:
    """The identifier that `initdb` gave this cluster; a restore into another one has another."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT system_identifier FROM pg_control_system()")
        return int(cursor.fetchone()[0])


def ledger_restored() -> int | None:
    """Declare that this cluster holds a restored ledger: open the next epoch, and return it; None
    when there is nothing to declare. Two at once: one of them finds nothing left to do."""
    with transaction.atomic():
        transaction_lock(Lock.LEDGER_EPOCH)
        if same_cluster():
            return None
        latest = LedgerEpoch.objects.order_by("-epoch").first()
        epoch = LedgerEpoch.objects.create(
            epoch=1 if latest is None else latest.epoch + 1,
            system_identifier=system_identifier(),
        )
    return epoch.epoch
