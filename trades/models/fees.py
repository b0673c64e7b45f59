"""Fee schedules: what is charged for trades where nobody says a fee."""

from django.db import models
from django.db.models import F, Q

from accounts.models import Account
from kernel.database import Kept
from kernel.fields import NumericField
from trades.fee_kinds import FEE_KINDS
from trades.fee_rates import BOTH, HALF_UP, ROUNDINGS, SIDES, Rate
from trades.models.ledger import _one_of, _within_input

_AMOUNTS = ("per_million", "per_share", "minimum", "maximum")


class FeeSchedule(Kept):
    """One rate of a schedule (trades.fee_rates), from a trade date on. A later row of the same
    name, kind and side takes its place. What was booked keeps the amounts that it was booked with.
    """

    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in FEE_KINDS])
    side = models.CharField(max_length=4, choices=[(side, side) for side in SIDES], default=BOTH)
    valid_from = models.DateField()
    per_million = NumericField(default=0, db_default=0)
    per_share = NumericField(default=0, db_default=0)
    minimum = NumericField(null=True, blank=True)
    maximum = NumericField(null=True, blank=True)
    rounding = models.CharField(
        max_length=7, choices=[(each, each) for each in ROUNDINGS], default=HALF_UP
    )

    class Meta:
        ordering = ["name", "kind", "side", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "kind", "side", "valid_from"],
                name="fee_schedule_once",
                violation_error_message="This schedule has a rate of this kind and side from that"
                " day on already.",
            ),
            *(
                models.CheckConstraint(
                    condition=Q((f"{name}__isnull", True))
                    | (Q((f"{name}__gte", 0)) & _within_input(name)),
                    name=f"fee_schedule_{name}",
                    violation_error_message=f"{name} is from 0 to 1,000,000,000, of at most 10"
                    " decimals.",
                )
                for name in _AMOUNTS
            ),
            models.CheckConstraint(
                condition=Q(minimum__isnull=True)
                | Q(maximum__isnull=True)
                | Q(maximum__gte=F("minimum")),
                name="fee_schedule_bounds",
                violation_error_message="The maximum is below the minimum.",
            ),
            models.CheckConstraint(
                condition=_one_of("kind", FEE_KINDS)
                & _one_of("side", SIDES)
                & _one_of("rounding", ROUNDINGS),
                name="fee_schedule_words",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.kind} from {self.valid_from}"

    @property
    def rate(self) -> Rate:
        return Rate(
            self.name, self.kind, self.side, self.valid_from, self.per_million, self.per_share,
            self.minimum, self.maximum, self.rounding,
        )  # fmt: skip


class AccountFeeSchedule(models.Model):
    """An account that a schedule, with all the rates of its name, is charged in. A trigger keeps
    `Account.has_fee_schedules` (migration trades.0028)."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    schedule = models.ForeignKey(
        FeeSchedule, on_delete=models.PROTECT, related_name="accounts", db_index=False
    )

    class Meta:
        ordering = ["account_id", "schedule_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "schedule"],
                name="account_fee_schedule_once",
                violation_error_message="The account has this schedule already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.schedule_id}"
