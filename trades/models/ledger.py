"""Trades, their versions, and the ledger: the only source of truth for positions and P&L."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Cast, Mod
from django.db.models.lookups import LessThanOrEqual

from accounts.models import Account, Counterparty, Strategy
from kernel.database import AppendOnly, CurrentTransaction, RecordedAt, append_only_triggers
from kernel.fields import DecimalsNeeded, NumericField, Xid8Field
from kernel.money import MAX_DECIMALS, MAX_INPUT
from prices.models import Instrument
from trades.fee_kinds import FEE_DECIMALS, FEE_KINDS, SOURCES, Fee
from trades.terms import BY_NAME, REASON_LONGEST

# Fixed for the life of a database: it is part of every entry and every checkpoint.
LEDGER_SHARDS = 16


class LedgerEpochNow(Func):
    """The current epoch; raises in the database when this cluster is not the epoch's (a restore
    that nobody has declared yet), because entries written then could never be applied."""

    function = "eqtrade_ledger_epoch"
    template = "%(function)s()"
    output_field = models.IntegerField()


class Side(models.TextChoices):
    BUY = "buy"
    SELL = "sell"


class Status(models.TextChoices):
    BOOKED = "booked"
    AMENDED = "amended"
    CANCELLED = "cancelled"


class Terms(models.Model):
    """The economic terms of a trade. `quantity` is positive; `side` gives its sign. `fees` is the
    sum of its fees (VersionFee), paid > 0 whatever the side; null where none was said. A trade of
    before there was a settlement date has none, and settles when the calendar says."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    side = models.CharField(max_length=4, choices=Side)
    quantity = NumericField()
    price = NumericField()
    trade_date = models.DateField()
    executed_at = models.DateTimeField()
    note = models.CharField(max_length=BY_NAME["note"].longest, blank=True)
    settlement_date = models.DateField(null=True)
    strategy = models.ForeignKey(
        Strategy, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    counterparty = models.ForeignKey(
        Counterparty, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    # Null where the caller sent none: an empty text is no id.
    order_id = models.CharField(max_length=BY_NAME["order_id"].longest, null=True)  # noqa: DJ001
    fees = NumericField(null=True)
    version = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=9, choices=Status, default=Status.BOOKED)

    class Meta:
        abstract = True


# Constraints are made ready anew by each statement that writes, which takes longer than to check a
# row: numbers are of their columns' own type, and words are compared one by one, not as a list.
_ZERO, _MOST, _LEAST = (
    Cast(Value(text), NumericField()) for text in ("0", str(MAX_INPUT), str(-MAX_INPUT))
)


def _one_of(name: str, values: Iterable[str | int]) -> Q:
    return reduce(or_, (Q((name, value)) for value in values))


def _within_input(name: str) -> Q:
    """The limits of `kernel.money` from above. Constraints say them, for columns of a precision
    could not be widened without writing their tables anew."""
    return Q((f"{name}__lte", _MOST)) & Q(LessThanOrEqual(DecimalsNeeded(name), MAX_DECIMALS))


def _terms_constraints(prefix: str) -> list[models.BaseConstraint]:
    return [
        models.CheckConstraint(
            condition=Q(quantity__gt=_ZERO) & _within_input("quantity"),
            name=f"{prefix}_quantity_range",
        ),
        # Free or worthless shares, and the note says so.
        models.CheckConstraint(
            condition=(Q(price__gt=_ZERO) | (Q(price=_ZERO) & ~Q(note="")))
            & _within_input("price"),
            name=f"{prefix}_price_range",
        ),
        models.CheckConstraint(condition=_one_of("side", Side.values), name=f"{prefix}_side_known"),
        models.CheckConstraint(
            condition=_one_of("status", Status.values), name=f"{prefix}_status_known"
        ),
        models.CheckConstraint(
            condition=Q(status=Status.BOOKED, version=1)
            | (~Q(status=Status.BOOKED) & Q(version__gt=1)),
            name=f"{prefix}_first_is_booked",
        ),
        models.CheckConstraint(
            condition=Q(settlement_date__gte=F("trade_date")), name=f"{prefix}_settles_after"
        ),
    ]


class RequestGroup(models.Model):
    """One bulk booking. Inserted before its trades, so that two equal requests at once cannot
    both book. `terms_hash` is of what was sent, numbers normalised, before defaults; of an import's
    group it is of the file's own bytes."""

    id = models.UUIDField(primary_key=True)
    import_job = models.ForeignKey(
        "trades.Import", on_delete=models.PROTECT, null=True, related_name="groups", db_index=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    terms_hash = models.CharField(max_length=64)
    trades = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["import_job", "id"],
                condition=Q(import_job__isnull=False),
                name="group_by_import",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Trade(Terms):
    """A trade as it is now, for queries and locking. Its id is a UUIDv7: newer sorts later."""

    id = models.UUIDField(primary_key=True)
    booked_at = models.DateTimeField()
    booked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    request_group = models.ForeignKey(
        RequestGroup, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    # Null where the caller sent none: an empty text is no id.
    client_trade_id = models.CharField(  # noqa: DJ001
        max_length=BY_NAME["client_trade_id"].longest, null=True
    )

    class Meta:
        ordering = ["-id"]
        constraints = _terms_constraints("trade")
        indexes = [
            # What lists are made of: trades.pages.
            models.Index(fields=["account", "status", "-id"], name="trade_by_status"),
            models.Index(fields=["account", "trade_date", "status", "-id"], name="trade_by_day"),
            models.Index(
                fields=["account", "instrument", "status", "-id"],
                include=["trade_date"],
                name="trade_by_ticker",
            ),
            models.Index(
                fields=["account", "booked_by", "status", "-id"],
                include=["trade_date"],
                name="trade_by_user",
            ),
            models.Index(
                fields=["request_group", "-id"],
                condition=Q(request_group__isnull=False),
                name="trade_in_group",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} v{self.version}"


class TradeVersion(AppendOnly, Terms):
    """One immutable state of a trade: its terms, who made it so, when and why. `paid` has its fees
    where they were read (`trades.selectors.with_fees`)."""

    paid: Sequence[Fee]

    trade = models.ForeignKey(
        Trade, on_delete=models.PROTECT, related_name="versions", db_index=False
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=REASON_LONGEST, blank=True)
    recorded_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        ordering = ["trade_id", "version"]
        constraints = [
            *_terms_constraints("version"),
            models.UniqueConstraint(fields=["trade", "version"], name="version_once"),
            models.CheckConstraint(
                condition=Q(status=Status.BOOKED) | ~Q(reason=""), name="version_has_reason"
            ),
        ]
        triggers = append_only_triggers()
        indexes = [BrinIndex(fields=["recorded_at"], name="version_recorded")]

    def __str__(self) -> str:
        return f"{self.trade_id} v{self.version} {self.status}"


class VersionFee(AppendOnly):
    """One fee of a version. Each version says all of its own, as it does with its other terms."""

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="+", db_index=False)
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in FEE_KINDS])
    amount = NumericField()
    source = models.CharField(max_length=8, choices=[(source, source) for source in SOURCES])

    class Meta:
        ordering = ["trade_id", "version", "id"]
        constraints = [
            models.UniqueConstraint(fields=["trade", "version", "kind"], name="version_fee_once"),
            models.CheckConstraint(
                condition=Q(amount__gte=_LEAST, amount__lte=_MOST)
                & Q(LessThanOrEqual(DecimalsNeeded("amount"), FEE_DECIMALS)),
                name="version_fee_range",
            ),
            models.CheckConstraint(condition=_one_of("kind", FEE_KINDS), name="version_fee_kind"),
            models.CheckConstraint(condition=_one_of("source", SOURCES), name="version_fee_source"),
        ]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.trade_id} v{self.version} {self.kind}: {self.amount}"


