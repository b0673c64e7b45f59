"""Guards: what is asked or refused before a trade is booked, read and set."""

from functools import partial
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import viewable_accounts
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page, keyset_read
from kernel.api.queries import QuerySerializer, caller, query_of
from kernel.api.rows import Row, moment, text
from kernel.api.serializers import (
    AmountField,
    DayField,
    DecimalText,
    FlagField,
    MomentField,
    OneOf,
    StrictSerializer,
    TextField,
    WholeNumber,
)
from kernel.errors import FieldError, Invalid
from trades.api.serializers import FoundOut
from trades.guard_rules import CODES, MOST_MINUTES, level_of
from trades.guards.read import Wanting, asked_page, guards_seen
from trades.models import AskedVersion, Guard, Side, TradeVersion
from trades.services.guard_settings import Wanted, guards_put

MOST_AT_ONCE = 1_000

GUARD = {
    "account": "Test1",
    "code": "off_mark",
    "warn": "3",
    "refuse": "50",
    "is_active": True,
    "minutes": None,
    "version": 1,
    "changed_by": "middleoffice",
    "changed_at": "2026-03-18T16:00:00Z",
}
EXAMPLE_GUARD = OpenApiExample("Off the mark", value=GUARD, response_only=True)
EXAMPLE_PUT = OpenApiExample(
    "Two guards",
    value=[
        {"account": "Test1", "code": "off_mark", "warn": "3", "refuse": "50", "is_active": True},
        {"account": None, "code": "probable_duplicate", "minutes": 5, "is_active": True},
    ],
    request_only=True,
)


@extend_schema_field(
    {"type": "string", "format": "decimal", "pattern": r"^[0-9]{1,18}(\.[0-9]{1,10})?$"}
)
class LevelField(AmountField):
    """A number of a guard: 0 or more, and beyond what one trade may have."""

    def __init__(self, **more: Any) -> None:
        super().__init__(read=level_of, **more)


class GuardIn(StrictSerializer):
    """One guard. `account` null means all accounts; an account's own row counts before it. Strictly
    more than `warn` asks, strictly more than `refuse` refuses; `minutes` is of
    `probable_duplicate`."""

    account = TextField(max_length=32, required=False, allow_null=True)
    code = OneOf(choices=CODES)
    warn = LevelField(required=False, allow_null=True)
    refuse = LevelField(required=False, allow_null=True)
    is_active = FlagField(required=False)
    minutes = WholeNumber(required=False, allow_null=True, min_value=1, max_value=MOST_MINUTES)


class GuardOut(serializers.Serializer[Any]):
    account = serializers.CharField(allow_null=True)
    code = serializers.ChoiceField(choices=CODES)
    warn = DecimalText(allow_null=True)
    refuse = DecimalText(allow_null=True)
    is_active = serializers.BooleanField()
    minutes = serializers.IntegerField(allow_null=True)
    version = serializers.IntegerField()
    changed_by = serializers.CharField()
    changed_at = MomentField()


class GuardQuery(QuerySerializer):
    account = serializers.ListField(
        child=TextField(max_length=32), required=False, help_text="Repeatable."
    )


def rows_of(kind: type[StrictSerializer], request: Request) -> list[dict[str, Any]]:
    """The rows of a PUT. Raises Invalid, by row from 0: `0.warn`."""
    rows: Any = request.data
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_AT_ONCE:
        detail = f"This must be a list of at least 1 and at most {MOST_AT_ONCE:,}."
        raise Invalid(FieldError("not_a_list", detail))
    errors: list[FieldError] = []
    found = []
    for number, row in enumerate(rows):
        given = kind(data=row)
        if given.is_valid():
            found.append(given.validated_data)
            continue
        for name, problems in given.errors.items():
            attr = f"{number}" if name == "non_field_errors" else f"{number}.{name}"
            errors += [FieldError(each.code, str(each), attr) for each in problems]
    if errors:
        raise Invalid(*errors)
    return found


def guard_row(guard: Guard) -> Row:
    return {
        "account": guard.account and guard.account.code,
        "code": guard.code,
        "warn": text(guard.warn),
        "refuse": text(guard.refuse),
        "is_active": guard.is_active,
        "minutes": guard.minutes,
        "version": guard.version,
        "changed_by": guard.changed_by.get_username(),
        "changed_at": moment(guard.changed_at),
    }


