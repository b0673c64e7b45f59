"""Realized P&L, as rows and as files."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.http import FileResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import viewable_accounts
from audit.exports import exported
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import QuerySerializer, query_of
from kernel.api.rows import Row, text
from kernel.api.serializers import DayField, DecimalText, TextField
from kernel.clock import new_york
from kernel.errors import FieldError, Invalid
from kernel.postgres.standby import Read, past, told
from kernel.tables import MAX_EXCEL_ROWS, TooManyRows, csv_lines, excel_file
from pnl.realized import RealizedRow, realized_rows
from prices.models import Instrument
from prices.sessions import sessions
from trades.models import Side

EXAMPLE = OpenApiExample(
    "1,000 bought at 50.00 with 5.00 of fees, 400 of them sold at 52.00 with 2.65",
    value={
        "session": "2026-03-18",
        "account": "Test2",
        "strategy": "ALPHA",
        "ticker": "IBM",
        "currency": "USD",
        "realized_pnl": "795.35",
        "trades": [
            {
                "id": "019cff1d-5c1c-7cc1-a9ba-4a3b7a1c8c11",
                "side": "sell",
                "quantity": "400",
                "price": "52",
                "fees": "2.65",
                "closed": "-400",
                "realized_pnl": "795.35",
            }
        ],
        "actions": [],
    },
    response_only=True,
)
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMNS = (
    "session", "account", "strategy", "ticker", "currency", "trade", "side", "quantity", "price",
    "fees", "closed", "realized_pnl",
)  # fmt: skip
_ABOUT = (
    "By average cost since inception, net of fees, as known now: what a trade changed it by stands"
    " on its trade date and strategy, what a corporate action did on its ex-date under no strategy."
    " Without dates: the business date."
)


class RealizedQuery(QuerySerializer):
    account = serializers.ListField(child=TextField(max_length=32), required=False)
    ticker = serializers.ListField(child=TextField(max_length=16), required=False)
    strategy = serializers.ListField(child=TextField(max_length=32), required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `from` is a word of Python's own and cannot be a class attribute.
        return {
            **super().get_fields(),
            "from": DayField(required=False),
            "to": DayField(required=False),
        }


class RealizedTradeOut(serializers.Serializer[Any]):
    """A trade that closed something. `closed` is how much of it, signed as the trade."""

    id = serializers.UUIDField()
    side = serializers.ChoiceField(choices=Side.choices)
    quantity = DecimalText()
    price = DecimalText()
    fees = DecimalText()
    closed = DecimalText()
    realized_pnl = DecimalText()


class RealizedOut(serializers.Serializer[Any]):
    """What was realized on a day, in the instrument's currency; `trades` and `actions` made it."""

    session = DayField()
    account = serializers.CharField()
    strategy = serializers.CharField(allow_null=True)
    ticker = serializers.CharField()
    currency = serializers.CharField()
    realized_pnl = DecimalText()
    trades = RealizedTradeOut(many=True)
    actions = serializers.ListField(child=serializers.UUIDField())


class RealizedListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="pnl_realized_list",
        summary="Realized P&L by day, account, strategy and ticker, with the trades that made it",
        description=_ABOUT,
        parameters=[RealizedQuery],
        responses=RealizedOut(many=True),
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        read, _ = _read(request)
        page, answer = keyset_page(request, read.value, key=_key)
        return told(answer([_row(row) for row in page]), read)


class _FileView(APIView):
    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """The file is no renderer's work, so whoever asks for it has asked for it."""
        return super().perform_content_negotiation(request, force=True)