class ClientTradeId(models.Model):
    """The caller's own id of a booking. It keeps the account of the first booking for ever, so
    that a retry after the trade has moved does not book again."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    client_trade_id = models.CharField(max_length=BY_NAME["client_trade_id"].longest)
    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="+")
    terms_hash = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "client_trade_id"], name="client_trade_id_once"
            ),
        ]

    def __str__(self) -> str:
        return self.client_trade_id


class LedgerEpoch(models.Model):
    """A life of the ledger in one database cluster. Transaction ids start over in another
    cluster; a new epoch keeps the order of entries."""

    epoch = models.IntegerField(primary_key=True)
    system_identifier = models.BigIntegerField()
    started_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    def __str__(self) -> str:
        return str(self.epoch)


class LedgerEntry(AppendOnly):
    """The signed quantity, notional and fees that a version adds to one account, instrument and
    date.

    `quantity` > 0 is bought; `notional` = quantity × price, of the same sign or 0; `fees` are paid
    > 0 whatever the side, and a reversal negates them likewise. `trades` is +1
    for terms that now stand and −1 for the reversal of terms that stood, so that their sum counts
    standing trades. The reader's order is (epoch, txid, id): see trades.ledger.shard_batch.
    """

    id = models.BigAutoField(primary_key=True)
    epoch = models.IntegerField(db_default=LedgerEpochNow(), editable=False)
    txid = Xid8Field(db_default=CurrentTransaction(), editable=False)
    shard = models.GeneratedField(
        expression=Mod(F("account"), Value(LEDGER_SHARDS)),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    trade_date = models.DateField()
    settlement_date = models.DateField(null=True)
    strategy = models.ForeignKey(
        Strategy, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    quantity = NumericField()
    notional = NumericField()
    fees = NumericField(default=0, db_default=0)
    trades = models.SmallIntegerField()
    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="entries")
    version = models.PositiveIntegerField()
    recorded_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=_ZERO, notional__gte=_ZERO)
                | Q(quantity__lt=_ZERO, notional__lte=_ZERO),
                name="entry_signed_alike",
            ),
            models.CheckConstraint(condition=_one_of("trades", (1, -1)), name="entry_counts_one"),
        ]
        indexes = [
            models.Index(fields=["shard", "epoch", "txid", "id"], name="entry_reading_order"),
            models.Index(
                fields=["account", "instrument", "trade_date"],
                include=["quantity", "recorded_at"],
                name="entry_as_of",
            ),
            BrinIndex(fields=["recorded_at"], name="entry_recorded"),
        ]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.trade_id} v{self.version}: {self.quantity}"
