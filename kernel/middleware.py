"""The outermost middleware follows a request. And pages ask the table of authorization who may
call; REST does so by itself, once it has read who asks; of the admin's pages each model's own are
asked for there."""

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse

from kernel import following, traces
from kernel.authorization import may_call, table
from kernel.hooks import Hook

logger = structlog.get_logger(__name__)

answered: Hook[[HttpRequest, HttpResponse, float], None] = Hook()
"""A request was answered, after so many seconds."""

OF_PAGES = ("GET", "HEAD", "POST")
ADMIN = "admin/"


class Follows:
    """Outermost: whatever is logged while a request is answered has its id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = following.request_id_of(request)
        began, begun = time.monotonic(), following.begins(request_id)
        traces.note(request_id=request_id)
        try:
            response = self.get_response(request)
            answered(request, response, time.monotonic() - began)
            return response
        finally:
            took = time.monotonic() - began
            if took > settings.SLOW_REQUEST_SECONDS:
                # The path alone: what is asked for may be a secret.
                logger.warning(
                    "slow request", method=request.method, path=request.path, seconds=round(took, 3)
                )
            following.ends(begun)


class ByTable:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or hasattr(view, "cls"):
            return None
        route, method = match.route, str(request.method)
        row = table().row(route)
        if row is None and is_of_a_model(route):
            # Django's pages there take any other method for a GET.
            return None if method in OF_PAGES else HttpResponseNotAllowed(OF_PAGES)
        if row is not None and ("GET" if method == "HEAD" else method) not in row:
            return HttpResponseNotAllowed(row)
        if may_call(request.user, route, method):
            return None
        if route.startswith(ADMIN) and not request.user.is_staff:
            # As the admin's other pages do: another user may be meant.
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.get_full_path())


def is_of_a_model(route: str) -> bool:
    """Whether it is the admin's of a model that the table names: `admin/app/model/…`."""
    area, _, rest = route.partition("/")
    app, _, rest = rest.partition("/")
    model, slash, _ = rest.partition("/")
    return area == "admin" and bool(slash) and f"{app}.{model}" in table().admin
