"""Restatements that wait, for people on duty."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min

from pnl.models import RestateRequest

LATE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Restates:
    """Requests that wait to be done, and the age of the oldest in seconds."""

    waiting: int
    oldest_seconds: float

    @property
    def is_late(self) -> bool:
        return self.oldest_seconds > LATE_AFTER.total_seconds()


def restates(now: datetime) -> Restates:
    found = RestateRequest.objects.aggregate(waiting=Count("id"), oldest=Min("requested_at"))
    oldest = found["oldest"]
    seconds = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
    return Restates(found["waiting"], seconds)
