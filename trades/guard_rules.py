"""What guards say of a trade: one place computes codes and numbers, for whatever way it comes in.

Pure. A guard measures one number of a trade; strictly more than its `warn` asks, strictly more than
its `refuse` refuses. A guard without numbers (`flips`, `no_mark`, …) that is given neither asks of
each. A trade that only reduces what is held is asked about and never refused, or a wrong trade
could not be removed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from kernel.errors import FieldError
from kernel.money import MAX_DECIMALS, AmountRefused, decimals_of, parse_plain, plain
from kernel.pnl import signed

OFF_MARK, LARGE_QUANTITY, LARGE_NOTIONAL = "off_mark", "large_quantity", "large_notional"
OF_POSITION, PROBABLE_DUPLICATE, LATE = "of_position", "probable_duplicate", "late"
FLIPS, STALE_MARK, NO_MARK = "flips", "stale_mark", "no_mark"
CODES = (
    OFF_MARK, LARGE_QUANTITY, LARGE_NOTIONAL, OF_POSITION, PROBABLE_DUPLICATE, LATE, FLIPS,
    STALE_MARK, NO_MARK,
)  # fmt: skip
PRICED = (OFF_MARK, STALE_MARK, NO_MARK)
"""Those that look at a mark."""
HOLDING = (OF_POSITION, FLIPS)
"""Those that look at what is held."""
COUNTED = (PROBABLE_DUPLICATE, LATE, FLIPS, STALE_MARK, NO_MARK)
"""Those that ask of each where no number is set: they are, or are not."""
MINUTES = 5
"""Within which the same again is a probable duplicate, where a guard does not say."""
MOST_MINUTES = 7 * 24 * 60

_ZERO, _ONE, _HUNDRED = Decimal(0), Decimal(1), Decimal(100)


class Rule(NamedTuple):
    """The numbers of one active guard."""

    warn: Decimal | None
    refuse: Decimal | None
    minutes: int | None


@dataclass(frozen=True, slots=True)
class Compared:
    """The price that a trade's is compared with. `name` says what it is."""

    price: Decimal
    name: str
    is_stale: bool = False


class Order(NamedTuple):
    """A trade as guards look at it. `held` is the position before it, with the rows of its batch
    that come before; `moved` what the position moves by, where corporate actions make that another
    number than what is traded. `late` is by how many sessions its date is before the business date;
    `again` how many the same are there already, the last of them at `last`. `compared` is None
    where there is no mark, and of a price of 0 nothing is asked: who books one said so."""

    ticker: str
    side: str
    quantity: Decimal
    price: Decimal
    held: Decimal = _ZERO
    compared: Compared | None = None
    late: int = 0
    again: int = 0
    last: datetime | None = None
    moved: Decimal | None = None

    @property
    def after(self) -> Decimal:
        return self.held + self.change

    @property
    def change(self) -> Decimal:
        return signed(self.side, self.quantity) if self.moved is None else self.moved

    @property
    def reduces(self) -> bool:
        """True if it only takes away of what is held."""
        return abs(self.after) < abs(self.held) and self.after * self.held >= 0


@dataclass(frozen=True, slots=True)
class Found:
    """What one guard said of a trade: `value` is more than `limit`."""

    code: str
    value: Decimal
    limit: Decimal
    detail: str
    attr: str | None
    refuses: bool = False

    @property
    def error(self) -> FieldError:
        return FieldError(self.code, self.detail, self.attr)

    def kept(self) -> dict[str, Any]:
        """As it stands beside the version."""
        return {
            "code": self.code,
            "value": plain(round_shown(self.value)),
            "limit": plain(self.limit),
            "detail": self.detail,
        }


def judged(order: Order, rules: Mapping[str, Rule], *, only: Iterable[str] = CODES) -> list[Found]:
    """What these guards say, in the order of `CODES`."""
    found = []
    for code in only:
        rule = rules.get(code)
        value = None if rule is None else _MEASURES[code](order)
        if rule is None or value is None:
            continue
        warn, refuse = rule.warn, rule.refuse
        if warn is None and refuse is None and code in COUNTED:
            warn = _ZERO
        if refuse is not None and value > refuse:
            found.append(_found(code, order, value, refuse, refuses=not order.reduces))
        elif warn is not None and value > warn:
            found.append(_found(code, order, value, warn))
    return found


def asked_only(found: Iterable[Found]) -> list[Found]:
    """The same, of what takes something back: asked, never refused."""
    return [replace(each, refuses=False) for each in found]


def refusals(found: Iterable[Found]) -> list[Found]:
    return [each for each in found if each.refuses]


def without_worse(now: Iterable[Found], before: Sequence[Found]) -> list[Found]:
    """What is said of new terms; where the old ones were as bad, it asks and does not refuse."""
    was = {each.code: each.value for each in before}
    return [
        replace(each, refuses=False) if each.code in was and was[each.code] >= each.value else each
        for each in now
    ]


