"""Runs of `verify`, and the numbers that they found wrong."""

from django.db import models

from accounts.models import Account
from kernel.fields import NumericField


class Verification(models.Model):
    """One run of `verify`: when, and how many numbers were not what they should be."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    breaks = models.PositiveIntegerField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}: {self.breaks} breaks"


class VerificationBreak(models.Model):
    """One number of a run that was wrong. `consumer` is whose rebuild would mend it; empty when
    the ledger itself differs from the trades, which no rebuild mends."""

    verification = models.ForeignKey(Verification, on_delete=models.CASCADE, related_name="found")
    consumer = models.CharField(max_length=32, blank=True)
    what = models.CharField(max_length=64)
    key = models.CharField(max_length=160)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    found = NumericField(null=True)
    expected = NumericField(null=True)

    class Meta:
        ordering = ["-verification_id", "id"]

    def __str__(self) -> str:
        return f"{self.what} {self.key}: {self.found} instead of {self.expected}"
