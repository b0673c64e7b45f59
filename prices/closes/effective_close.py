"""Which closes count: one place that decides, for every query of every app.

Prices of different sources never mix. One loaded or entered by hand counts, else the current
source's, else one that was carried because the current source had none. Of the same source the one
recorded last counts.

A query of `prices_close` has `COUNTING` among its conditions and `BEST_FIRST` at the end of its
order, and passes `source_params`.
"""

from typing import Any

from django.conf import settings

from prices.models import CARRIED, MANUAL

COUNTING = "source = ANY(%(sources)s) AND carried_for IN ('', %(source)s)"
BEST_FIRST = "array_position(%(sources)s, source::text), recorded_at DESC, id DESC"


def price_sources() -> list[str]:
    """The sources whose prices count now, best first."""
    return [MANUAL, settings.PRICE_SOURCE, CARRIED]


def source_params() -> dict[str, Any]:
    """The parameters of `COUNTING` and `BEST_FIRST`."""
    return {"sources": price_sources(), "source": settings.PRICE_SOURCE}
