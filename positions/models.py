"""The first projection of the ledger, what settles when, and snapshots."""

from django.db import models

from accounts.models import Account
from kernel.database import AppendOnly, CurrentTransaction, RecordedAt, append_only_triggers
from kernel.fields import NumericField, Xid8Field
from prices.models import Instrument


class Position(models.Model):
    """Sum of signed quantities per account and instrument.

    `last_entry` is the id of the ledger entry applied last, in the order of the ledger's reader:
    two projections that name the same one have applied the same entries of this key.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    quantity = NumericField()
    last_entry = models.BigIntegerField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "instrument"], name="position_key"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.instrument_id}: {self.quantity}"


class Settling(models.Model):
    """What settles on a day, summed per account and instrument: signed quantity, and the amount of
    cash paid for it, fees included (received < 0). Never deleted when it comes to zero."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    settlement_date = models.DateField()
    quantity = NumericField()
    amount = NumericField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "settlement_date", "instrument"], name="settling_key"
            ),
        ]
        verbose_name_plural = "unsettled"

    def __str__(self) -> str:
        return f"{self.settlement_date} {self.account_id}/{self.instrument_id}: {self.quantity}"


class SnapshotRun(models.Model):
    """The snapshot of one session: begun at the session's end or later, then taken, once.

    `txid` is a transaction id drawn after the end: whatever was recorded by the end was written by
    an older transaction, so the snapshot holds it all as soon as the horizon has passed that id.
    """

    session = models.DateField(unique=True)
    ends_at = models.DateTimeField()
    epoch = models.IntegerField()
    txid = Xid8Field(db_default=CurrentTransaction(), editable=False)
    begun_at = models.DateTimeField(db_default=RecordedAt(), editable=False)
    taken_at = models.DateTimeField(null=True)
    rows = models.PositiveIntegerField(null=True)
    missing_closes = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["-session"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(begun_at__gt=models.F("ends_at")),
                name="snapshot_begun_after_the_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session}: {'begun' if self.taken_at is None else 'taken'}"


class PositionSnapshot(AppendOnly):
    """Positions at a session's end, as known then, with that session's close (null where there
    was none, or it was held back). Written once, never changed: what was corrected since is shown
    beside it."""

    session = models.DateField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    quantity = NumericField()
    close = NumericField(null=True)
    taken_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "account", "instrument"], name="snapshot_key"
            ),
            models.CheckConstraint(condition=~models.Q(quantity=0), name="snapshot_not_flat"),
        ]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.session} {self.account_id}/{self.instrument_id}: {self.quantity}"
