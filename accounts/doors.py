"""The doors that ask for a password or for a code: whatever calls `authenticate` is one.

A try is counted before anything is looked at, and says afterwards what came of it. django-axes'
middleware turns a refusal into the answer that is made here, whatever form or view asked.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from axes.exceptions import AxesBackendPermissionDenied
from axes.handlers.base import AxesHandler
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.addresses import counted_address
from accounts.attempts import (
    attempt_begin,
    attempt_take_back,
    attempt_was_right,
    name_unlock,
)
from audit.recording import hashed_unless_known, record, refused
from kernel import clock
from kernel.errors import TooMany


class TooManyWrong(TooMany):
    code = "too_many_wrong_passwords"
    detail = "Too many wrong passwords. Try again later."


class DoorHandler(AxesHandler):
    """Who may try, and what came of it, is said by `Try`."""

    def reset_attempts(
        self,
        *,
        ip_address: str | None = None,
        username: str | None = None,
        ip_or_username: bool = False,
    ) -> int:
        return unlock(username) if username else 0


@dataclass(frozen=True)
class Try:
    """A password or a code that somebody sends as this name: counted as a wrong one until it is
    said to be none."""

    request: HttpRequest
    name: str
    address: str
    attempt: int

    def was_wrong(self, **more: str) -> None:
        """It stays counted, and is recorded; `more` says what was wrong, if not the password."""
        record("login.failed", about=_kept(self.name), after={"door": _door(self.request), **more})

    def was_right(self) -> None:
        """The name is let in, and known to log in from this address."""
        now = clock.now()
        attempt_was_right(self.attempt, name=self.name, address=self.address, now=now)

    def take_back(self) -> None:
        """Nobody looked at it, or it was right and something more is asked for."""
        attempt_take_back(self.attempt)


def try_begin(request: HttpRequest, name: str) -> Try:
    """Raises PermissionDenied, and has the middleware answer, when there were too many."""
    address = counted_address(request)
    begun = attempt_begin(name=name, address=address, path=request.path, now=clock.now())
    if isinstance(begun, timedelta):
        refuse(request, TooManyWrong(retry_after=begun.total_seconds()), name)
    return Try(request, name, address, begun)


def refuse(request: HttpRequest, refusal: TooMany, name: str) -> NoReturn:
    """Count the refusal in the record, and have the middleware answer with it."""
    refused(door=_door(request), name=_kept(name), now=clock.now())
    request.axes_locked_out = True  # type: ignore[attr-defined]
    request.login_refusal = refusal  # type: ignore[attr-defined]
    raise AxesBackendPermissionDenied(refusal.detail)


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
    # REST framework imports what logs in with tokens, which stands on this module.
    from kernel.api.errors import error_answer

    refusal: TooMany = getattr(request, "login_refusal", None) or TooManyWrong()
    answer: HttpResponse
    if request.path.startswith("/api/"):
        answer = error_answer(refusal)
    else:
        minutes = -(-refusal.retry_after // 60)
        said = {"refusal": refusal.detail, "minutes": minutes}
        answer = render(request, settings.LOGIN_REFUSED_TEMPLATE, said, status=refusal.status)
        answer["Retry-After"] = str(refusal.retry_after)
    answer["Cache-Control"] = "no-store"
    return answer
