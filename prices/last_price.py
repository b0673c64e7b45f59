"""The last prices of an instrument, whatever the hour: what a price set by a person is compared
with."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from kernel import prepared
from kernel.clock import new_york
from kernel.errors import FieldError
from prices.actions.carried import in_terms_of
from prices.actions.read import actions_counting
from prices.models import MANUAL
from prices.plausible import far_from, is_far_off, said

# A close is of its session's end: a quote of that day is the older one.
_LAST = """
    SELECT i.id, q.price, c.close, (q.as_of AT TIME ZONE 'America/New_York')::date, c.session,
           (q.as_of AT TIME ZONE 'America/New_York')::date <= c.session AS is_closed
      FROM unnest(%(ids)s::bigint[]) AS i (id)
      LEFT JOIN LATERAL (
        SELECT price, as_of FROM prices_quote
         WHERE instrument_id = i.id AND source IN (%(manual)s, %(source)s)
         ORDER BY as_of DESC LIMIT 1
      ) q ON true
      LEFT JOIN LATERAL eqtrade_effective_close_before(i.id, %(before)s::date, %(source)s) c ON true
"""


def last_prices(instruments: Iterable[int], now: datetime) -> dict[int, list[Decimal]]:
    """The last quote and the last close by instrument id, the newer first; what there is of them,
    in the terms of the day.
    Overrides are not looked at: they are what people said before."""
    params = {
        "ids": sorted(set(instruments)),
        "source": settings.PRICE_SOURCE,
        "manual": MANUAL,
        "before": new_york(now).date() + timedelta(days=1),
    }
    found = {}
    today, actions = new_york(now).date(), actions_counting()
    for pk, *prices, quoted_on, closed_on, is_closed in prepared.rows(_LAST, params):
        quote, close = (
            None if price is None else in_terms_of(price, pk, of, today, actions)
            for price, of in zip(prices, (quoted_on, closed_on), strict=True)
        )
        both = (close, quote) if is_closed else (quote, close)
        found[pk] = [price for price in both if price is not None]
    return found


def far_off(price: Decimal, last: Sequence[Decimal], attr: str = "price") -> list[FieldError]:
    """The doubt that a price is too far from the last ones, if it is far from each of them."""
    if not last or not all(is_far_off(price, each) for each in last):
        return []
    detail = f"{far_from(price, last[0])} the last price, {said(last[0])}."
    return [FieldError("far_off", detail, attr)]
