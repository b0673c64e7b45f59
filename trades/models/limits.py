"""Limits of accounts and of groups of accounts, and their breaches."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Account
from kernel.database import Kept, RecordedAt
from kernel.fields import NumericField
from trades.limit_rules import KINDS, MODES, REFUSABLE


class AccountGroup(Kept):
    """Accounts that are looked at together. One that is needed no more has no accounts."""

    name = models.CharField(max_length=32, unique=True)
    accounts = models.ManyToManyField(Account, related_name="+", blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Limit(Kept):
    """The most that an account or a group may have of something. `alert` tells when it is
    exceeded, and warns from `alert_at` percent of it on; `refuse` refuses what makes it worse."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    group = models.ForeignKey(
        AccountGroup, on_delete=models.PROTECT, null=True, blank=True, related_name="limits"
    )
    kind = models.CharField(max_length=16, choices=[(k, k) for k in KINDS])
    mode = models.CharField(max_length=6, choices=[(m, m) for m in MODES], default="alert")
    amount = NumericField()
    alert_at = NumericField(default=90)
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField(db_default=RecordedAt())

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "group", "kind"], name="limit_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(account__isnull=False, group=None)
                | Q(account=None, group__isnull=False),
                name="limit_of_one",
            ),
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="limit_kind_known"),
            models.CheckConstraint(
                condition=Q(mode="alert")
                | Q(mode="refuse", account__isnull=False, kind__in=REFUSABLE),
                name="limit_mode_known",
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="limit_not_negative"),
            models.CheckConstraint(
                condition=Q(alert_at__gt=0, alert_at__lte=100), name="limit_alert_at"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.account or self.group}"


class Breach(Kept):
    """A limit was warned of or exceeded, from `opened_at` until `closed_at`. `value` is the last
    that was seen, `worst` the furthest; `state` is of the last."""

    class State(models.TextChoices):
        WARNED = "warned"
        BREACHED = "breached"

    # A UUIDv7: newer sorts later.
    id = models.UUIDField(primary_key=True)
    limit = models.ForeignKey(Limit, on_delete=models.PROTECT, related_name="breaches")
    state = models.CharField(max_length=8, choices=State)
    value = NumericField()
    worst = NumericField()
    amount = NumericField()
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["limit"], condition=Q(closed_at=None), name="breach_open_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["warned", "breached"]), name="breach_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.limit}: {self.state}"
