"""Prices that are held back, and those that nearly were."""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from prices.models import CloseDoubt
from prices.plausible import far_from
from prices.plausible import said as price_said

State = CloseDoubt.State
# What needs nobody any more is shown for so long.
RECENT = timedelta(days=14)


def doubts_found(
    *, states: Iterable[str] | None = None, tickers: Iterable[str] | None = None
) -> QuerySet[CloseDoubt]:
    """The doubts of these states and tickers, of any if not given, newest first."""
    found = CloseDoubt.objects.select_related("instrument", "decided_by").order_by("-id")
    if states is not None:
        found = found.filter(state__in=list(states))
    if tickers is not None:
        found = found.filter(instrument__ticker__in=list(tickers))
    return found


def doubts_page(
    found: QuerySet[CloseDoubt], *, size: int, after: int | None, before: int | None
) -> list[CloseDoubt]:
    """A page of `doubts_found` and one row more: behind the doubt of the id `after`, or up to that
    of `before`. They are never deleted, so that no list of them is read whole."""
    if before is not None and after is None:
        later = found.filter(pk__gt=before).order_by("id")
        return list(later[: size + 1])[::-1]
    if after is not None:
        found = found.filter(pk__lt=after)
    return list(found[: size + 1])


def doubts_held() -> list[CloseDoubt]:
    """Prices that wait for a person, of the current source, oldest first."""
    held = Q(state=State.HELD, source=settings.PRICE_SOURCE)
    return list(CloseDoubt.objects.filter(held).select_related("instrument").order_by("id"))


def said(doubt: CloseDoubt) -> str:
    """One doubt in words."""
    what = {
        CloseDoubt.Kind.REWRITTEN: "what was recorded",
        CloseDoubt.Kind.MOVED: "the close before",
        CloseDoubt.Kind.QUOTE: "the last price",
    }[CloseDoubt.Kind(doubt.kind)]
    return (
        f"{doubt.instrument.ticker} {doubt.session}:"
        f" {far_from(doubt.price, doubt.compared_with)} {what}, {price_said(doubt.compared_with)}"
    )
