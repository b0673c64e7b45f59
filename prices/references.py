"""References of sessions: previous closes in the terms that corporate actions give the shares.

The formula is `kernel.actions.references`; here are the closes and marks that it takes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from kernel import prepared
from kernel.actions import Action, references, related
from prices.actions.read import actions_counting
from prices.closes.effective_close import source_params
from prices.closes.read import SessionClose
from prices.marks import marks_as_traded
from prices.sessions import Sessions

Key = tuple[int, date]
"""Instrument id and session."""


def references_of(
    actions: Iterable[Action], *, known: Sessions, now: datetime
) -> dict[tuple[date, int], Decimal | None]:
    """By ex-date and instrument, the references at which those of these actions pay fractions for
    which no price is known; every action of the day counts for them."""
    every = list(actions)
    days = {
        action.ex_date
        for action in every
        if any(i not in action.in_lieu for i in action.instruments) and action.changes_shares
    }
    return references_by_session(
        {day: [action for action in every if action.ex_date == day] for day in days},
        known=known,
        now=now,
    )


def references_on(
    day: date, actions: Sequence[Action], known: Sessions, now: datetime
) -> dict[tuple[date, int], Decimal | None]:
    """By session, which is that day, and instrument, the references that those of these actions
    which act on it make, where they are not the previous closes."""
    return references_by_session({day: acting_on(day, actions, known)}, known=known, now=now)


def acting_on(day: date, actions: Iterable[Action], known: Sessions) -> list[Action]:
    """Those that act on a session."""
    previous = known.previous_session(day)
    return [action for action in actions if previous < action.ex_date <= day]


def references_by_session(
    by_session: Mapping[date, Sequence[Action]], *, known: Sessions, now: datetime
) -> dict[tuple[date, int], Decimal | None]:
    """By session and instrument, the references that these sessions' actions make, where they are
    not the previous closes."""
    changed = {
        day: {a.instrument for a in actions if a.changes_shares}
        | {leg.instrument for a in actions for leg in a.legs}
        for day, actions in by_session.items()
    }
    if not any(changed.values()):
        return {}
    wanted = {i for day, found in changed.items() for i in related(found, by_session[day])}
    days = {day for day, found in changed.items() if found}
    closes = _closes(wanted, {*days, *(known.previous_session(day) for day in days)})
    found: dict[tuple[date, int], Decimal | None] = {}
    for day in sorted(days):
        actions = by_session[day]
        previous = {i: closes.get((known.previous_session(day), i)) for i in wanted}
        lacking = {leg.instrument for a in actions for leg in a.legs} - {
            i for i, close in previous.items() if close is not None
        }
        now_marks = _marks(lacking, day, closes, known, now)
        of_day = references(actions, previous, now_marks)
        found.update({(day, i): of_day.get(i) for i in changed[day]})
    return found


def _marks(
    instruments: set[int],
    day: date,
    closes: Mapping[tuple[date, int], Decimal],
    known: Sessions,
    now: datetime,
) -> dict[int, Decimal | None]:
    if not instruments:
        return {}
    if day == known.business_date(now):
        return {mark.instrument_id: mark.mark for mark in marks_as_traded(now, instruments)[0]}
    return {instrument: closes.get((day, instrument)) for instrument in instruments}


REFERENCES = """
    SELECT * FROM unnest(%(ref_sessions)s::date[], %(ref_instruments)s::bigint[],
                         %(ref_prices)s::numeric[]) AS r (session, instrument_id, reference)
"""


def reference_params(references: Mapping[tuple[date, int], Decimal | None]) -> dict[str, Any]:
    """The parameters of `REFERENCES`, by session and instrument."""
    keys = sorted(references)
    return {
        "ref_sessions": [day for day, _ in keys],
        "ref_instruments": [instrument for _, instrument in keys],
        "ref_prices": [references[key] for key in keys],
    }


_SAME_COLUMNS = (
    "mark_source", "mark_as_of", "price_source", "stale", "previous_carried", "mark_carried",
    "previous_doubtful", "mark_doubtful",
)  # fmt: skip


def with_references(marks_body: str, *, by_session: bool = False) -> str:
    """A query of marks (prices.marks, prices.session_marks) with `previous_close` in the terms of
    the session, `as_traded` beside it; a mark that is the previous close follows."""
    session = "p.session, " if by_session else ""
    and_session = " AND r.session = p.session" if by_session else ""
    return f"""
    SELECT {session}p.instrument_id,
           CASE WHEN r.instrument_id IS NULL THEN p.previous_close ELSE r.reference END
               AS previous_close,
           p.previous_close AS as_traded,
           CASE WHEN r.instrument_id IS NOT NULL AND p.mark_source = 'previous_close'
                THEN r.reference ELSE p.mark END AS mark,
           {", ".join(f"p.{name}" for name in _SAME_COLUMNS)}
      FROM ({marks_body}) p
      LEFT JOIN ({REFERENCES}) r ON r.instrument_id = p.instrument_id{and_session}
    """


_CLOSES = """
    SELECT session, instrument_id, close
      FROM eqtrade_effective_closes(%(days)s::date[], %(source)s)
     WHERE instrument_id = ANY(%(ids)s::bigint[])
"""


def _closes(instruments: set[int], days: set[date]) -> dict[tuple[date, int], Decimal]:
    rows = prepared.rows(
        _CLOSES, {"ids": sorted(instruments), "days": sorted(days), **source_params()}
    )
    return {(day, instrument): close for day, instrument, close in rows}


def opening_closes(
    closes: Mapping[Key, SessionClose | None],
    *,
    known: Sessions,
    now: datetime,
    actions: Sequence[Action] | None = None,
) -> dict[Key, SessionClose | None]:
    """Previous closes, by instrument id and the session that they open, in the terms of that
    session: the same ones where no action changes them. `actions`: those that count, where the
    caller knows; else it takes one look at a small index."""
    if actions is None:
        actions = actions_counting()
    found = dict(closes)
    if not actions:
        return found
    by_session = {
        day: of_day
        for day in {day for _, day in closes}
        if (of_day := acting_on(day, actions, known))
    }
    changed = references_by_session(by_session, known=known, now=now)
    for (day, instrument), price in changed.items():
        if (instrument, day) in found:
            close = found[instrument, day]
            if price is None:
                found[instrument, day] = None
            elif close is None:
                found[instrument, day] = SessionClose(price, "reference")
            else:
                found[instrument, day] = replace(close, close=price)
    return found
