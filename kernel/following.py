"""One request, followed through the system by its id: from nginx through whoever books and reads to
the page that shows it.

nginx gives each request an id (`X-Request-ID`) and every line that is written while the request is
answered has it, by structlog's context. What the request leaves for others to do takes it along:
Celery's messages in a header, the ledger's nudges and notices as `Followed`. Nothing is decided by
it: an id that is lost on the way is missing from a line.
"""

import re
from collections.abc import Iterable
from contextvars import Token
from typing import Any, NamedTuple
from uuid import uuid4

from django.http import HttpRequest
from structlog import contextvars

from kernel import traces
from kernel.addresses import comes_from_nginx

HEADER = "HTTP_X_REQUEST_ID"
REQUEST_ID = "request_id"
REQUEST_IDS = "request_ids"
"""The context of what is done for several requests at once."""
MOST_NAMED = 20
"""Trades and accounts of one request, and requests in one line."""
_PLAIN = re.compile(r"[0-9A-Za-z-]{1,64}").fullmatch


def request_id_of(request: HttpRequest) -> str:
    """nginx's id of the request, else one of our own: the same each time. Only nginx is believed,
    and it takes one from outside of trusted proxies only."""
    said = str(request.META.get(HEADER, ""))
    if getattr(request, "_is_id_ours", False) or (_PLAIN(said) and comes_from_nginx(request)):
        return said
    request.META[HEADER] = made = uuid4().hex
    request._is_id_ours = True  # type: ignore[attr-defined]
    return made


def begins(request_id: str) -> dict[str, Token[Any]]:
    """From here on this thread's lines have this id; what `ends` takes."""
    return dict(contextvars.bind_contextvars(**{REQUEST_ID: request_id}))


def ends(begun: dict[str, Token[Any]]) -> None:
    contextvars.reset_contextvars(**begun)


class Followed(NamedTuple):
    """A request that left something for others to do, in these accounts."""

    request_id: str
    accounts: tuple[int, ...] = ()
    trace: str = ""
    """Where its trace goes on, as W3C's `traceparent`; empty where nothing is traced."""
    trades: tuple[str, ...] = ()
    """Told by whoever booked; they do not travel."""

    def as_text(self) -> str:
        return ";".join([self.request_id, self.trace, ",".join(map(str, self.accounts))])

    @classmethod
    def of_text(cls, text: str) -> "Followed":
        request_id, trace, accounts = text.split(";")
        return cls(request_id, tuple(int(each) for each in accounts.split(",") if each), trace)

    def concerns(self, accounts: Iterable[int]) -> bool:
        return not set(accounts).isdisjoint(self.accounts)


def followed(*, accounts: Iterable[int] = (), trades: Iterable[str] = ()) -> Followed | None:
    """The present request, for those who do what is left of it; None outside of any."""
    request_id = contextvars.get_contextvars().get(REQUEST_ID)
    if request_id is None:
        return None
    named = tuple(dict.fromkeys(accounts))[:MOST_NAMED]
    return Followed(request_id, named, traces.traceparent(), tuple(trades)[:MOST_NAMED])


def ids_of(several: Iterable[Followed]) -> list[str]:
    """The ids of these requests, each once, as a line names them."""
    return list(dict.fromkeys(each.request_id for each in several))[:MOST_NAMED]


def trace_ids_of(several: Iterable[Followed]) -> dict[str, list[str]]:
    """Their traces' ids, for a line of the log; nothing where nothing is traced."""
    ids = dict.fromkeys(each.trace.split("-")[1] for each in several if each.trace)
    return {"traces": list(ids)[:MOST_NAMED]} if ids else {}


def trace_of(several: Iterable[Followed]) -> str:
    """The first trace that these requests have; empty where none has."""
    return next((each.trace for each in several if each.trace), "")


def context_of(several: Iterable[Followed]) -> dict[str, Any]:
    """The context of who works for these requests."""
    ids = ids_of(several)
    if not ids:
        return {}
    return {REQUEST_ID: ids[0]} if len(ids) == 1 else {REQUEST_IDS: ids}
