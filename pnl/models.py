"""Holdings, daily activity and cost (projections of the ledger), end-of-day and intraday P&L."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from accounts.models import Account
from kernel.database import AppendOnly, RecordedAt, append_only_triggers
from kernel.fields import NumericField
from pnl.cost.average_cost import average_cost
from prices.models import CorporateAction, Instrument
from trades.models import LEDGER_SHARDS


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
    """Trades summed per key and trade date: Σ signed quantity, Σ signed quantity × price, Σ fees,
    and how many trades stand. Never deleted when it comes to zero."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    trade_date = models.DateField()
    quantity = NumericField()
    notional = NumericField()
    fees = NumericField(default=0, db_default=0)
    trades = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "trade_date", "instrument"], name="daily_activity_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trade_date} {self.account_id}/{self.instrument_id}: {self.quantity}"


class ActionLeg(models.Model):
    """What a corporate action made of what an account held (kernel.actions.Effect), in one of its
    instruments: kept by the consumer of holdings under the same checkpoint. `quantity` is what the
    position moves by on the ex-date, `cash` what is received; `unpaid` is a fraction that is paid
    at the reference until its price is known."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    action = models.ForeignKey(
        CorporateAction, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    ex_date = models.DateField()
    held = NumericField()
    quantity = NumericField()
    fraction = NumericField()
    cash = NumericField()
    unpaid = NumericField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "action", "instrument"], name="action_leg_key"
            ),
        ]
        indexes = [
            # What moved a position ever since, and what happens on one day.
            models.Index(
                fields=["instrument", "account"],
                condition=~Q(quantity=0),
                name="action_leg_moves",
            ),
            models.Index(fields=["ex_date", "account"], name="action_leg_of_day"),
            models.Index(fields=["action", "account"], name="action_leg_of_action"),
        ]

    def __str__(self) -> str:
        return f"{self.ex_date} {self.account_id}/{self.instrument_id}: {self.quantity}"


class AppliedAction(models.Model):
    """The version of an action that a shard's legs are of. Legs are a function of the entries up
    to the checkpoint and of these."""

    shard = models.SmallIntegerField()
    action = models.ForeignKey(
        CorporateAction, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    version = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shard", "action"], name="applied_action_once"),
            models.CheckConstraint(
                condition=Q(shard__gte=0, shard__lt=LEDGER_SHARDS), name="applied_action_shard"
            ),
        ]
        indexes = [models.Index(fields=["shard", "id"], name="applied_action_last")]

    def __str__(self) -> str:
        return f"{self.shard}: {self.action_id} v{self.version}"


class ActionWork(models.Model):
    """Legs of an instrument that a shard must fold anew, since what counts was decided otherwise.
    Written in the decision's transaction, taken away in the one that folds."""

    shard = models.SmallIntegerField()
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    asked_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["shard", "instrument"], name="action_work_of_shard")]

    def __str__(self) -> str:
        return f"{self.shard}/{self.instrument_id}"


