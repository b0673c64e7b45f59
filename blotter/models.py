"""What the blotter keeps of its own: reviews of exceptions, and people's views of the page and
alerts. All else is what other apps keep."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Account
from blotter.alert_rules import KINDS, MOST_MINUTES, STALE, WAYS
from kernel.database import AppendOnly, RecordedAt, append_only_triggers
from kernel.fields import NumericField
from pnl.models import DailyPnl
from prices.models import Instrument


class PnlDay(DailyPnl):
    """P&L by account and day in the admin: final, provisional and live."""

    class Meta:
        proxy = True
        verbose_name = "P&L by account and day"
        verbose_name_plural = "P&L by account and day"
        default_permissions = ("view",)


class ExceptionReview(AppendOnly):
    """Somebody looked at an exception and says what they found. `kind` and `key` name it (see
    blotter.exceptions); the last review of it counts, and the earlier ones stay."""

    kind = models.CharField(max_length=16)
    key = models.CharField(max_length=120)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    comment = models.CharField(max_length=200)
    recorded_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("review_exceptions", "May see and review exceptions")]
        constraints = [
            models.CheckConstraint(condition=~Q(comment=""), name="review_has_comment"),
        ]
        indexes = [models.Index(fields=["kind", "key", "-id"], name="review_latest")]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.comment}"


class SavedView(models.Model):
    """How a person likes the page, under a name: which accounts (null: all of theirs), and in
    `state` what the page keeps of columns, sorts, filters, grouping and window. A shared one is
    shown to whoever has its link."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=64)
    accounts = models.JSONField(null=True)
    state = models.JSONField()
    is_default = models.BooleanField(default=False)
    is_shared = models.BooleanField(default=False)
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="view_named_once"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(is_default=True), name="view_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


def _shaped() -> Q:
    """Each kind with what it is of, and no more (blotter.alert_rules)."""
    shaped = Q()
    for kind, shape in KINDS.items():
        account, instrument = Q(account__isnull=False), Q(instrument__isnull=False)
        of = {
            "account": account & ~instrument,
            "ticker": instrument & ~account,
            "both": account & instrument,
            "either": (account & ~instrument) | (instrument & ~account),
        }[shape.of]
        way = Q(way__in=WAYS) if shape.has_way else Q(way="")
        shaped |= Q(kind=kind) & of & way & Q(level__isnull=not shape.has_level)
    return shaped


class Alert(models.Model):
    """What a user wants to be told of. It fires when it begins to hold, and again after it has
    ceased to. `way` is empty where there is none to choose; `level` is an amount, a price, a
    quantity or minutes. `trades_to` is up to when versions of trades have been looked at."""

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=[(kind, kind) for kind in KINDS])
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    way = models.CharField(max_length=5, blank=True)
    level = NumericField(null=True)
    is_once = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    set_at = models.DateTimeField()
    trades_to = models.DateTimeField(db_default=RecordedAt())

    class Meta:
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=_shaped(), name="alert_shaped"),
            models.CheckConstraint(
                condition=~Q(kind=STALE) | Q(level__gte=1, level__lte=MOST_MINUTES),
                name="alert_minutes",
            ),
        ]
        indexes = [
            models.Index(fields=["kind"], condition=Q(is_active=True), name="alert_active"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.account or self.instrument}"


class AlertFiring(models.Model):
    """An alert held, from `opened_at` until `closed_at`; trades of others close at once. `value`,
    `level` and `way` are of the moment it fired, `facts` what else is told. `seen_at` is when its
    user said that they have seen it."""

    # A UUIDv7: newer sorts later.
    id = models.UUIDField(primary_key=True)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="firings")
    way = models.CharField(max_length=5, blank=True)
    level = NumericField(null=True)
    value = NumericField(null=True)
    facts = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["alert"], condition=Q(closed_at=None), name="firing_open_once"
            ),
        ]
        indexes = [
            models.Index(fields=["opened_at"], condition=Q(seen_at=None), name="firing_unseen"),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} at {self.opened_at}"
