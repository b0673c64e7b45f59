"""Guards: what is asked or refused before a trade is booked, and what was booked all the same."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Account
from kernel.database import AppendOnly, Kept, RecordedAt, append_only_triggers
from kernel.fields import NumericField
from trades.guard_rules import CODES, MOST_MINUTES
from trades.models.ledger import Trade


class Levels(models.Model):
    """What a guard says: strictly more than `warn` asks, strictly more than `refuse` refuses."""

    warn = NumericField(null=True, blank=True)
    refuse = NumericField(null=True, blank=True)
    minutes = models.PositiveIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        abstract = True


class Guard(Kept, Levels):
    """One guard of an account, or of all where `account` is null. An account's own row counts
    before the one of all, also where it is switched off."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    code = models.CharField(max_length=32, choices=[(c, c) for c in CODES])
    changed_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        ordering = ["code", "account__code"]
        permissions = [("manage_guards", "May set guards and limits")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "code"], name="guard_once", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(code__in=CODES), name="guard_code_known"),
            models.CheckConstraint(
                condition=(Q(warn__isnull=True) | Q(warn__gte=0))
                & (Q(refuse__isnull=True) | Q(refuse__gte=0)),
                name="guard_levels_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(warn__isnull=True) | Q(refuse__isnull=True) | Q(refuse__gte=F("warn")),
                name="guard_asks_first",
            ),
            models.CheckConstraint(
                condition=Q(minutes__isnull=True)
                | Q(minutes__gte=1, minutes__lte=MOST_MINUTES, code="probable_duplicate"),
                name="guard_minutes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} for {self.account or 'all accounts'}"


class GuardVersion(AppendOnly, Levels):
    """One immutable state of a guard: its levels, who set them, when."""

    guard = models.ForeignKey(
        Guard, on_delete=models.PROTECT, related_name="versions", db_index=False
    )
    recorded_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        ordering = ["guard_id", "version"]
        constraints = [
            models.UniqueConstraint(fields=["guard", "version"], name="guard_version_once"),
        ]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.guard_id} v{self.version}"


class AskedVersion(AppendOnly):
    """What guards said of a version that was recorded all the same: codes and numbers, and who
    confirmed it; null where nobody was asked, as in an import that books what is warned of."""

    # A UUIDv7: newer sorts later.
    id = models.UUIDField(primary_key=True)
    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="+", db_index=False)
    version = models.PositiveIntegerField()
    found = models.JSONField()
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["trade", "version"], name="asked_version_once"),
        ]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.trade_id} v{self.version}"
