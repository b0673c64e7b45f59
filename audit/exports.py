"""Files that people take away: each is recorded, and a user has so many a day."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest

from audit.context import who_asks
from audit.recording import record
from audit.selectors import exported_before
from kernel import clock
from kernel.errors import TooMany

_DAY = timedelta(days=1)


class TooManyExports(TooMany):
    code = "export_quota"
    detail = "You took away as many files as one user may in 24 hours."


def exported(what: str, kind: str, request: HttpRequest) -> None:
    """Record that a list is taken away as a file, and which part of it was asked for. Raises
    TooManyExports instead when they took too many; the record itself is what is counted."""
    now, who = clock.now(), who_asks()
    if who.actor is not None:
        first = exported_before(who.actor, since=now - _DAY, count=settings.EXPORTS_PER_DAY)
        if first is not None:
            raise TooManyExports(retry_after=(first + _DAY - now).total_seconds())
    record("export", about=what, after={"format": kind, "query": request.GET.urlencode()[:2000]})
