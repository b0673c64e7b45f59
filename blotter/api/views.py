"""Positions with P&L, and P&L by account or by ticker, as the blotter shows them."""

from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import viewable_accounts
from blotter.api.serializers import PnlOut, PnlQuery, PositionOut, PositionQuery
from blotter.rows import Today, key_rows, position_rows, position_rows_as_of, today_at, total_rows
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import query_of
from kernel.clock import new_york
from kernel.errors import FieldError, Invalid
from prices.models import Instrument
from prices.sessions import sessions


class PositionListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="positions_list",
        summary="Positions with P&L, by account and ticker: live, or of a session as of then",
        parameters=[PositionQuery],
        responses=PositionOut(many=True),
    )
    def get(self, request: Request) -> Response:
        query = query_of(request, PositionQuery)
        today = today_at(clock.now())
        accounts = viewable_accounts(request.user, query.get("account"))
        instruments = None
        if query.get("ticker"):
            named = Instrument.objects.filter(ticker__in=query["ticker"])
            instruments = list(named.values_list("pk", flat=True))
        session = _session_of(query.get("as_of"), today)
        known_at = query.get("known_at")
        which: dict[str, Any] = {
            "accounts": [a.pk for a in accounts],
            "today": today,
            "instruments": instruments,
            "include_flat": query["include_flat"],
        }
        if known_at is None and session == today.business_date:
            rows = position_rows(**which)
        else:
            rows = position_rows_as_of(**which, session=session, known_at=known_at)
        page, answer = keyset_page(request, rows, key=lambda r: (r["account"], r["ticker"]))
        return answer(page)


class PnlListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="pnl_list",
        summary="P&L of the business date, by account or by account and ticker",
        parameters=[PnlQuery],
        responses=PnlOut(many=True),
    )
    def get(self, request: Request) -> Response:
        query = query_of(request, PnlQuery)
        today = today_at(clock.now())
        _only_today(query.get("from"), today, "from")
        _only_today(query.get("to"), today, "to")
        accounts = [a.pk for a in viewable_accounts(request.user, query.get("account"))]
        if query["by"] == "account":
            rows = total_rows(accounts=accounts, today=today)
        else:
            rows = key_rows(accounts=accounts, today=today)
        page, answer = keyset_page(
            request, rows, key=lambda r: (r["session"], r["account"], r.get("ticker", ""))
        )
        return answer(page)


def _session_of(asked: date | None, today: Today) -> date:
    """The session that a date means: itself, or the one before a day without one."""
    if asked is None:
        return today.business_date
    if asked > new_york(today.now).date():
        raise Invalid(
            FieldError("in_future", f"The business date is {today.business_date}.", "as_of")
        )
    return sessions().session_on_or_before(asked)


def _only_today(asked: date | None, today: Today, attr: str) -> None:
    """Past sessions are not served yet; a date that means the business date is."""
    if asked is None:
        return
    if asked > today.business_date and attr != "to":
        raise Invalid(FieldError("in_future", f"The business date is {today.business_date}.", attr))
    if sessions().session_on_or_before(asked) < today.business_date:
        raise Invalid(
            FieldError("not_available", f"Only {today.business_date} is available yet.", attr)
        )
