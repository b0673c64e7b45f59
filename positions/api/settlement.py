"""What has settled and what has not."""

from datetime import date
from functools import partial
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import viewable_accounts
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import QuerySerializer, query_of
from kernel.api.rows import Row, text
from kernel.api.serializers import DayField, DecimalText, TextField
from kernel.clock import new_york
from kernel.errors import FieldError, Invalid
from kernel.postgres.standby import past, told
from positions.settlement import SettlementRow, settlement_rows
from prices.sessions import sessions

EXAMPLE = OpenApiExample(
    "150 held, of which 50 were sold on the day",
    value={
        "account": "Test2",
        "ticker": "IBM",
        "session": "2026-03-18",
        "currency": "USD",
        "traded": "150",
        "settled": "200",
        "unsettled": [{"settlement_date": "2026-03-19", "quantity": "-50", "amount": "-7202.5"}],
        "overdue": [],
    },
    response_only=True,
)


class SettlementQuery(QuerySerializer):
    account = serializers.ListField(child=TextField(max_length=32), required=False)
    as_of = DayField(required=False)


class UnsettledOut(serializers.Serializer[Any]):
    """What settles on a day to come. `amount` is paid for it, fees included; received < 0."""

    settlement_date = DayField()
    quantity = DecimalText()
    amount = DecimalText()


class SettlementOut(serializers.Serializer[Any]):
    """Quantities as traded, before corporate actions. `traded` is of trade dates up to the session,
    `settled` of settlement dates up to it. `overdue` names the days of `unsettled` with a trade
    that was booked to settle earlier, on a day which has come."""

    account = serializers.CharField()
    ticker = serializers.CharField()
    session = DayField()
    currency = serializers.CharField()
    traded = DecimalText()
    settled = DecimalText()
    unsettled = UnsettledOut(many=True)
    overdue = serializers.ListField(child=DayField())


class SettlementListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="positions_settlement_list",
        summary="What is traded, what of it has settled, and what has not, by account and ticker",
        description="Of the business date, or of a session as of then, as known now. A trade counts"
        " as settled from its settlement date on: one that failed is amended to the day on which it"
        " is expected, and is then overdue.",
        parameters=[SettlementQuery],
        responses=SettlementOut(many=True),
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        query = query_of(request, SettlementQuery)
        accounts = [a.pk for a in viewable_accounts(request.user, query.get("account"))]
        day, is_past = _day_of(query.get("as_of"))
        rows = partial(settlement_rows, accounts=accounts, day=day, is_past=is_past)
        read = past(rows, where=is_past)
        page, answer = keyset_page(request, read.value, key=lambda r: (r.account, r.ticker))
        return told(answer([_row(row, day) for row in page]), read)


def _day_of(asked: date | None) -> tuple[date, bool]:
    """The session that a date means, itself or the one before a day without one; and whether it
    is before the business date."""
    known, now = sessions(), clock.now()
    today = known.business_date(now)
    if asked is None:
        return today, False
    if asked > new_york(now).date():
        raise Invalid(FieldError("in_future", f"The business date is {today}.", "as_of"))
    day = known.session_on_or_before(asked)
    return day, day < today


def _row(row: SettlementRow, day: date) -> Row:
    return {
        "account": row.account,
        "ticker": row.ticker,
        "session": day.isoformat(),
        "currency": row.currency,
        "traded": text(row.traded),
        "settled": text(row.settled),
        "unsettled": [
            {
                "settlement_date": each.settlement_date.isoformat(),
                "quantity": text(each.quantity),
                "amount": text(each.amount),
            }
            for each in row.unsettled
        ],
        "overdue": [each.isoformat() for each in row.overdue],
    }
