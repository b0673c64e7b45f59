"""Lists as they are usually written: serializers over models, pages that count, figures in methods.

Written as one who knows Django writes it: what a row needs is read with `select_related` and
`prefetch_related`, so that no row costs a query.
"""

import os
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from accounts.models import Account
from benchmarks.designs import PREVIOUS, SESSION
from kernel import clock
from kernel.clock import NEW_YORK
from kernel.fields import NumericField
from pnl.models import Cost, DailyActivity
from positions.models import Position
from prices.models import Close, Instrument, Quote
from trades.models import Trade

SOURCE = "simulated"


class Amount(serializers.DecimalField):
    """A number of any size, as text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "max_digits": None, "decimal_places": None})


class AmountMethod(serializers.SerializerMethodField):
    """A number that a method computes, as text."""

    def to_representation(self, value: Any) -> str | None:
        found = super().to_representation(value)
        return None if found is None else f"{found:f}"


# Numbers in the models have no limits of their own.
FIELDS = {**serializers.ModelSerializer.serializer_field_mapping, NumericField: Amount}


class ThousandRows(PageNumberPagination):
    page_size = 1000


class HundredRows(PageNumberPagination):
    page_size = 100


def accounts_asked(request: Request) -> QuerySet[Account]:
    """Those asked for that the user may see."""
    return Account.objects.filter(
        code__in=request.query_params.getlist("account"),
        entitlements__user=request.user.pk,
        entitlements__can_view=True,
    )


def _priced(prefix: str = "") -> list[Prefetch[Any]]:
    """Quote and previous close of the instrument."""
    closes = Close.objects.filter(session=os.environ[PREVIOUS], source=SOURCE)
    return [
        Prefetch(f"{prefix}quotes", Quote.objects.filter(source=SOURCE), to_attr="now"),
        Prefetch(f"{prefix}closes", closes, to_attr="before"),
    ]


def _quote(instrument: Any) -> Quote | None:
    return instrument.now[0] if instrument.now else None


def _close(instrument: Any) -> Decimal | None:
    return instrument.before[0].close if instrument.before else None


# --- positions -----------------------------------------------------------------------------------


class PositionSerializer(serializers.ModelSerializer[Position]):
    serializer_field_mapping = FIELDS
    account = serializers.CharField(source="account.code")
    ticker = serializers.CharField(source="instrument.ticker")
    session = serializers.SerializerMethodField()
    currency = serializers.CharField(source="instrument.currency")
    average_cost = AmountMethod()
    price = AmountMethod()
    price_as_of = serializers.SerializerMethodField()
    mark_source = serializers.SerializerMethodField()
    price_source = serializers.SerializerMethodField()
    previous_close = AmountMethod()
    previous_close_as_traded = AmountMethod(method_name="get_previous_close")
    market_value = AmountMethod()
    trade_pnl = AmountMethod()
    position_pnl = AmountMethod()
    action_pnl = AmountMethod()
    total_pnl = AmountMethod()
    fees = AmountMethod()
    net_pnl = AmountMethod()
    realized_pnl = AmountMethod()
    unrealized_pnl = AmountMethod()
    income = AmountMethod()
    actions = serializers.SerializerMethodField()
    pnl_valid = serializers.SerializerMethodField()
    pnl_reason = serializers.SerializerMethodField()

    class Meta:
        model = Position
        fields = [
            *("account", "ticker", "session", "currency", "quantity", "average_cost", "price"),
            *("price_as_of", "mark_source", "price_source", "previous_close"),
            *("previous_close_as_traded", "market_value", "trade_pnl", "position_pnl"),
            *("action_pnl", "total_pnl", "fees", "net_pnl", "realized_pnl", "unrealized_pnl"),
            *("income", "actions", "pnl_valid", "pnl_reason", "updated_at"),
        ]

    def get_session(self, position: Position) -> str:
        return os.environ[SESSION]

    def get_average_cost(self, position: Position) -> Decimal | None:
        cost = self._cost(position)
        return cost.average_cost if cost else None

    def get_price(self, position: Position) -> Decimal | None:
        quote = _quote(position.instrument)
        return quote.price if quote else None

    def get_price_as_of(self, position: Position) -> Any:
        quote = _quote(position.instrument)
        return quote.as_of if quote else None

    def get_mark_source(self, position: Position) -> str | None:
        return "quote" if _quote(position.instrument) else None

    def get_price_source(self, position: Position) -> str | None:
        quote = _quote(position.instrument)
        return quote.source if quote else None

    def get_previous_close(self, position: Position) -> Decimal | None:
        return _close(position.instrument)

    def get_market_value(self, position: Position) -> Decimal | None:
        price = self.get_price(position)
        return None if price is None else position.quantity * price

    def get_trade_pnl(self, position: Position) -> Decimal | None:
        close = _close(position.instrument)
        activity = self._activity(position)
        if activity is None:
            return Decimal(0)
        return None if close is None else close * activity.quantity - activity.notional

    def get_position_pnl(self, position: Position) -> Decimal | None:
        price, close = self.get_price(position), _close(position.instrument)
        return None if price is None or close is None else (price - close) * position.quantity

    def get_total_pnl(self, position: Position) -> Decimal | None:
        traded, held = self.get_trade_pnl(position), self.get_position_pnl(position)
        return None if traded is None or held is None else traded + held

    def get_action_pnl(self, position: Position) -> Decimal:
        return Decimal(0)

    def get_fees(self, position: Position) -> Decimal:
        activity = self._activity(position)
        return activity.fees if activity else Decimal(0)

    def get_net_pnl(self, position: Position) -> Decimal | None:
        total = self.get_total_pnl(position)
        return None if total is None else total - self.get_fees(position)

    def get_income(self, position: Position) -> Decimal:
        return Decimal(0)

    def get_actions(self, position: Position) -> list[Any]:
        return []

    def get_realized_pnl(self, position: Position) -> Decimal | None:
        cost = self._cost(position)
        return cost.realized_pnl if cost else None

    def get_unrealized_pnl(self, position: Position) -> Decimal | None:
        cost, price = self._cost(position), self.get_price(position)
        return None if cost is None or price is None else price * cost.quantity - cost.cost

    def get_pnl_valid(self, position: Position) -> bool:
        return self.get_total_pnl(position) is not None

    def get_pnl_reason(self, position: Position) -> str | None:
        return None

    def _activity(self, position: Position) -> DailyActivity | None:
        found: DailyActivity | None = self.context["activity"].get(
            (position.account_id, position.instrument_id)
        )
        return found

    def _cost(self, position: Position) -> Cost | None:
        found: Cost | None = self.context["costs"].get(
            (position.account_id, position.instrument_id)
        )
        return found


class PositionList(ListAPIView[Position]):
    serializer_class = PositionSerializer
    pagination_class = ThousandRows
    renderer_classes = (JSONRenderer,)

    def get_queryset(self) -> QuerySet[Position]:
        return (
            Position.objects.filter(account__in=accounts_asked(self.request))
            .exclude(quantity=0)
            .select_related("account", "instrument")
            .prefetch_related(*_priced("instrument__"))
            .order_by("account__code", "instrument__ticker")
        )

    def get_serializer_context(self) -> dict[str, Any]:
        accounts = accounts_asked(self.request)
        activity = DailyActivity.objects.filter(
            account__in=accounts, trade_date=os.environ[SESSION]
        )
        costs = Cost.objects.filter(account__in=accounts)
        return {
            **super().get_serializer_context(),
            "activity": {(a.account_id, a.instrument_id): a for a in activity},
            "costs": {(c.account_id, c.instrument_id): c for c in costs},
        }


# --- trades --------------------------------------------------------------------------------------


class TradeSerializer(serializers.ModelSerializer[Trade]):
    serializer_field_mapping = FIELDS
    account = serializers.CharField(source="account.code")
    ticker = serializers.CharField(source="instrument.ticker")
    booked_by = serializers.CharField(source="booked_by.username")
    request_group = serializers.UUIDField(source="request_group_id")
    executed_at_known = serializers.SerializerMethodField()
    strategy = serializers.CharField(source="strategy.code", default=None)
    counterparty = serializers.CharField(source="counterparty.code", default=None)
    fees = serializers.SerializerMethodField()
    net_amount = AmountMethod()
    tags = serializers.SerializerMethodField()
    trade_pnl = AmountMethod()
    pnl_valid = serializers.SerializerMethodField()

    class Meta:
        model = Trade
        fields = [
            *("id", "account", "ticker", "side", "quantity", "price", "trade_date"),
            *("executed_at", "executed_at_known", "booked_at", "booked_by", "version", "status"),
            "request_group",
            *("client_trade_id", "note", "settlement_date", "strategy", "counterparty"),
            *("order_id", "fees", "net_amount", "tags", "trade_pnl", "pnl_valid"),
        ]

    def get_executed_at_known(self, trade: Trade) -> bool:
        day = trade.booked_at.astimezone(NEW_YORK).date()
        return trade.executed_at != trade.booked_at or day == trade.trade_date

    def get_fees(self, trade: Trade) -> list[Any]:
        return []

    def get_net_amount(self, trade: Trade) -> Decimal:
        amount: Decimal = trade.price * self._signed(trade)
        return amount

    def get_tags(self, trade: Trade) -> list[str]:
        return []

    def get_trade_pnl(self, trade: Trade) -> Decimal | None:
        close = _close(trade.instrument)
        return None if close is None else (close - trade.price) * self._signed(trade)

    def get_pnl_valid(self, trade: Trade) -> bool:
        return _close(trade.instrument) is not None

    def _signed(self, trade: Trade) -> Decimal:
        quantity: Decimal = trade.quantity if trade.side == "buy" else -trade.quantity
        return quantity


class TradeList(ListAPIView[Trade]):
    serializer_class = TradeSerializer
    pagination_class = HundredRows
    renderer_classes = (JSONRenderer,)

    def get_queryset(self) -> QuerySet[Trade]:
        return (
            Trade.objects.filter(account__in=accounts_asked(self.request))
            .select_related("account", "instrument", "booked_by", "strategy", "counterparty")
            .prefetch_related(*_priced("instrument__"))
            .order_by("-id")
        )


# --- prices --------------------------------------------------------------------------------------


class PriceSerializer(serializers.ModelSerializer[Instrument]):
    price = AmountMethod()
    as_of = serializers.SerializerMethodField()
    age_seconds = serializers.SerializerMethodField()
    stale = serializers.SerializerMethodField()
    source = serializers.SerializerMethodField()  # type: ignore[assignment]
    override = serializers.SerializerMethodField()
    doubtful = serializers.SerializerMethodField()
    previous_close = AmountMethod()

    class Meta:
        model = Instrument
        fields = [
            *("ticker", "price", "as_of", "age_seconds", "stale", "source", "override"),
            *("doubtful", "previous_close"),
        ]

    def get_price(self, instrument: Instrument) -> Decimal | None:
        quote = _quote(instrument)
        return quote.price if quote else None

    def get_as_of(self, instrument: Instrument) -> Any:
        quote = _quote(instrument)
        return quote.as_of if quote else None

    def get_age_seconds(self, instrument: Instrument) -> int | None:
        quote = _quote(instrument)
        return int((self.context["now"] - quote.as_of).total_seconds()) if quote else None

    def get_stale(self, instrument: Instrument) -> bool:
        return False

    def get_source(self, instrument: Instrument) -> str | None:
        quote = _quote(instrument)
        return quote.source if quote else None

    def get_override(self, instrument: Instrument) -> bool:
        return False

    def get_doubtful(self, instrument: Instrument) -> bool:
        return False

    def get_previous_close(self, instrument: Instrument) -> Decimal | None:
        return _close(instrument)


class PriceList(ListAPIView[Instrument]):
    serializer_class = PriceSerializer
    pagination_class = ThousandRows
    renderer_classes = (JSONRenderer,)

    def get_queryset(self) -> QuerySet[Instrument]:
        return (
            Instrument.objects.filter(quotes__source=SOURCE)
            .prefetch_related(*_priced())
            .order_by("ticker")
        )

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": clock.now()}
