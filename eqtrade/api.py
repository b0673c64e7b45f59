"""Calls of the API that belong to no app."""

from typing import Any, NoReturn

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eqtrade.system import system_state
from kernel.api.queries import refuse_unknown
from kernel.errors import NotThere

EXAMPLE_SYSTEM = OpenApiExample(
    "All is well (lists cut short)",
    value={
        "now": "2026-03-18T16:00:00Z",
        "business_date": "2026-03-18",
        "previous_session": "2026-03-17",
        "session_open": True,
        "price_source": "simulated",
        "ledger": {
            "same_cluster": True,
            "lag": [{"consumer": "positions", "shard": 0, "entries": 0, "seconds": 0.0}],
            "horizon": {
                "age_seconds": None,
                "pid": None,
                "user": None,
                "database": None,
                "state": None,
            },
            "quarantined": [],
        },
        "prices": {
            "priced": 510,
            "marked": 510,
            "stale": 0,
            "overridden": 0,
            "carried": 0,
            "doubtful": 0,
            "held_back": 0,
            "coverage": 1.0,
            "newest_age_seconds": 2.1,
            "oldest_age_seconds": 2.1,
            "source": {
                "last_attempt_at": None,
                "last_success_at": None,
                "fetch_seconds": None,
                "failures_in_a_row": 0,
                "retry_at": None,
                "last_failure_at": None,
                "last_failure_kind": None,
                "last_failure": None,
                "failures": {},
                "stream_seen_at": None,
                "left_out": {},
            },
            "closes": [
                {
                    "session": "2026-03-17",
                    "state": "complete",
                    "attempts": 1,
                    "expected": 510,
                    "missing": 0,
                    "next_attempt_at": None,
                    "last_error": "",
                }
            ],
        },
        "last_snapshot": {"session": "2026-03-17", "taken_at": "2026-03-17T20:15:02Z"},
        "restates": {"waiting": 0, "oldest_seconds": 0.0},
        "unguarded": ["Test4"],
        "queues": [{"queue": "positions", "waiting": 0}],
        "workers": [{"worker": "positions@desk", "queues": ["default", "pnl", "positions"]}],
        "problems": [],
    },
    response_only=True,
)


class SystemView(APIView):
    """For people on duty."""

    @extend_schema(
        operation_id="system",
        summary="The state of the whole: readers, prices, queues, workers, and what is wrong",
        responses=OpenApiTypes.OBJECT,
        examples=[EXAMPLE_SYSTEM],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request, set())
        return Response(system_state())


class ApiNotFoundView(APIView):
    """Unknown addresses below the API answer in the API's own form."""

    schema = None
    authentication_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotThere("There is no such address.")
