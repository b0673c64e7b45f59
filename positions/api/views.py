"""Snapshots, read only."""

from datetime import date

from drf_spectacular.utils import OpenApiExample, extend_schema
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
from kernel.postgres.standby import Read, past, told
from positions.api.serializers import SnapshotOut, SnapshotQuery
from positions.snapshots.read import SnapshotRow, last_snapshot, snapshot_rows
from prices.sessions import sessions

EXAMPLE = OpenApiExample(
    "One row",
    value={
        "session": "2026-03-18",
        "account": "Test2",
        "ticker": "IBM",
        "quantity": "100",
        "close": "143.33",
        "taken_at": "2026-03-18T20:14:02Z",
    },
    response_only=True,
)


class SnapshotListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="positions_snapshots_list",
        summary="What was held at a session's end, as known then, by account and ticker",
        description="Taken once, when the session's closes are settled, and never changed. Empty"
        " until then.",
        parameters=[SnapshotQuery],
        responses=SnapshotOut(many=True),
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        query = query_of(request, SnapshotQuery)
        accounts = [a.pk for a in viewable_accounts(request.user, query.get("account"))]
        session = ended_session(query["session"]) if "session" in query else None
        if session is None:
            last = last_snapshot()
            session = None if last is None else last.session
        size = page_size_of(request, MAX_PAGE_SIZE)
        after, before = cursor_of(request, "after"), cursor_of(request, "before")
        read = Read[list[SnapshotRow]]([])
        if session is not None:
            of_session = session
            read = past(
                lambda: snapshot_rows(
                    session=of_session,
                    accounts=accounts,
                    limit=size + 1,
                    after=after,
                    before=before,
                )
            )
        page, answer = keyset_page(
            request,
            read.value,
            key=lambda row: (row.account, row.ticker),
            more_before=after is not None,
            more_after=before is not None,
        )
        return told(answer([_row(row) for row in page]), read)


def ended_session(day: date) -> date:
    """The day, if it is a session that has ended; raises Invalid."""
    known = sessions()
    if not known.is_session(day):
        raise Invalid(FieldError("no_session", f"There is no session on {day}.", "session"))
    if known.session_of(day).closes > clock.now():
        raise Invalid(
            FieldError("in_future", f"The session of {day} has not ended yet.", "session")
        )
    return day


def _row(row: SnapshotRow) -> Row:
    return {
        "session": row.session.isoformat(),
        "account": row.account,
        "ticker": row.ticker,
        "quantity": text(row.quantity),
        "close": text(row.close),
        "taken_at": moment(row.taken_at),
    }
