"""Plausibility of a price beside another one. Arithmetic of two prices alone.

Each limit is a share of the older price. 20% up and down are not each other's mirror: from 100, 120
and 80 are both as far as that.
"""

from collections.abc import Iterator
from decimal import Decimal

# A source that says something else of a session than before, by so much, rewrites its history.
REWRITTEN_BY = Decimal("0.2")
# So close to a split's ratio counts as that split, also where it moves less than that: 5:4 does.
SPLIT_WITHIN = Decimal("0.005")
# A session's close that moved so far from the one before needs its own quotes to bear it out.
MOVED_BY = Decimal("0.2")
BORNE_OUT_WITHIN = Decimal("0.05")
# A quote, and a price that a person sets, that is further than this from the last.
FAR_OFF_BY = Decimal("0.5")
# A price so near one that was held back or refused is the same again: closes still move a little.
SAME_WITHIN = Decimal("0.005")

_FRACTIONS = ((3, 2), (4, 3), (5, 2), (5, 3), (5, 4))
_MOST = 50


def _splits() -> Iterator[tuple[int, int]]:
    """New shares for old ones, the usual first; each also the other way round."""
    for new, old in (*((n, 1) for n in range(2, _MOST + 1)), *_FRACTIONS):
        yield new, old
        yield old, new


def moved(price: Decimal, before: Decimal) -> Decimal:
    """The distance of the price from the one before, as a share of that."""
    return abs(price - before) / before


def split_like(price: Decimal, before: Decimal) -> str | None:
    """The split that would explain the difference, as `10:1` (new shares for old), if any would."""
    for new, old in _splits():
        if moved(price * new / old, before) <= SPLIT_WITHIN:
            return f"{new}:{old}"
    return None


def is_rewritten(price: Decimal, recorded: Decimal) -> bool:
    """True if a further answer for a session is another history rather than a correction."""
    return moved(price, recorded) >= REWRITTEN_BY or split_like(price, recorded) is not None


def is_jump(close: Decimal, before: Decimal) -> bool:
    """True if a session's close needs to be borne out, the close before being this."""
    return moved(close, before) >= MOVED_BY


def is_borne_out(close: Decimal, last_quote: Decimal | None) -> bool:
    """True if the session's own last quote says the same."""
    return last_quote is not None and moved(last_quote, close) <= BORNE_OUT_WITHIN


def is_far_off(price: Decimal, last: Decimal) -> bool:
    """True if a quote, or a price set by hand, is too far from the last to be taken as it is."""
    return moved(price, last) > FAR_OFF_BY


def far_off_sql(price: str, last: str) -> str:
    """`is_far_off` in SQL; null where there is no last price."""
    return f"abs({price} - {last}) > {last} * {FAR_OFF_BY}"


def same_sql(price: str, other: str) -> str:
    """`is_same` in SQL."""
    return f"abs({price} - {other}) <= {other} * {SAME_WITHIN}"


def is_same(price: Decimal, other: Decimal) -> bool:
    """True if this is the other price again, give or take what closes still move."""
    return moved(price, other) <= SAME_WITHIN


def said(price: Decimal) -> str:
    """A price as people write it, without trailing zeros beyond the cents."""
    return f"{price:f}" if price.as_tuple().exponent == -2 else f"{price.normalize():f}"


def far_from(price: Decimal, other: Decimal) -> str:
    """The distance of a price from another one, in words: `120 is 90% below (as after a 10:1
    split)`."""
    split = split_like(price, other)
    like = f" (as after a {split} split)" if split else ""
    if price >= 3 * other:
        return f"{said(price)} is {price / other:,.0f} times{like}"
    return (
        f"{said(price)} is {moved(price, other):.0%} {'above' if price > other else 'below'}{like}"
    )
