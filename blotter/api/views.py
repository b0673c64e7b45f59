"""Positions with P&L, and P&L by account or by ticker, as the blotter shows them."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import viewable_accounts
from blotter.api.examples import EXAMPLE_BY_ACCOUNT, EXAMPLE_BY_TICKER, EXAMPLE_POSITION
from blotter.api.pnl_pages import pnl_page
from blotter.api.serializers import PnlOut, PnlQuery, PositionOut, PositionQuery
from blotter.rows import (
    Today,
    days_with_pnl,
    pnl_rows,
    position_rows,
    position_rows_as_of,
    strategy_pnl_rows,
    strategy_position_rows,
    today_at,
)
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import query_of
from kernel.api.rows import Row
from kernel.clock import new_york
from kernel.errors import FieldError, Invalid
from kernel.postgres.standby import past, told
from prices.models import Instrument
from prices.sessions import sessions


class PositionListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="positions_list",
        summary="Positions with P&L, by account and ticker: live, or of a session as of then",
        parameters=[PositionQuery],
        responses=PositionOut(many=True),
        examples=[EXAMPLE_POSITION],
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
        _refuse_not_kept(query["by"])
        is_past = session < today.business_date
        by_strategy = query["by"] == "strategy"
        rows = partial(position_rows, **which)
        if by_strategy:
            rows = partial(strategy_position_rows, **which, session=session, known_at=known_at)
        elif is_past or known_at is not None:
            rows = partial(position_rows_as_of, **which, session=session, known_at=known_at)
        read = past(rows, where=is_past)
        page, answer = keyset_page(request, read.value, key=_position_key)
        return told(answer(page), read)


def _position_key(row: Row) -> tuple[str, ...]:
    return row["account"], row.get("strategy") or "", row["ticker"]


def _refuse_not_kept(by: str) -> None:
    if by == "counterparty":
        raise Invalid(FieldError("not_kept", "Sums by counterparty are not kept.", "by"))


class PnlListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="pnl_list",
        summary="P&L over a range of sessions: by account, or by account and ticker or strategy",
        description="Without dates: the business date, live. Past sessions are final when they"
        " were calculated from official closes, provisional until then, and restated when a late"
        " trade or a changed close reaches them.",
        parameters=[PnlQuery],
        responses=PnlOut(many=True),
        examples=[EXAMPLE_BY_ACCOUNT, EXAMPLE_BY_TICKER],
    )
    def get(self, request: Request) -> Response:
        query = query_of(request, PnlQuery)
        _refuse_not_kept(query["by"])
        today = today_at(clock.now())
        first, last = _range_of(query, today)
        accounts = {a.pk: a.code for a in viewable_accounts(request.user, query.get("account"))}
        days = days_with_pnl(accounts, first, last, today)
        read = partial(_read_pnl, accounts, query["by"], today)
        a_session = len(accounts) if query["by"] == "account" else 0
        page = partial(pnl_page, request, days, read, a_session)
        found = past(page, where=last < today.business_date)
        return told(found.value, found)


def _read_pnl(accounts: dict[int, str], by: str, today: Today, days: Sequence[date]) -> list[Row]:
    if by == "strategy":
        return strategy_pnl_rows(accounts=accounts, days=days, today=today)
    return pnl_rows(accounts=accounts, days=days, by=by, today=today)


def _range_of(query: dict[str, Any], today: Today) -> tuple[date | None, date]:
    """The first day asked for (none: the last alone) and the last (none: the business date)."""
    first, last = query.get("from"), query.get("to")
    if first is not None and first > new_york(today.now).date():
        raise Invalid(
            FieldError("in_future", f"The business date is {today.business_date}.", "from")
        )
    if first is not None and last is not None and last < first:
        raise Invalid(FieldError("before_from", "This is before `from`.", "to"))
    return first, last or today.business_date


def _session_of(asked: date | None, today: Today) -> date:
    """The session that a date means: itself, or the one before a day without one."""
    if asked is None:
        return today.business_date
    if asked > new_york(today.now).date():
        raise Invalid(
            FieldError("in_future", f"The business date is {today.business_date}.", "as_of")
        )
    return sessions().session_on_or_before(asked)
