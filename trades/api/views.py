"""Booking and reading trades."""

from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.backends import caller_found
from accounts.selectors import viewable_accounts
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_read
from kernel.api.queries import caller, query_of
from trades.api.asking import BookingRequest, booking_request, session_user
from trades.api.examples import BOOKED, BOOKING, BOOKING_IN_FULL
from trades.api.filters import TradeQuery, filter_of
from trades.api.rows import trade_out, trade_row
from trades.api.serializers import BookingIn, TradeOut
from trades.pages import trade_page_rows
from trades.selectors import TradeRow
from trades.services.booking import trade_book

PAGE_SIZE = 100


class TradeListView(APIView):
    asking: BookingRequest | None = None
    """What a POST asks for, read before its caller is known."""
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

        def read(limit: int, after: UUID | None, before: UUID | None) -> list[TradeRow]:
            return trade_page_rows(wanted, limit=limit, after=after, before=before)

        page, answer = keyset_read(request, read, key=lambda t: t.id, default_size=PAGE_SIZE)
        return answer([trade_row(t) for t in page])

    @extend_schema(
        operation_id="trades_book",
        summary="Book one trade",
        description="Answers when the trade is committed. Positions and P&L follow within moments."
        " The same client_trade_id in that account again: 200 and that trade as it is now. What a"
        " guard asks about: 409 `confirmation_required`; the same call with `confirm` books.",
        request=BookingIn,
        responses={
            201: TradeOut,
            200: OpenApiResponse(TradeOut, description="Booked before with this client_trade_id"),
        },
        examples=[BOOKING, BOOKING_IN_FULL, BOOKED],
    )
    def post(self, request: Request) -> Response:
        here = self.asking or BookingRequest(clock.now())
        if here.booking is None and here.problem is None:
            here.read(request)
        booked = trade_book(
            user=caller(request),
            booking=here.wanted(),
            now=here.now,
            asked=here.asked,
            confirm=here.confirm,
        )
        row = trade_out(booked.trade) if booked.row is None else trade_row(booked.row)
        return Response(row, status=201 if booked.is_new else 200)

    def perform_authentication(self, request: Request) -> None:
        if request.method == "POST":
            self.asking = booking_request(request)
            self.caller_by_token = self.asking.caller_by_token
            if "HTTP_AUTHORIZATION" not in request.META:
                self.asking.ask_for(session_user(request))
        with caller_found(None if self.asking is None else self.asking.user):
            super().perform_authentication(request)
