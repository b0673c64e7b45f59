"""The effective close of an instrument and session: one place decides, for SQL and the ORM alike.

Prices of different sources never mix. One loaded or entered by hand counts, else the current
source's, else one that was carried because the current source had none. Of the same source the one
recorded last counts. The rule itself is the body of two functions in the database (migration
prices.0012), which the planner puts in the place of their calls:

    eqtrade_effective_closes(days date[], price_source text)
    eqtrade_effective_close_before(instrument bigint, day date, price_source text)

Both have the columns id, instrument_id, session, close and source, and whoever calls them passes
`%(source)s` from `source_params`. A condition on instrument_id is best put around the call, where
the planner takes it inside.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from prices.models import Close
from prices.sessions.calendar import FIRST_DAY, LAST_DAY


def source_params() -> dict[str, Any]:
    """The parameter of the two functions."""
    return {"source": settings.PRICE_SOURCE}


def effective_closes(instruments: Iterable[int], first: date, last: date) -> QuerySet[Close]:
    """The effective close of each instrument and session that has one, by session and ticker. Both
    ends are inclusive."""
    first, last = max(first, FIRST_DAY), min(last, LAST_DAY)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    ids = RawSQL(
        "SELECT id FROM eqtrade_effective_closes(%s::date[], %s)"
        " WHERE instrument_id = ANY(%s::bigint[])",
        [days, settings.PRICE_SOURCE, list(instruments)],
    )
    found = Close.objects.filter(pk__in=ids).select_related("instrument")
    return found.order_by("session", "instrument__ticker")
