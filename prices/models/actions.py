"""Corporate actions as defined: every version of their terms, and who decided what of it when."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from kernel.actions import Fractions
from kernel.database import AppendOnly, Kept, RecordedAt, append_only_triggers
from kernel.fields import NumericField
from prices.models.instruments import Instrument


class ActionKind(models.TextChoices):
    SPLIT = "split"
    REVERSE_SPLIT = "reverse_split"
    STOCK_DIVIDEND = "stock_dividend"
    CASH_DIVIDEND = "cash_dividend"
    RETURN_OF_CAPITAL = "return_of_capital"
    SPIN_OFF = "spin_off"
    MERGER = "merger"
    LIQUIDATION = "liquidation"
    WORTHLESS = "worthless"


class ActionStatus(models.TextChoices):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class CorporateAction(Kept):
    """One action of an instrument. `version` and `status` are of its latest version;
    `confirmed_version` is the one that counts, none where nothing does. Kind, ex-date and sequence
    are those of what counts, else of the latest."""

    id = models.UUIDField(primary_key=True)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="actions", db_index=False
    )
    kind = models.CharField(max_length=17, choices=ActionKind.choices)
    ex_date = models.DateField()
    sequence = models.PositiveSmallIntegerField(default=1)
    version = models.PositiveIntegerField(default=1)
    status = models.CharField(
        max_length=9, choices=ActionStatus.choices, default=ActionStatus.PROPOSED
    )
    confirmed_version = models.PositiveIntegerField(null=True)

    CHANGEABLE = ("kind", "ex_date", "sequence", "version", "status", "confirmed_version")

    class Meta:
        ordering = ["-ex_date", "sequence", "id"]
        permissions = [("manage_actions", "May propose, confirm and cancel corporate actions")]
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "ex_date", "sequence"],
                condition=Q(confirmed_version__isnull=False),
                name="action_confirmed_once",
            ),
            models.CheckConstraint(condition=Q(sequence__gt=0), name="action_sequence_positive"),
            models.CheckConstraint(
                condition=Q(confirmed_version__isnull=True)
                | Q(confirmed_version__lte=F("version")),
                name="action_counts_in_a_version",
            ),
            models.CheckConstraint(
                condition=~Q(status="cancelled") | Q(confirmed_version__isnull=True),
                name="action_cancelled_counts_not",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ex_date} ({self.status})"


class ActionEvent(models.Model):
    """A split or a dividend that a source tells of: a suggestion to people, and nothing more."""

    class Kind(models.TextChoices):
        SPLIT = "split"
        DIVIDEND = "dividend"

    source = models.CharField(max_length=16)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    ex_date = models.DateField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    value = NumericField(help_text="New shares for one old, or cash for one share of then")
    seen_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        ordering = ["-ex_date", "instrument__ticker"]
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "ex_date", "kind", "source"], name="action_event_once"
            ),
            models.CheckConstraint(condition=Q(value__gt=0), name="action_event_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.kind} {self.ex_date}: {self.value}"


class CorporateActionVersion(AppendOnly):
    """All terms of an action, as somebody proposed them. Shares after : before are
    `keep_new` : `keep_old`, 0 where nothing is left; `cash` is for each old share."""

    action = models.ForeignKey(
        CorporateAction, on_delete=models.PROTECT, related_name="versions", db_index=False
    )
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=17, choices=ActionKind.choices)
    ex_date = models.DateField()
    sequence = models.PositiveSmallIntegerField()
    keep_new = NumericField()
    keep_old = NumericField()
    cash = NumericField()
    cash_is_income = models.BooleanField()
    cost_to_cash = NumericField()
    fractions = models.CharField(
        max_length=4, choices=[(each.value, each.value) for each in Fractions]
    )
    pay_date = models.DateField(null=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    recorded_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        ordering = ["action_id", "version"]
        constraints = [
            models.UniqueConstraint(fields=["action", "version"], name="action_version_once"),
            models.CheckConstraint(
                condition=Q(keep_new__gte=0, keep_old__gt=0), name="action_ratio"
            ),
            models.CheckConstraint(condition=Q(cash__gte=0), name="action_cash_not_negative"),
            models.CheckConstraint(
                condition=Q(cost_to_cash__gte=0, cost_to_cash__lte=1), name="action_cost_to_cash"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="action_has_reason"),
        ]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.action_id} v{self.version}"


class CorporateActionLeg(AppendOnly):
    """Shares of another instrument that a version brings, new ones for old ones of its own."""

    version = models.ForeignKey(
        CorporateActionVersion, on_delete=models.PROTECT, related_name="legs", db_index=False
    )
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    new = NumericField()
    old = NumericField()
    cost_share = NumericField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["version", "instrument"], name="action_leg_once"),
            models.CheckConstraint(condition=Q(new__gt=0, old__gt=0), name="action_leg_ratio"),
            models.CheckConstraint(
                condition=Q(cost_share__gte=0, cost_share__lte=1), name="action_leg_cost_share"
            ),
        ]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.new}:{self.old} {self.instrument}"


class CashInLieu(AppendOnly):
    """The price at which fractions of an instrument are paid by a version."""

    version = models.ForeignKey(
        CorporateActionVersion, on_delete=models.PROTECT, related_name="in_lieu", db_index=False
    )
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    price = NumericField()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "cash in lieu"
        constraints = [
            models.UniqueConstraint(fields=["version", "instrument"], name="in_lieu_once"),
            models.CheckConstraint(condition=Q(price__gt=0), name="in_lieu_positive"),
        ]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.instrument} {self.price}"


class CorporateActionDecision(AppendOnly):
    """What was decided of a version: it counts from then on, or it, and with it what counted
    before, does no more; or it was withdrawn before it ever counted."""

    class Decision(models.TextChoices):
        CONFIRMED = "confirmed"
        CANCELLED = "cancelled"
        WITHDRAWN = "withdrawn"

    version = models.ForeignKey(
        CorporateActionVersion, on_delete=models.PROTECT, related_name="decisions", db_index=False
    )
    decision = models.CharField(max_length=9, choices=Decision.choices)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    recorded_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["version", "decision"], name="action_decided_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="action_decision_has_reason"),
        ]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.version_id} {self.decision}"
