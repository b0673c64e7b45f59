"""The closes that sessions begin from, as actions need them."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.conf import settings

from kernel import prepared
from prices.sessions import sessions

_CLOSES = """
    SELECT instrument_id, close FROM eqtrade_effective_closes(%(days)s::date[], %(source)s)
     WHERE instrument_id = ANY(%(ids)s::bigint[])
"""


def closes_before(instruments: Iterable[int], day: date) -> dict[int, Decimal | None]:
    """The effective close of the session before that day, as traded, by instrument; None where
    there is none."""
    wanted = sorted(set(instruments))
    params = {
        "ids": wanted,
        "days": [sessions().previous_session(day)],
        "source": settings.PRICE_SOURCE,
    }
    found: dict[int, Decimal | None] = dict.fromkeys(wanted)
    found.update(prepared.rows(_CLOSES, params))
    return found
