"""Splits and dividends that the price source tells of, as suggestions to people.

A source applies splits late, twice, or loses them: nothing that it says is ever applied by itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.conf import settings

from prices.models import ActionEvent, ActionKind, ActionStatus, CorporateAction
from prices.sources import SourceEvent

# Splits are of small numbers: 3:2 is told as 1.5, and 1:8 as 0.125.
_LARGEST = 1_000
_LIKE = {
    ActionEvent.Kind.SPLIT: (
        ActionKind.SPLIT, ActionKind.REVERSE_SPLIT, ActionKind.STOCK_DIVIDEND,
        ActionKind.SPIN_OFF,
    ),
    ActionEvent.Kind.DIVIDEND: (ActionKind.CASH_DIVIDEND, ActionKind.RETURN_OF_CAPITAL),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The terms that an event would have as an action."""

    ticker: str
    kind: str
    ex_date: date
    keep_new: Decimal
    keep_old: Decimal
    cash: Decimal
    source: str


def events_keep(source: str, events: Iterable[SourceEvent], ids: Mapping[str, int]) -> None:
    """Keep what a source told of; what it says otherwise of the same day replaces it."""
    found = [
        ActionEvent(
            source=source, instrument_id=ids[event.ticker], ex_date=event.ex_date,
            kind=event.kind, value=event.value,
        )
        for event in events
        if event.ticker in ids and event.value > 0
    ]  # fmt: skip
    ActionEvent.objects.bulk_create(
        found,
        update_conflicts=True,
        unique_fields=["instrument", "ex_date", "kind", "source"],
        update_fields=["value"],
    )


def suggestions() -> list[Suggestion]:
    """Events of the current source that no action of the same instrument and day answers, whether
    it is proposed or counts; the last first."""
    answered = {
        (action.instrument_id, action.ex_date, action.kind)
        for action in CorporateAction.objects.exclude(status=ActionStatus.CANCELLED)
    }
    events = ActionEvent.objects.filter(source=settings.PRICE_SOURCE).select_related("instrument")
    return [
        _suggestion(event)
        for event in events.order_by("-ex_date", "instrument__ticker", "kind")
        if not any(
            (event.instrument_id, event.ex_date, kind) in answered
            for kind in _LIKE[ActionEvent.Kind(event.kind)]
        )
    ]


def _suggestion(event: ActionEvent) -> Suggestion:
    ticker, source = event.instrument.ticker, event.source
    if event.kind == ActionEvent.Kind.DIVIDEND:
        one = Decimal(1)
        return Suggestion(
            ticker, ActionKind.CASH_DIVIDEND, event.ex_date, one, one, event.value, source
        )
    ratio = Fraction(event.value).limit_denominator(_LARGEST)
    kind = ActionKind.SPLIT if ratio > 1 else ActionKind.REVERSE_SPLIT
    new, old = Decimal(ratio.numerator), Decimal(ratio.denominator)
    return Suggestion(ticker, kind, event.ex_date, new, old, Decimal(0), source)
