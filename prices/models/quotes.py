"""The latest prices, those of the day, and those that people set."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from kernel.database import Kept, RecordedAt
from kernel.fields import NumericField
from prices.models.instruments import Instrument


class Quote(models.Model):
    """The latest price of an instrument from one source, and when that source said it."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="quotes")
    source = models.CharField(max_length=16)
    price = NumericField()
    as_of = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instrument", "source"], name="quote_latest_once"),
            models.CheckConstraint(condition=Q(price__gt=0), name="quote_price_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.price} ({self.source})"


class PricePoint(models.Model):
    """A price of the day for charts: at most one a minute, kept for a few sessions."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=16)
    at = models.DateTimeField(help_text="The beginning of the minute")
    price = NumericField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "source", "at"], name="price_point_a_minute"
            ),
        ]
        indexes = [models.Index(fields=["at"], name="price_point_at")]

    def __str__(self) -> str:
        return f"{self.instrument} {self.at} {self.price}"


class PriceOverride(Kept):
    """A price set by a person. It beats quotes while it is active, and never a close. It may be
    ended, and stays as it was set."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="overrides")
    price = NumericField()
    reason = models.CharField(max_length=200)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=RecordedAt(), editable=False)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        editable=False,
    )

    CHANGEABLE = ("ended_at", "ended_by_id")

    class Meta:
        ordering = ["-id"]
        permissions = [("override", "May set prices by hand: overrides and closes")]
        constraints = [
            models.CheckConstraint(condition=Q(price__gt=0), name="override_price_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="override_has_reason"),
        ]
        indexes = [
            models.Index(
                fields=["instrument", "expires_at"],
                condition=Q(ended_at__isnull=True),
                name="override_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.price}"
