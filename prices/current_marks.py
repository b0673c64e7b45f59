"""The marks of the business date in the terms that corporate actions give the shares."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from prices.actions.read import actions_at
from prices.marks import Mark, marks_as_traded, marks_of_these_terms
from prices.references import references_on
from prices.sessions import sessions


def marks(now: datetime, instruments: Iterable[int] | None = None) -> list[Mark]:
    """The marks of the business date, by ticker, instruments without any price included. The
    previous close is the reference, and so is a mark that stands for it; overrides of before an
    ex-date have ended. One statement, and more on ex-dates alone."""
    found, last = marks_as_traded(now, instruments)
    actions = actions_at(last)
    if not actions:
        return found
    known = sessions()
    today = known.business_date(now)
    references = references_on(today, actions, known, now)
    changed = {pk for _, pk in references} & {mark.instrument_id for mark in found}
    if not changed:
        return found
    again = {
        mark.instrument_id: _referred(mark, references[today, mark.instrument_id])
        for mark in marks_of_these_terms(now, changed)
    }
    return [again.get(mark.instrument_id, mark) for mark in found]


def _referred(mark: Mark, reference: Decimal | None) -> Mark:
    stands_for_it = mark.mark_source == "previous_close"
    return replace(mark, previous_close=reference, mark=reference if stands_for_it else mark.mark)