class SessionRun(models.Model):
    """The calculation of a session's end-of-day P&L for a shard's accounts. From when this row
    stands, whatever the consumer applies to that session asks for its restatement; `calculated_at`
    is null until the first calculation is done."""

    session = models.DateField()
    shard = models.SmallIntegerField()
    started_at = models.DateTimeField()
    calculated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shard", "session"], name="session_run_once"),
            models.CheckConstraint(
                condition=Q(shard__gte=0, shard__lt=LEDGER_SHARDS), name="session_run_shard_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session}/{self.shard}"


class RestateRequest(models.Model):
    """End-of-day P&L that must be calculated anew: of one key (no account: whoever holds the
    instrument; no instrument: all that the account ever held), from one session to another (no
    end: all later ones). Written in the transaction that makes it necessary; rows are only added
    and taken away, so that writers never wait for each other."""

    class Reason(models.TextChoices):
        ENTRY = "entry"
        CLOSE = "close"
        REBUILD = "rebuild"
        ACTION = "action"

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    first_session = models.DateField()
    last_session = models.DateField(null=True)
    reason = models.CharField(max_length=8, choices=Reason)
    requested_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(account__isnull=False) | Q(instrument__isnull=False),
                name="restate_request_names_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason}: {self.account_id}/{self.instrument_id} from {self.first_session}"


class DailyPnl(models.Model):
    """P&L of one key and session, as last calculated. `is_final`: from official closes.
    Figures that needed a missing price are null, and `pnl_reason` says why. `restated_at` is when
    the row last changed after it was first calculated; a row that lost its ground stays, at zero.
    """

    session = models.DateField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    opening_quantity = NumericField()
    closing_quantity = NumericField()
    trades = models.BigIntegerField(default=0)
    previous_close = NumericField(null=True)
    mark = NumericField(null=True)
    trade_pnl = NumericField(null=True)
    position_pnl = NumericField(null=True)
    action_pnl = NumericField(null=True, default=0, db_default=0)
    fees = NumericField(default=0, db_default=0)
    # Null where a corporate action changes nothing: then it is the previous close itself.
    previous_close_as_traded = NumericField(null=True)
    # Null where there is none, as in the figures that the rows are compared with.
    price_source = models.CharField(max_length=16, null=True)  # noqa: DJ001
    pnl_reason = models.CharField(max_length=17, null=True)  # noqa: DJ001
    is_final = models.BooleanField(default=False)
    calculated_at = models.DateTimeField()
    restated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "session", "instrument"], name="daily_pnl_key"
            ),
        ]
        verbose_name = "end-of-day P&L"
        verbose_name_plural = "end-of-day P&L"

    def __str__(self) -> str:
        return f"{self.session} {self.account_id}/{self.instrument_id}"


class AccountPnl(AppendOnly):
    """One point of an account's intraday series: at most one a minute, never rewritten."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    session = models.DateField()
    at = models.DateTimeField()
    trade_pnl = NumericField()
    position_pnl = NumericField()
    action_pnl = NumericField(default=0, db_default=0)
    pnl_valid = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "at"], name="account_pnl_point")]
        indexes = [models.Index(fields=["account", "session", "at"], name="account_pnl_series")]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.account_id} {self.at}"


class Cost(models.Model):
    """Average cost since inception (pnl.cost.average_cost), net of fees. `cost` is signed like the
    quantity, unless fees outweigh what a short brought in. `average_cost` is cost ÷ quantity, for
    showing only. `last_entry`: see positions.Position.

    `last_trade_date` and `last_executed_at` are the latest of all entries applied, each by itself:
    what is later than both comes last in the order of costing, whatever came before.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    quantity = NumericField()
    cost = NumericField()
    realized_pnl = NumericField()
    last_entry = models.BigIntegerField()
    last_trade_date = models.DateField()
    last_executed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "instrument"], name="cost_key"),
            models.CheckConstraint(
                condition=~Q(quantity=0) | Q(cost=0), name="cost_nothing_held_costs_nothing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.instrument_id}: {self.cost}"

    @property
    def average_cost(self) -> Decimal | None:
        return average_cost(self.quantity, self.cost)


class StrategyHolding(models.Model):
    """Quantity held per account, strategy and instrument: what `Holding` is per account and
    instrument, by a consumer of its own. `strategy_id` is 0 where trades have no strategy."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    strategy_id = models.BigIntegerField()
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    quantity = NumericField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "strategy_id", "instrument"], name="strategy_holding_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.strategy_id}/{self.instrument_id}: {self.quantity}"


class StrategyActivity(models.Model):
    """What `DailyActivity` is, per strategy, under the same checkpoint as `StrategyHolding`."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    strategy_id = models.BigIntegerField()
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    trade_date = models.DateField()
    quantity = NumericField()
    notional = NumericField()
    fees = NumericField()
    trades = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "trade_date", "strategy_id", "instrument"],
                name="strategy_activity_key",
            )
        ]

    def __str__(self) -> str:
        key = f"{self.account_id}/{self.strategy_id}/{self.instrument_id}"
        return f"{self.trade_date} {key}: {self.quantity}"