def _found(
    code: str, order: Order, value: Decimal, limit: Decimal, *, refuses: bool = False
) -> Found:
    return Found(code, value, limit, _WORDS[code](order, value), _ATTRS.get(code), refuses)


MOST_LEVEL = Decimal(10) ** 18


def level_of(value: object) -> Decimal:
    """A number of a guard or a limit, as JSON or text: 0 or more. Raises AmountRefused."""
    text = value if isinstance(value, str) else str(value)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        text = ""
    try:
        found = parse_plain(text)
    except ValueError:
        detail = "This must be a plain decimal number, such as 12.50."
        raise AmountRefused("not_decimal", detail) from None
    if found < 0:
        raise AmountRefused("negative", "This must be 0 or more.")
    if decimals_of(found) > MAX_DECIMALS:
        raise AmountRefused("too_fine", f"This may have at most {MAX_DECIMALS} decimals.")
    if found >= MOST_LEVEL:
        raise AmountRefused("too_large", "This may have at most 18 digits before the point.")
    return found


# --- what each measures --------------------------------------------------------------------------


def _off_mark(order: Order) -> Decimal | None:
    """Percent between the price and the mark."""
    compared = order.compared
    if compared is None or not order.price or not compared.price:
        return None
    return abs(order.price - compared.price) * _HUNDRED / compared.price


def _of_position(order: Order) -> Decimal | None:
    return abs(order.change / order.held) if order.held else None


_MEASURES: dict[str, Callable[[Order], Decimal | None]] = {
    OFF_MARK: _off_mark,
    LARGE_QUANTITY: lambda order: order.quantity,
    LARGE_NOTIONAL: lambda order: order.quantity * order.price,
    OF_POSITION: _of_position,
    PROBABLE_DUPLICATE: lambda order: Decimal(order.again) if order.again else None,
    LATE: lambda order: Decimal(order.late) if order.late > 0 else None,
    FLIPS: lambda order: _ONE if order.held * order.after < 0 else None,
    STALE_MARK: lambda order: _ONE if order.compared and order.compared.is_stale else None,
    NO_MARK: lambda order: _ONE if order.compared is None else None,
}
_ATTRS = {
    OFF_MARK: "price", LARGE_QUANTITY: "quantity", LARGE_NOTIONAL: "quantity",
    OF_POSITION: "quantity", LATE: "trade_date", FLIPS: "side", STALE_MARK: "price",
    NO_MARK: "price",
}  # fmt: skip


# --- and says ------------------------------------------------------------------------------------


def _mark(order: Order) -> str:
    compared = order.compared
    return "" if compared is None else f"{compared.name}, {grouped(compared.price)}"


def _off_mark_said(order: Order, value: Decimal) -> str:
    above = order.compared is not None and order.price > order.compared.price
    where = "above" if above else "below"
    return f"The price is {shown(value)}% {where} {_mark(order)}."


def _again_said(order: Order, value: Decimal) -> str:
    same = "The same was" if order.again == 1 else f"{order.again} the same were"
    when = "" if order.last is None else f", last at {order.last:%H:%M:%S} UTC"
    return f"{same} booked already{when}."


def _late_said(order: Order, value: Decimal) -> str:
    sessions = "session" if order.late == 1 else "sessions"
    return f"The trade date is {order.late:,} {sessions} before the business date."


_WORDS: dict[str, Callable[[Order, Decimal], str]] = {
    OFF_MARK: _off_mark_said,
    LARGE_QUANTITY: lambda order, value: f"The quantity is {grouped(value)}.",
    LARGE_NOTIONAL: lambda order, value: f"The notional is ${grouped(cents(value))}.",
    OF_POSITION: lambda order, value: (
        f"This is {shown(value)} × what is held, {grouped(order.held)}."
    ),
    PROBABLE_DUPLICATE: _again_said,
    LATE: _late_said,
    FLIPS: lambda order, value: (
        f"{order.ticker} would go from {grouped(order.held)} to {grouped(order.after)}."
    ),
    STALE_MARK: lambda order, value: f"The price is compared with an old one: {_mark(order)}.",
    NO_MARK: lambda order, value: f"There is no price of {order.ticker} to compare with.",
}


# --- numbers in words ----------------------------------------------------------------------------


def round_shown(value: Decimal) -> Decimal:
    """A quotient as it is kept and shown: six decimals. What is compared is not rounded."""
    return value.quantize(Decimal("0.000001"), ROUND_HALF_UP).normalize() if value % 1 else value


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def shown(value: Decimal) -> str:
    """A ratio or a percentage for people: three decimals below 10, one below 100, else none."""
    places = "0.001" if value < 10 else "0.1" if value < _HUNDRED else "1"
    return f"{value.quantize(Decimal(places), ROUND_HALF_UP):,f}"


def grouped(value: Decimal) -> str:
    """With thousands separators, and no zeros that say nothing beyond cents."""
    text = f"{value:,f}"
    if "." in text:
        whole, part = text.split(".")
        part = part.rstrip("0")
        text = f"{whole}.{part:0<2}" if part else whole
    return text
