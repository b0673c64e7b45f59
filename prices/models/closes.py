"""Official closes, and how they are fetched."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from kernel.database import AppendOnly, RecordedAt, append_only_triggers
from kernel.fields import NumericField
from prices.models.instruments import Instrument

MANUAL = "manual"
CARRIED = "carried"


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
