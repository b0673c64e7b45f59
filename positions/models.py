"""The first projection of the ledger."""

from django.db import models

from accounts.models import Account
from kernel.database import RecordedAt
from kernel.fields import NumericField
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


class PositionSnapshot(models.Model):
    """What was held at a session's end, as known then, with that session's close. Written once."""

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

    def __str__(self) -> str:
        return f"{self.session} {self.account_id}/{self.instrument_id}: {self.quantity}"
