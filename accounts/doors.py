"""The doors that ask for a password, guarded by django-axes: whatever calls `authenticate` is one.

Its middleware turns a refusal into the answer that is made here, whatever form or view asked.
"""

from datetime import timedelta
from typing import Any, NoReturn

from axes.exceptions import AxesBackendPermissionDenied
from axes.handlers.base import AxesHandler
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from accounts.attempts import login_wait, name_unlock
from audit.recording import hashed_unless_known, record, refused
from kernel import clock
from kernel.errors import TooMany


class TooManyWrong(TooMany):
    code = "too_many_wrong_passwords"
    detail = "Too many wrong passwords. Try again later."


class DoorHandler(AxesHandler):
    """Says who may try; what came of it, the backend says itself."""

    def is_allowed(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        name = (credentials or {}).get("username") or ""
        wait = login_wait(name=name, address=address_of(request), now=clock.now())
        if wait is not None:
            note(request, too_many_wrong(wait), name)
        return wait is None

    def reset_attempts(
        self,
        *,
        ip_address: str | None = None,
        username: str | None = None,
        ip_or_username: bool = False,
    ) -> int:
        return unlock(username) if username else 0


def address_of(request: HttpRequest) -> str:
    """As axes found it, by `accounts.addresses`."""
    address: str = request.axes_ip_address  # type: ignore[attr-defined]
    return address


def too_many_wrong(wait: timedelta) -> TooManyWrong:
    return TooManyWrong(retry_after=wait.total_seconds())


def note(request: HttpRequest, refusal: TooMany, name: str) -> None:
    """Have the middleware answer with this refusal, and count it in the record."""
    refused(door=_door(request), name=_kept(name), now=clock.now())
    request.axes_locked_out = True  # type: ignore[attr-defined]
    request.login_refusal = refusal  # type: ignore[attr-defined]


def refuse(request: HttpRequest, refusal: TooMany, name: str) -> NoReturn:
    note(request, refusal, name)
    raise AxesBackendPermissionDenied(refusal.detail)


def tell_wrong(request: HttpRequest, name: str) -> None:
    """Record a wrong password."""
    record("login.failed", about=_kept(name), after={"door": _door(request)})


def unlock(name: str) -> int:
    """Let the name try again at once; how many wrong passwords are forgotten."""
    forgotten = name_unlock(name)
    record("login.unlocked", about=_kept(name), after={"forgotten": forgotten})
    return forgotten


def _door(request: HttpRequest) -> str:
    """Such as token, login, admin/login; the record has room for so much."""
    return request.path.strip("/").removeprefix("api/v1/")[:20]


def _kept(name: str) -> str:
    """A name as the record keeps it: as it is when somebody has it."""
    return hashed_unless_known(name, known=User.objects.filter(username=name).exists())


def refusal_answer(
    request: HttpRequest, response: HttpResponse, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """The answer to who may not try: 429, in the API's form or as a page."""
    refusal: TooMany = getattr(request, "login_refusal", None) or TooManyWrong()
    answer: HttpResponse
    if request.path.startswith("/api/"):
        error = {"code": refusal.code, "detail": refusal.detail, "attr": None}
        answer = JsonResponse({"type": "client_error", "errors": [error]}, status=refusal.status)
    else:
        minutes = -(-refusal.retry_after // 60)
        said = {"refusal": refusal.detail, "minutes": minutes}
        answer = render(request, settings.LOGIN_REFUSED_TEMPLATE, said, status=refusal.status)
    answer["Retry-After"] = str(refusal.retry_after)
    answer["Cache-Control"] = "no-store"
    return answer
