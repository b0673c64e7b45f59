"""What a booking would do, told while it is typed."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from blotter.limits_used import LimitUsed, limits_with
from kernel import clock
from kernel.api.queries import caller
from kernel.api.rows import Row, text
from kernel.api.serializers import DayField, DecimalText
from kernel.errors import Invalid
from pnl.live.exposure import Exposure, held_of
from prices.current_marks import marks
from prices.marks import Mark
from trades.api.asking import without_confirm
from trades.api.serializers import BookingIn, SourcedFeeOut
from trades.bookings import booking_of
from trades.fee_kinds import total
from trades.guard_rules import CODES, Found, round_shown
from trades.limit_rules import KINDS, MODES, STATES, state_of, used
from trades.models import Side
from trades.services.checking import Checked, trade_check
from trades.terms import Booking

VALUES = {"long": "312003.25", "short": "0", "net": "312003.25", "gross": "312003.25",
          "largest_name": "171000", "largest_name_percent": "54.807121"}  # fmt: skip
CHECK = {
    "account": "Test1",
    "ticker": "AAPL",
    "side": "buy",
    "quantity": "10",
    "price": "198.6",
    "trade_date": "2026-03-18",
    "mark": "192.81",
    "mark_stale": False,
    "position_before": "330",
    "position_after": "340",
    "notional": "1986",
    "exposure": {"before": VALUES, "after": VALUES},
    "limits": [
        {
            "id": 3,
            "account": "Test1",
            "group": None,
            "kind": "gross",
            "mode": "alert",
            "limit": "400000",
            "before": "381325.15",
            "after": "383253.25",
            "used_before": "95.331288",
            "used_after": "95.813313",
            "state": "warned",
        }
    ],
    "fees": [{"kind": "commission", "amount": "1.25", "source": "schedule"}],
    "fees_total": "1.25",
    "net_amount": "1987.25",
    "pnl_at_once": "-57.9",
    "net_pnl_at_once": "-59.15",
    "flip": {"side": "sell", "quantity": "680", "notional": "131110.8"},
    "guards": [
        {
            "code": "off_mark",
            "level": "warn",
            "value": "3.002956",
            "limit": "3",
            "detail": "The price is 3.003% above the mark, 192.81.",
            "attr": "price",
        }
    ],
    "refused": [],
}
EXAMPLE_CHECK = OpenApiExample("Off the mark", value=CHECK, response_only=True)
EXAMPLE_BOOKING = OpenApiExample(
    "Buy 10 AAPL",
    value={"account": "Test1", "ticker": "AAPL", "side": "buy", "quantity": "10", "price": "198.6"},
    request_only=True,
)


class ExposureOut(serializers.Serializer[Any]):
    """Market values of the account at the marks; `short` is not positive."""

    long = DecimalText()
    short = DecimalText()
    net = DecimalText()
    gross = DecimalText()
    largest_name = DecimalText()
    largest_name_percent = DecimalText()


class ExposuresOut(serializers.Serializer[Any]):
    before = ExposureOut()
    after = ExposureOut()


class FlipOut(serializers.Serializer[Any]):
    """The trade at the mark that would turn the position after into its opposite."""

    side = serializers.ChoiceField(choices=Side.choices)
    quantity = DecimalText()
    notional = DecimalText(allow_null=True)


class GuardSaysOut(serializers.Serializer[Any]):
    """What one guard would say: it asks (`warn`) or refuses, for `value` is more than `limit`."""

    code = serializers.ChoiceField(choices=CODES)
    level = serializers.ChoiceField(choices=("warn", "refuse"))
    value = DecimalText()
    limit = DecimalText()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


class LimitUsedOut(serializers.Serializer[Any]):
    """How much of a limit is used before and after, in percent of it."""

    id = serializers.IntegerField()
    account = serializers.CharField(allow_null=True)
    group = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(choices=KINDS)
    mode = serializers.ChoiceField(choices=MODES)
    limit = DecimalText()
    before = DecimalText()
    after = DecimalText()
    used_before = DecimalText()
    used_after = DecimalText()
    state = serializers.ChoiceField(choices=STATES)


class RefusalOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


class CheckOut(serializers.Serializer[Any]):
    """`pnl_at_once` is mark × what the position moves by − price × quantity, and `net_pnl_at_once`
    that less the fees. `fees` are those that it would be booked with: what the caller says, and of
    other kinds what the account's schedules charge. `net_amount` = notional + fees, as cash paid: a
    sale's is negative. `refused` says why it could not be booked whatever guards say. What needs a
    mark is null where there is none."""

    account = serializers.CharField()
    ticker = serializers.CharField()
    side = serializers.ChoiceField(choices=Side.choices)
    quantity = DecimalText()
    price = DecimalText()
    trade_date = DayField()
    mark = DecimalText(allow_null=True)
    mark_stale = serializers.BooleanField()
    position_before = DecimalText()
    position_after = DecimalText()
    notional = DecimalText()
    exposure = ExposuresOut()
    limits = LimitUsedOut(many=True)
    fees = SourcedFeeOut(many=True)
    fees_total = DecimalText()
    net_amount = DecimalText()
    pnl_at_once = DecimalText(allow_null=True)
    net_pnl_at_once = DecimalText(allow_null=True)
    flip = FlipOut(allow_null=True)
    guards = GuardSaysOut(many=True)
    refused = RefusalOut(many=True)


class CheckView(APIView):
    @extend_schema(
        operation_id="trades_check",
        summary="What a booking would do: nothing is booked",
        description="Takes a booking. Positions before and after, the account's exposure at the"
        " marks, what guards would ask, the fees by schedule, and what the trade would have gained"
        " at once.",
        request=BookingIn,
        responses=CheckOut,
        examples=[EXAMPLE_BOOKING, EXAMPLE_CHECK],
    )
    def post(self, request: Request) -> Response:
        return Response(check_row(caller(request), _booking(request.data), clock.now()))


def _booking(given: Any) -> Booking:
    if isinstance(given, dict) and "confirm" in given:
        given, _ = without_confirm(given)
    found = booking_of(given)
    if not isinstance(found, Booking):
        raise Invalid(*found)
    return found


def check_row(user: Any, booking: Booking, now: datetime) -> Row:
    checked = trade_check(user=user, booking=booking, now=now)
    terms = checked.terms
    found = marks(now, [checked.instrument_id])
    mark = found[0] if found else None
    price = None if mark is None else mark.mark
    held = held_of(checked.account_id, now)
    before = Exposure.of({**held, checked.instrument_id: (checked.before, price)})
    after = Exposure.of({**held, checked.instrument_id: (checked.after, price)})
    return {
        "account": terms.account,
        "ticker": terms.ticker,
        "side": terms.side,
        "quantity": text(terms.quantity),
        "price": text(terms.price),
        "trade_date": terms.trade_date and terms.trade_date.isoformat(),
        "mark": text(price),
        "mark_stale": _is_stale(mark),
        "position_before": text(checked.before),
        "position_after": text(checked.after),
        "notional": text(checked.notional),
        "exposure": {
            "before": exposure_row(before),
            "after": exposure_row(after),
        },
        "limits": [
            _limit(each) for each in limits_with(checked, held=(before, after), mark=price, now=now)
        ],
        "fees": [
            {"kind": fee.kind, "amount": text(fee.amount), "source": fee.source}
            for fee in terms.fees
        ],
        "fees_total": text(total(terms.fees)),
        "net_amount": text(checked.net_amount),
        "pnl_at_once": None if price is None else text(checked.gain(price)),
        "net_pnl_at_once": None if price is None else text(checked.net_gain(price)),
        "flip": _flip(checked, price),
        "guards": [_guard(each) for each in checked.found],
        "refused": [{"code": e.code, "detail": e.detail, "attr": e.attr} for e in checked.refused],
    }


def _is_stale(mark: Mark | None) -> bool:
    return mark is not None and (mark.stale or mark.carried or mark.doubtful)


def exposure_row(found: Exposure) -> Row:
    return {
        "long": text(found.long),
        "short": text(found.short),
        "net": text(found.net),
        "gross": text(found.gross),
        "largest_name": text(found.name),
        "largest_name_percent": text(round_shown(found.name_share)),
    }


def _flip(checked: Checked, price: Decimal | None) -> Row | None:
    if not checked.after:
        return None
    quantity = 2 * abs(checked.after)
    return {
        "side": "sell" if checked.after > 0 else "buy",
        "quantity": text(quantity),
        "notional": None if price is None else text(quantity * price),
    }


def _guard(found: Found) -> Row:
    return {
        "code": found.code,
        "level": "refuse" if found.refuses else "warn",
        "value": text(round_shown(found.value)),
        "limit": text(found.limit),
        "detail": found.detail,
        "attr": found.attr,
    }


def _limit(found: LimitUsed) -> Row:
    limit = found.limit
    return {
        "id": limit.pk,
        "account": limit.account and limit.account.code,
        "group": limit.group and limit.group.name,
        "kind": limit.kind,
        "mode": limit.mode,
        "limit": text(limit.amount),
        "before": text(round_shown(found.before)),
        "after": text(round_shown(found.after)),
        "used_before": text(round_shown(used(found.before, limit.amount))),
        "used_after": text(round_shown(used(found.after, limit.amount))),
        "state": state_of(found.after, limit.amount, limit.alert_at),
    }
