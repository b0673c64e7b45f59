"""Who is asking, from where: read only when something is to be recorded.

A request is remembered as it comes in, which costs what setting a variable costs; its user is asked
for when a row is written, and that is after REST framework has said who it is.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest

from kernel.addresses import client_address
from kernel.following import request_id_of

LONGEST_NAME = 150


@dataclass(frozen=True)
class Who:
    """Who does what is being done. `source` is the part of the system that it came through."""

    actor: int | None = None
    name: str = ""
    address: str | None = None
    request_id: str = ""
    source: str = ""


_request: ContextVar[HttpRequest | None] = ContextVar("audited_request", default=None)
_known: ContextVar[Any] = ContextVar("audited_user", default=None)
_acting: ContextVar[Who | None] = ContextVar("audited_acting", default=None)


def request_begins(request: HttpRequest) -> Token[HttpRequest | None]:
    return _request.set(request)


def request_ends(token: Token[HttpRequest | None]) -> None:
    _request.reset(token)


@contextmanager
def acting(source: str, *, actor: int | None = None, name: str = "") -> Iterator[None]:
    """Within this block whatever is recorded was done so: by a task, or by a person at a shell."""
    token = _acting.set(Who(actor=actor, name=name, source=source))
    try:
        yield
    finally:
        _acting.reset(token)


def acting_begins(source: str) -> None:
    """As `acting`, for who can only say when it begins: the next one beats it."""
    _acting.set(Who(source=source))


@contextmanager
def known_as(user: Any) -> Iterator[None]:
    """Within this block the request's caller is this user: at a door, where nobody is logged in."""
    token = _known.set(user)
    try:
        yield
    finally:
        _known.reset(token)


def who_asks() -> Who:
    """Who said that they act; else the present request's caller; else this process's command."""
    if (said := _acting.get()) is not None:
        return said
    request, known = _request.get(), _known.get()
    who = Who(source=_process()) if request is None else who_of(request)
    return who if known is None else replace(who, actor=known.pk, name=known.get_username())


def who_of(request: HttpRequest) -> Who:
    user: Any = getattr(request, "user", None)
    known = user is not None and user.is_authenticated
    return Who(
        actor=user.pk if known else None,
        name=user.get_username()[:LONGEST_NAME] if known else "",
        address=address_of(request),
        request_id=request_id_of(request),
        source="admin" if request.path.startswith("/admin/") else "web",
    )


def address_of(request: HttpRequest) -> str | None:
    address = client_address(request)
    return None if address is None else str(address)


def _process() -> str:
    """`manage.py sync_instruments`, with who runs it."""
    command = " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:2]])
    return f"{command} as uid {os.getuid()}"[:200]
