"""Who has to have a second factor and has none may do nothing but set it up."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.second_factor import Mode, SecondFactorMissing, is_missing
from kernel.api.errors import error_answer

_DEMANDED = (Mode.STAFF, Mode.EVERYONE)
# What is needed to set it up, or to leave.
_ALLOWED = (
    "mfa_activate_totp", "account_reauthenticate", "login", "account_login", "logout",
    "password_change", "password_change_done", "healthz", "readyz",
)  # fmt: skip
_FOR_PROGRAMS = ("/api/", "/internal/", "/metrics")


class SecondFactorFirst:
    """For sessions; tokens and websockets are refused where they are let in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if settings.SECOND_FACTOR not in _DEMANDED:
            return None
        match = request.resolver_match
        if match is None or match.view_name in _ALLOWED or not is_missing(request.user):
            return None
        if request.path.startswith(_FOR_PROGRAMS):
            return error_answer(SecondFactorMissing())
        return redirect("mfa_activate_totp")
