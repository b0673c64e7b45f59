"""Instruments that are priced or searched for, and the prices by hand that are active."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from kernel import prepared
from prices.hooks import instruments_needed
from prices.models import Close, Instrument, PriceOverride

_INSTRUMENTS = "SELECT id, is_active AND indices <> '{}' FROM prices_instrument"


def priced_ids(now: datetime) -> set[int]:
    """Ids of the active members of any index, and of those others that apps above ask for: what is
    held, what was traded of late. Asked each second, so nobody is asked about members: the answers
    would grow with all that is held."""
    members: set[int] = set()
    others: set[int] = set()
    for pk, is_member in prepared.rows(_INSTRUMENTS):
        (members if is_member else others).add(pk)
    return members.union(*instruments_needed(others, now)) if others else members


def priced_instruments(now: datetime) -> list[Instrument]:
    """The instruments of `priced_ids`, by ticker."""
    return list(Instrument.objects.filter(pk__in=priced_ids(now)).order_by("ticker"))


def ever_priced_instruments(now: datetime) -> list[Instrument]:
    """Instruments that are priced, and those that once were and have a close. By ticker."""
    priced = {instrument.pk for instrument in priced_instruments(now)}
    closed = Q(Exists(Close.objects.filter(instrument=OuterRef("pk"))))
    return list(Instrument.objects.filter(closed | Q(pk__in=priced)).order_by("ticker"))


def active_overrides(now: datetime, tickers: Iterable[str] | None = None) -> list[PriceOverride]:
    """The prices by hand that count now, at most one an instrument, by ticker; of these tickers or
    of all."""
    active = PriceOverride.objects.filter(ended_at=None, expires_at__gt=now)
    if tickers is not None:
        active = active.filter(instrument__ticker__in=list(tickers))
    return list(
        active.order_by("instrument__ticker", "-id")
        .distinct("instrument__ticker")
        .select_related("instrument", "user")
    )


def instruments_found(search: str) -> list[Instrument]:
    """All instruments, or those whose ticker begins with `search` or whose name contains it."""
    found = Instrument.objects.order_by("ticker")
    if search:
        found = found.filter(Q(ticker__istartswith=search) | Q(name__icontains=search))
    return list(found)
