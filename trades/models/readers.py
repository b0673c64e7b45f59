"""What consumers of the ledger keep of themselves: how far they read, and what they pass over."""

from django.db import models
from django.db.models import Q

from accounts.models import Account
from kernel.database import RecordedAt
from kernel.fields import Xid8Field
from trades.models.ledger import LEDGER_SHARDS


class Quarantine(models.Model):
    """An account that a consumer passes over since an entry of it could not be applied. What the
    consumer keeps of it is out of date until a rebuild of the account succeeds and ends this."""

    consumer = models.CharField(max_length=32)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    entry_id = models.BigIntegerField()
    error = models.TextField()
    since = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "consumer"], name="quarantine_once"),
        ]

    def __str__(self) -> str:
        return f"{self.consumer}: account {self.account_id} since entry {self.entry_id}"


class Checkpoint(models.Model):
    """The place up to which one consumer has read one shard. It moves in the transaction that
    applies."""

    consumer = models.CharField(max_length=32)
    shard = models.SmallIntegerField()
    epoch = models.IntegerField(default=0)
    txid = Xid8Field(default="0")
    entry_id = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(db_default=RecordedAt())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["consumer", "shard"], name="checkpoint_once"),
            models.CheckConstraint(
                condition=Q(shard__gte=0, shard__lt=LEDGER_SHARDS), name="checkpoint_shard_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.consumer}/{self.shard}"
