"""Booking and reading trades."""

from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import viewable_accounts
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_read
from kernel.api.queries import caller, query_of
from trades.api.examples import BOOKED, BOOKING, BOOKING_IN_FULL
from trades.api.filters import TradeQuery, filter_of
from trades.api.rows import trade_out, trade_row
from trades.api.serializers import BookingIn, TradeOut
from trades.bookings import Booking
from trades.models import Trade
from trades.pages import trade_page
from trades.selectors import trade_rows
from trades.services.booking import trade_book

PAGE_SIZE = 100


class TradeListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="trades_list",
        summary="Trades, newest booking first",
        parameters=[TradeQuery],
        responses=TradeOut(many=True),
        examples=[BOOKED],
    )
    def get(self, request: Request) -> Response:
        query = query_of(request, TradeQuery)
        accounts = [a.pk for a in viewable_accounts(request.user, query.get("account"))]
        wanted = filter_of(query, accounts)

        def read(limit: int, after: UUID | None, before: UUID | None) -> list[Trade]:
            return list(trade_page(wanted, limit=limit, after=after, before=before))

        page, answer = keyset_read(request, read, key=lambda t: t.pk, default_size=PAGE_SIZE)
        return answer([trade_row(t) for t in trade_rows(page)])

    @extend_schema(
        operation_id="trades_book",
        summary="Book one trade",
        description="Answers when the trade is committed. Positions and P&L follow within moments."
        " The same client_trade_id in that account again: 200 and that trade as it is now.",
        request=BookingIn,
        responses={
            201: TradeOut,
            200: OpenApiResponse(TradeOut, description="Booked before with this client_trade_id"),
        },
        examples=[BOOKING, BOOKING_IN_FULL, BOOKED],
    )
    def post(self, request: Request) -> Response:
        given = BookingIn(data=request.data)
        given.is_valid(raise_exception=True)
        booked = trade_book(
            user=caller(request),
            booking=Booking(**given.validated_data, sent=frozenset(given.validated_data)),
            now=clock.now(),
        )
        return Response(trade_out(booked.trade), status=201 if booked.is_new else 200)
