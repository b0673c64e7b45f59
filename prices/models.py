"""Instruments, sessions that differ from the calendar, and prices."""

from datetime import time

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q

from kernel.database import AppendOnly, Kept, RecordedAt, append_only_triggers
from kernel.fields import NumericField

MANUAL = "manual"
CARRIED = "carried"


class Instrument(models.Model):
    """A listed share. `indices` holds the names of the indices it is a member of."""

    ticker = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=160, blank=True)
    exchange = models.CharField(max_length=16, default="XNYS")
    currency = models.CharField(max_length=3, default="USD")
    yahoo_symbol = models.CharField(max_length=24)
    is_active = models.BooleanField(default=True)
    indices = ArrayField(models.CharField(max_length=32), default=list, blank=True)

    class Meta:
        ordering = ["ticker"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ticker__regex=r"^[A-Z0-9][A-Z0-9.-]*$"), name="instrument_ticker_plain"
            ),
            models.CheckConstraint(condition=Q(currency="USD"), name="instrument_in_usd"),
        ]

    def __str__(self) -> str:
        return self.ticker


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


class Close(AppendOnly):
    """An official closing price as recorded. A correction is a further row; the latest counts.

    `user` and `reason` are of those that a person entered (source `manual`), `carried_for` of those
    that were carried: the source that had none, for which alone they count."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="closes")
    session = models.DateField()
    source = models.CharField(max_length=16)
    carried_for = models.CharField(max_length=16, blank=True, db_default="", editable=False)
    close = NumericField()
    recorded_at = models.DateTimeField(db_default=RecordedAt(), editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        editable=False,
    )
    reason = models.CharField(max_length=200, blank=True, db_default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(close__gt=0), name="close_positive"),
            models.CheckConstraint(
                condition=Q(user__isnull=True) | (Q(source=MANUAL) & ~Q(reason="")),
                name="close_by_hand_has_reason",
            ),
            models.CheckConstraint(
                condition=(Q(source=CARRIED) & ~Q(carried_for=""))
                | (~Q(source=CARRIED) & Q(carried_for="")),
                name="close_carried_for_a_source",
            ),
        ]
        indexes = [
            models.Index(
                fields=["instrument", "session", "source", "-recorded_at", "-id"],
                name="close_latest",
            ),
            models.Index(fields=["session"], name="close_session"),
        ]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.instrument} {self.session} {self.close} ({self.source})"


class CloseRun(models.Model):
    """The fetching of one session's closes from one source: one row for both.

    `attempts` counts what was claimed, with or without an answer. `expected` and `missing` are the
    priced instruments at the last attempt, and those of them that no close counts for. A run is
    settled once and for all: then every instrument has a close, or has had its last retry.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        COMPLETE = "complete"
        CARRIED = "carried"

    SETTLED = (State.COMPLETE, State.CARRIED)

    session = models.DateField()
    source = models.CharField(max_length=16)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    expected = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    last_attempt_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    reread_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-session", "source"]
        constraints = [
            models.UniqueConstraint(fields=["session", "source"], name="close_run_once"),
            models.CheckConstraint(
                condition=Q(state="pending", settled_at__isnull=True)
                | (~Q(state="pending") & Q(settled_at__isnull=False)),
                name="close_run_settled_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session} {self.source}: {self.state}"


class SourceState(models.Model):
    """A source's recent answers. After a failure it is left alone until `retry_at`."""

    source = models.CharField(max_length=16, unique=True)
    last_attempt_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    fetch_seconds = models.FloatField(null=True, help_text="How long the last answered call took")
    failures_in_a_row = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    last_failure_kind = models.CharField(max_length=16, blank=True)
    last_failure = models.CharField(max_length=200, blank=True)
    stream_seen_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.source


class SourceFailure(models.Model):
    """The count of a source's failures of one kind, ever."""

    source = models.CharField(max_length=16)
    kind = models.CharField(max_length=16)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "kind"], name="source_failure_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.kind}: {self.count}"


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


class SessionOverride(models.Model):
    """A day on which the exchange keeps other hours than its calendar says."""

    date = models.DateField(unique=True)
    is_closed = models.BooleanField(default=False)
    early_close = models.TimeField(
        null=True, blank=True, help_text="New York time, of 24 hours: 13:00, not 1:00."
    )
    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ["-date"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_closed=True, early_close__isnull=True)
                | Q(is_closed=False, early_close__isnull=False),
                name="session_override_closed_or_early",
                violation_error_message="A day is either closed or has an early close.",
            ),
            # 1:00 typed for 1 p.m. would end the day that runs, and take its prices for closes.
            models.CheckConstraint(
                condition=Q(early_close__gt=time(9, 30), early_close__lte=time(16)),
                name="session_override_in_hours",
                violation_error_message=(
                    "An early close is after 9:30 and not after 16:00, New York time;"
                    " 1 p.m. is 13:00."
                ),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="restamp",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert
                | pgtrigger.Update
                | pgtrigger.Delete
                | pgtrigger.Truncate,
                func=(
                    "INSERT INTO prices_calendarstamp (id, stamp) VALUES (1, gen_random_uuid())"
                    " ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp;"
                    " RETURN NULL;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date}: {'closed' if self.is_closed else self.early_close}"


class CalendarStamp(models.Model):
    """One row: the same stamp means the same session overrides.

    Each statement that changes overrides rewrites it, by a trigger in its own transaction, so it
    is seen with them or not at all, and changes wait for each other at this row. It is random:
    a sequence or a time is taken before the commit, and commits may come in another order.
    """

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    stamp = models.UUIDField(db_default=RandomUUID(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="calendar_stamp_one_row"),
        ]

    def __str__(self) -> str:
        return str(self.stamp)
