"""The second projection of the ledger, and what is remembered of P&L."""

from django.db import models
from django.db.models import Q

from accounts.models import Account
from kernel.fields import NumericField
from prices.models import Instrument


class Holding(models.Model):
    """Quantity held per key, kept by the same consumer and checkpoint as `DailyActivity`, so that
    today's P&L never mixes two states of the ledger. `last_entry`: see positions.Position."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    quantity = NumericField()
    last_entry = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "instrument"], name="holding_key")
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.instrument_id}: {self.quantity}"


class DailyActivity(models.Model):
    """What was traded per key and trade date: Σ signed quantity, Σ signed quantity × price, and
    how many trades stand. Never deleted when it comes to zero."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    trade_date = models.DateField()
    quantity = NumericField()
    notional = NumericField()
    trades = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "trade_date", "instrument"], name="daily_activity_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trade_date} {self.account_id}/{self.instrument_id}: {self.quantity}"


class DailyPnl(models.Model):
    """P&L of one key and session, as last calculated. `is_final`: from official closes.
    Figures that needed a missing price are null."""

    session = models.DateField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    opening_quantity = NumericField()
    closing_quantity = NumericField()
    previous_close = NumericField(null=True)
    mark = NumericField(null=True)
    trade_pnl = NumericField(null=True)
    position_pnl = NumericField(null=True)
    is_final = models.BooleanField(default=False)
    calculated_at = models.DateTimeField()
    restated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "session", "instrument"], name="daily_pnl_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session} {self.account_id}/{self.instrument_id}"


class AccountPnl(models.Model):
    """One point of an account's intraday series: at most one a minute, never rewritten."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    session = models.DateField()
    at = models.DateTimeField()
    trade_pnl = NumericField()
    position_pnl = NumericField()
    pnl_valid = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "at"], name="account_pnl_point")]
        indexes = [models.Index(fields=["account", "session", "at"], name="account_pnl_series")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.at}"


class Cost(models.Model):
    """Average cost since inception. `cost` is signed like the quantity; `average_cost` is
    cost ÷ quantity, for showing only."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    quantity = NumericField()
    cost = NumericField()
    realized_pnl = NumericField()
    last_entry = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "instrument"], name="cost_key"),
            models.CheckConstraint(
                condition=~Q(quantity=0) | Q(cost=0), name="cost_nothing_held_costs_nothing"
            ),
            models.CheckConstraint(
                condition=Q(quantity=0)
                | Q(quantity__gt=0, cost__gte=0)
                | Q(quantity__lt=0, cost__lte=0),
                name="cost_signed_as_quantity",
            ),
        ]

    @property
    def average_cost(self) -> object:
        return None if not self.quantity else self.cost / self.quantity

    def __str__(self) -> str:
        return f"{self.account_id}/{self.instrument_id}: {self.cost}"
