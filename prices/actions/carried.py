"""A close that is carried over an ex-date is the reference: it is of the share as it is now."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from kernel.actions import Action, references
from prices.actions.read import actions_counting

Close = tuple[int, Decimal, date]
"""Instrument id, close, and its session."""


def carried_over(found: Iterable[Close], session: date) -> list[tuple[int, Decimal]]:
    """These closes, instrument id and price, as carried to a session. One without a reference, as
    its shares have ended, or a price that is lacking, is left out."""
    actions = actions_counting()
    carried = [
        (instrument, in_terms_of(close, instrument, of, session, actions))
        for instrument, close, of in found
    ]
    return [(instrument, price) for instrument, price in carried if price is not None and price > 0]


def in_terms_of(
    close: Decimal, instrument: int, of: date, session: date, actions: Sequence[Action]
) -> Decimal | None:
    """A price of one day in the terms of a later one. None where they cannot be told: nothing is
    left of the share, or another is split off, whose price is not looked up here."""
    mine = [a for a in actions if a.instrument == instrument and of < a.ex_date <= session]
    return references(mine, {instrument: close}, {}).get(instrument) if mine else close
