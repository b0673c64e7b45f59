"""Is it alive, and can it do its job. `/readyz` names each part that is missing."""

from collections.abc import Callable

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, renderer_classes
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from kernel.redis_client import redis_client

TIMEOUT_SECONDS = 1.0


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is asked, so that a restart is never caused by a
    neighbour's outage."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when this process can serve: its database answers, is migrated and is of the ledger's
    cluster. Redis is reported but does not decide: bookings are accepted without it."""
    parts = {"database": _said(_database), "redis": _said(_redis)}
    ready = parts["database"] == "ok"
    return JsonResponse(
        {"status": "ready" if ready else "not ready", **parts}, status=200 if ready else 503
    )


def _said(check: Callable[[], None]) -> str:
    try:
        check()
    except (DatabaseError, redis.RedisError, RuntimeError) as error:
        return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.epoch, l.system_identifier = c.system_identifier"
            "  FROM pg_control_system() c LEFT JOIN LATERAL (SELECT * FROM trades_ledgerepoch"
            " ORDER BY epoch DESC LIMIT 1) l ON true"
        )
        _, same_cluster = cursor.fetchone()
    if not same_cluster:
        raise RuntimeError("restored into another cluster: run `manage.py restored`")


def _redis() -> None:
    with redis_client(TIMEOUT_SECONDS) as client:
        client.ping()


@extend_schema(exclude=True)
@api_view(["GET", "HEAD"])
@renderer_classes([JSONRenderer])
def staff_only(request: Request) -> HttpResponse:
    """For nginx's auth_request before Flower and the metrics: by session, or by token for programs.
    204, 401 for a stranger, 403 for who is not staff."""
    return HttpResponse(status=204)
