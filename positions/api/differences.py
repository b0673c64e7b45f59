"""Snapshots beside what their sessions' positions are now."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import viewable_accounts
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import query_of
from kernel.api.rows import Row, moment, text
from kernel.errors import NotThere
from positions.api.serializers import DifferenceOut, SnapshotQuery
from positions.api.views import ended_session
from positions.models import SnapshotRun
from positions.snapshots.differences import Change, Difference, snapshot_differences
from positions.snapshots.read import last_snapshot, snapshot_of

EXAMPLE = OpenApiExample(
    "A trade that was cancelled on the next day",
    value={
        "session": "2026-03-18",
        "account": "Test2",
        "ticker": "IBM",
        "snapshot_quantity": "100",
        "quantity": "60",
        "difference": "-40",
        "snapshot_close": "143.33",
        "close": "143.33",
        "pnl_effect": "-133.2",
        "changes": [
            {
                "trade": "019cff1d-5c1c-7cc1-a9ba-4a3b7a1c8c11",
                "version": 2,
                "status": "cancelled",
                "actor": "middleoffice",
                "reason": "booked twice",
                "recorded_at": "2026-03-19T13:02:11Z",
                "trade_date": "2026-03-18",
                "quantity": "-40",
                "pnl_effect": "-133.2",
            }
        ],
    },
    response_only=True,
)


class DifferenceListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="positions_snapshots_differences_list",
        summary="Where a snapshot and what is known of its session now differ, and why",
        description="By account and ticker; what changed since the session's end, by whom, and what"
        " it did to the P&L. 404 while the snapshot is not taken.",
        parameters=[SnapshotQuery],
        responses=DifferenceOut(many=True),
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        query = query_of(request, SnapshotQuery)
        accounts = [a.pk for a in viewable_accounts(request.user, query.get("account"))]
        run = _run(query)
        found = [] if run is None else snapshot_differences(run=run, accounts=accounts)
        page, answer = keyset_page(request, found, key=lambda row: (row.account, row.ticker))
        return answer([_row(row) for row in page])


def _run(query: Row) -> SnapshotRun | None:
    if "session" not in query:
        return last_snapshot()
    day = ended_session(query["session"])
    run = snapshot_of(day)
    if run is None:
        raise NotThere(f"The snapshot of {day} is not taken.")
    return run


def _row(row: Difference) -> Row:
    return {
        "session": row.session.isoformat(),
        "account": row.account,
        "ticker": row.ticker,
        "snapshot_quantity": text(row.snapshot_quantity),
        "quantity": text(row.quantity),
        "difference": text(row.quantity - row.snapshot_quantity),
        "snapshot_close": text(row.snapshot_close),
        "close": text(row.close),
        "pnl_effect": text(row.pnl_effect),
        "changes": [_change(change) for change in row.changes],
    }


def _change(change: Change) -> Row:
    return {
        "trade": str(change.trade),
        "version": change.version,
        "status": change.status,
        "actor": change.actor,
        "reason": change.reason,
        "recorded_at": moment(change.recorded_at),
        "trade_date": change.trade_date.isoformat(),
        "quantity": text(change.quantity),
        "pnl_effect": text(change.pnl_effect),
    }
