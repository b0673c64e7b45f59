"""The intraday series, read only."""

from datetime import UTC, date, datetime

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import viewable_accounts
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import MAX_PAGE_SIZE, cursor_of, keyset_page, page_size_of
from kernel.api.queries import query_of
from kernel.api.rows import Row, moment, text
from kernel.errors import FieldError, Invalid
from pnl.api.serializers import IntradayOut, IntradayQuery
from pnl.intraday.read import intraday_points
from pnl.models import AccountPnl
from prices.models import CURRENCY
from prices.sessions import sessions

EXAMPLE = OpenApiExample(
    "One point",
    value={
        "account": "Test2",
        "session": "2026-03-18",
        "at": "2026-03-18T15:31:00Z",
        "currency": "USD",
        "trade_pnl": "20757.4",
        "position_pnl": "-38",
        "action_pnl": "0",
        "total_pnl": "20719.4",
        "pnl_valid": True,
    },
    response_only=True,
)


class IntradayListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="pnl_intraday_list",
        summary="The P&L of a session minute by minute, by account and time",
        description="One point a minute at most, written after a refresh of prices and never"
        " changed: it says what was known then.",
        parameters=[IntradayQuery],
        responses=IntradayOut(many=True),
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        query = query_of(request, IntradayQuery)
        accounts = [a.pk for a in viewable_accounts(request.user, query.get("account"))]
        session = _session(query.get("session"))
        size = page_size_of(request, MAX_PAGE_SIZE)
        after, before = _place(request, "after"), _place(request, "before")
        points = intraday_points(
            accounts=accounts, session=session, limit=size + 1, after=after, before=before
        )
        page, answer = keyset_page(
            request,
            points,
            key=lambda point: (point.account.code, point.at.isoformat()),
            more_before=after is not None,
            more_after=before is not None,
        )
        return answer([_row(point) for point in page])


def _session(asked: date | None) -> date:
    known = sessions()
    today = known.business_date(clock.now())
    if asked is None:
        return today
    if asked > today:
        raise Invalid(FieldError("in_future", f"The business date is {today}.", "session"))
    if not known.is_session(asked):
        raise Invalid(FieldError("no_session", f"There is no session on {asked}.", "session"))
    return asked


def _place(request: Request, name: str) -> tuple[str, str] | None:
    """A cursor of this list: an account's code and a time."""
    cursor = cursor_of(request, name)
    if cursor is None:
        return None
    try:
        code, at = cursor
        return code, datetime.fromisoformat(at).astimezone(UTC).isoformat()
    except (ValueError, OverflowError) as error:
        raise ValidationError({name: ["This is no cursor."]}) from error


def _row(point: AccountPnl) -> Row:
    return {
        "account": point.account.code,
        "session": point.session.isoformat(),
        "at": moment(point.at),
        "currency": CURRENCY,
        "trade_pnl": text(point.trade_pnl),
        "position_pnl": text(point.position_pnl),
        "action_pnl": text(point.action_pnl),
        "total_pnl": text(point.trade_pnl + point.position_pnl + point.action_pnl),
        "pnl_valid": point.pnl_valid,
    }