class RealizedCsvView(_FileView):
    @extend_schema(
        operation_id="pnl_realized_csv",
        summary="Realized P&L as CSV, a line a trade",
        description=_ABOUT,
        parameters=[RealizedQuery],
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)},
        examples=[
            OpenApiExample(
                "A sale",
                value=f"{','.join(COLUMNS)}\r\n2026-03-18,Test2,ALPHA,IBM,USD,"
                "019cff1d-5c1c-7cc1-a9ba-4a3b7a1c8c11,sell,400,52,2.65,-400,795.35\r\n",
                media_type="text/csv",
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        read, name = _read(request)
        exported("realized P&L", "csv", request._request)
        lines = csv_lines(COLUMNS, _lines(read.value))
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return told(answer, read)


class RealizedExcelView(_FileView):
    @extend_schema(
        operation_id="pnl_realized_xlsx",
        summary="Realized P&L as an Excel workbook, a line a trade",
        description=f"{_ABOUT} At most {MAX_EXCEL_ROWS:,} lines.",
        parameters=[RealizedQuery],
        responses={(200, EXCEL): OpenApiResponse(OpenApiTypes.BINARY)},
        examples=[
            OpenApiExample(
                "A workbook",
                value="PK…",
                media_type=EXCEL,
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> FileResponse:
        read, name = _read(request)
        try:
            file = excel_file("Realized P&L", COLUMNS, _lines(read.value), most=MAX_EXCEL_ROWS)
        except TooManyRows as error:
            said = f"These are more than {MAX_EXCEL_ROWS:,} lines: choose fewer, or take the CSV."
            raise Invalid(FieldError("too_many", said, "from")) from error
        exported("realized P&L", "xlsx", request._request)
        return told(FileResponse(file, as_attachment=True, filename=f"{name}.xlsx"), read)


def _read(request: Request) -> tuple[Read[list[RealizedRow]], str]:
    """The rows that a request asks for, and a name for a file of them."""
    query, now = query_of(request, RealizedQuery), clock.now()
    today = sessions().business_date(now)
    last = query.get("to") or query.get("from") or today
    first = query.get("from") or last
    for attr, day in (("from", first), ("to", last)):
        if attr in query and day > new_york(now).date():
            raise Invalid(FieldError("in_future", f"The business date is {today}.", attr))
    if last < first:
        raise Invalid(FieldError("before_from", "This is before `from`.", "to"))
    accounts = [a.pk for a in viewable_accounts(request.user, query.get("account"))]
    instruments = None
    if query.get("ticker"):
        named = Instrument.objects.filter(ticker__in=query["ticker"])
        instruments = list(named.values_list("pk", flat=True))
    rows = partial(
        realized_rows, accounts=accounts, first=first, last=last, now=now, instruments=instruments
    )
    read = past(rows, where=last < today)
    of = query.get("strategy")
    if of is not None:
        read.value[:] = [row for row in read.value if row.strategy in of]
    return read, f"realized_{first}_{last}"


def _key(row: RealizedRow) -> tuple[str, ...]:
    return row.session.isoformat(), row.account, row.strategy or "", row.ticker


def _row(row: RealizedRow) -> Row:
    return {
        "session": row.session.isoformat(),
        "account": row.account,
        "strategy": row.strategy,
        "ticker": row.ticker,
        "currency": row.currency,
        "realized_pnl": text(row.realized_pnl),
        "trades": [
            {
                "id": str(trade.id),
                "side": trade.side,
                "quantity": text(trade.quantity),
                "price": text(trade.price),
                "fees": text(trade.fees),
                "closed": text(trade.closed),
                "realized_pnl": text(trade.realized_pnl),
            }
            for trade in row.trades
        ],
        "actions": [str(each) for each in row.actions],
    }


def _lines(rows: Iterable[RealizedRow]) -> Iterator[list[Any]]:
    """A line a trade; one more for what actions realized."""
    for row in rows:
        of = [row.session, row.account, row.strategy, row.ticker, row.currency]
        for each in row.trades:
            yield [
                *of, str(each.id), each.side, each.quantity, each.price, each.fees, each.closed,
                each.realized_pnl,
            ]  # fmt: skip
        left = row.realized_pnl - sum(each.realized_pnl for each in row.trades)
        if row.actions:
            yield [*of, None, None, None, None, None, None, left]