class GuardsView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="guards_list",
        summary="Guards of your accounts and of all, by code and account",
        description="With `account`: those of these accounts, and those of all.",
        parameters=[GuardQuery],
        responses=GuardOut(many=True),
        examples=[EXAMPLE_GUARD],
    )
    def get(self, request: Request) -> Response:
        found = guards_seen(request.user, query_of(request, GuardQuery).get("account"))
        page, answer = keyset_page(
            request, found, key=lambda g: (g.code, g.account.code if g.account else "")
        )
        return answer([guard_row(guard) for guard in page])

    @extend_schema(
        operation_id="guards_put",
        summary="Set guards (permission `trades.manage_guards`)",
        description="Each by its account and code, all or none; what is not named stays. A change"
        " is a new version.",
        request=GuardIn(many=True),
        responses=GuardOut(many=True),
        examples=[EXAMPLE_PUT, EXAMPLE_GUARD],
    )
    def put(self, request: Request) -> Response:
        given = rows_of(GuardIn, request)
        wanted = [Wanted(**{"account": None, **each}) for each in given]
        put = guards_put(user=caller(request), wanted=wanted)
        return Response([guard_row(guard) for guard in put])


ASKED = {
    "id": "019c0f3e-7a52-7c31-9b7e-2f0d5c1a8e45",
    "trade": "019c0f3e-7a52-7c31-9b7e-2f0d5c1a8e44",
    "version": 1,
    "account": "Test1",
    "ticker": "AAPL",
    "side": "buy",
    "quantity": "10",
    "price": "198.6",
    "trade_date": "2026-03-18",
    "asked": [
        {
            "code": "off_mark",
            "value": "3.002956",
            "limit": "3",
            "detail": "The price is 3.003% above the mark, 192.81.",
        }
    ],
    "confirmed_by": "trader",
    "recorded_at": "2026-03-18T16:00:00Z",
}
EXAMPLE_ASKED = OpenApiExample("Confirmed by a trader", value=ASKED, response_only=True)
PAGE_SIZE = 100


class AskedQuery(QuerySerializer):
    account = serializers.ListField(
        child=TextField(max_length=32), required=False, help_text="Repeatable."
    )
    code = serializers.ListField(
        child=serializers.ChoiceField(choices=CODES), required=False, help_text="Repeatable."
    )

    def get_fields(self) -> "dict[str, serializers.Field[Any, Any, Any, Any]]":
        # A word of Python's, and no name of an attribute.
        return {**super().get_fields(), "import": serializers.UUIDField(required=False)}


class AskedOut(serializers.Serializer[Any]):
    """A version that was recorded although guards asked: its terms, what they said, and who
    confirmed it; null where nobody was asked, as in an import."""

    id = serializers.UUIDField()
    trade = serializers.UUIDField()
    version = serializers.IntegerField()
    account = serializers.CharField()
    ticker = serializers.CharField()
    side = serializers.ChoiceField(choices=Side.choices)
    quantity = DecimalText()
    price = DecimalText()
    trade_date = DayField()
    asked = FoundOut(many=True)
    confirmed_by = serializers.CharField(allow_null=True)
    recorded_at = MomentField()


def _asked_row(asked: AskedVersion, terms: TradeVersion) -> Row:
    return {
        "id": str(asked.pk),
        "trade": str(asked.trade_id),
        "version": asked.version,
        "account": terms.account.code,
        "ticker": terms.instrument.ticker,
        "side": terms.side,
        "quantity": text(terms.quantity),
        "price": text(terms.price),
        "trade_date": terms.trade_date.isoformat(),
        "asked": asked.found,
        "confirmed_by": asked.confirmed_by.get_username() if asked.confirmed_by else None,
        "recorded_at": moment(asked.recorded_at),
    }


class AskedView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="guards_asked",
        summary="What guards asked about and was recorded all the same, newest first",
        description="In your accounts. `next` goes back in time.",
        parameters=[AskedQuery],
        responses=AskedOut(many=True),
        examples=[EXAMPLE_ASKED],
    )
    def get(self, request: Request) -> Response:
        query = query_of(request, AskedQuery)
        accounts = [a.pk for a in viewable_accounts(request.user, query.get("account"))]
        wanted = Wanting(accounts, query.get("code"), query.get("import"))
        page, answer = keyset_read(
            request,
            partial(asked_page, wanted),
            key=lambda each: each[0].pk,
            default_size=PAGE_SIZE,
        )
        return answer([_asked_row(*each) for each in page])
