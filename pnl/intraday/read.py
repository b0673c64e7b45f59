"""Points of the intraday series."""

from collections.abc import Iterable, Sequence
from datetime import date

from django.db.models import Q
from django.db.models.functions import Collate

from pnl.models import AccountPnl


def intraday_points(
    *,
    accounts: Iterable[int],
    session: date,
    limit: int,
    after: tuple[str, str] | None = None,
    before: tuple[str, str] | None = None,
) -> Sequence[AccountPnl]:
    """At most `limit` points of a session by account code and time: the first ones, those after
    (code, time in ISO 8601), or the last ones before it."""
    points = (
        AccountPnl.objects.filter(account__in=list(accounts), session=session)
        .select_related("account")
        .annotate(code=Collate("account__code", "C"))
    )
    if after is not None:
        points = points.filter(Q(code__gt=after[0]) | Q(code=after[0], at__gt=after[1]))
        return list(points.order_by("code", "at")[:limit])
    if before is not None:
        points = points.filter(Q(code__lt=before[0]) | Q(code=before[0], at__lt=before[1]))
        return list(points.order_by("-code", "-at")[:limit])[::-1]
    return list(points.order_by("code", "at")[:limit])
