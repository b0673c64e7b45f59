"""One trade: reading it, correcting it, and all that it has been."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import AnyUser, viewable_accounts
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import caller, refuse_unknown
from kernel.errors import NotThere
from trades.api.examples import (
    AMENDED,
    AMENDMENT,
    BOOKED,
    CANCELLATION,
    CANCELLED,
    MOVE,
    STALE,
    VERSION_MADE,
)
from trades.api.rows import trade_out, version_row
from trades.api.serializers import AmendmentIn, CorrectionIn, TradeOut, TradeVersionOut
from trades.guards.read import asked_of
from trades.models import Trade
from trades.selectors import trades_visible, versions_visible, with_fees
from trades.services.correction import trade_amend, trade_cancel
from trades.terms import Amendment

WHO_MAY = (
    " Needs can_correct in the account (for a move: in both accounts), or, for one's own trade on"
    " its trade date, can_book."
)


class TradeView(APIView):
    @extend_schema(
        operation_id="trades_read",
        summary="One trade as it is now",
        responses=TradeOut,
        examples=[BOOKED],
    )
    def get(self, request: Request, trade_id: UUID) -> Response:
        refuse_unknown(request, set())
        trade, _ = _in_sight(request.user, trade_id)
        return Response(trade_out(trade))

    @extend_schema(
        operation_id="trades_amend",
        summary="Give a trade other terms",
        description="Send the version that you saw, the reason, and the terms that change. The"
        " trade gets a new version; the old ones stay. 409 when somebody else was first or the"
        " trade is cancelled." + WHO_MAY,
        request=AmendmentIn,
        responses=TradeOut,
        examples=[AMENDMENT, MOVE, AMENDED, STALE],
    )
    def patch(self, request: Request, trade_id: UUID) -> Response:
        given = AmendmentIn(data=request.data)
        given.is_valid(raise_exception=True)
        terms = dict(given.validated_data)
        trade = trade_amend(
            user=caller(request),
            trade_id=trade_id,
            version=terms.pop("version"),
            reason=terms.pop("reason"),
            confirm=terms.pop("confirm", None),
            terms=Amendment(**terms),
            now=clock.now(),
        )
        return Response(trade_out(trade))


class TradeCancelView(APIView):
    @extend_schema(
        operation_id="trades_cancel",
        summary="Cancel a trade for good",
        description="A cancelled trade stays in sight and counts nowhere." + WHO_MAY,
        request=CorrectionIn,
        responses=TradeOut,
        examples=[CANCELLATION, CANCELLED, STALE],
    )
    def post(self, request: Request, trade_id: UUID) -> Response:
        given = CorrectionIn(data=request.data)
        given.is_valid(raise_exception=True)
        trade = trade_cancel(
            user=caller(request), trade_id=trade_id, now=clock.now(), **given.validated_data
        )
        return Response(trade_out(trade))


class TradeVersionsView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="trades_versions",
        summary="All that a trade has been, oldest first",
        description="Without versions in accounts that the caller may not view.",
        responses=TradeVersionOut(many=True),
        examples=[VERSION_MADE],
    )
    def get(self, request: Request, trade_id: UUID) -> Response:
        refuse_unknown(request, set())
        trade, accounts = _in_sight(request.user, trade_id)
        versions = with_fees(versions_visible(trade, accounts))
        page, answer = keyset_page(request, versions, key=lambda v: (f"{v.version:010}",))
        asked = asked_of(trade)
        return answer([version_row(v, asked.get(v.version)) for v in page])


def _in_sight(user: AnyUser, trade_id: UUID) -> tuple[Trade, list[int]]:
    """The trade, and the ids of the accounts that the user may view. Raises NotThere."""
    accounts = [a.pk for a in viewable_accounts(user)]
    trade = trades_visible(accounts).filter(pk=trade_id).first()
    if trade is None:
        raise NotThere("There is no such trade.")
    return trade, accounts
