"""P&L of one key on one session, exact. No Django, no prices looked up: numbers in, numbers out.

trade P&L    = Σ (reference − trade price) × signed quantity = reference × q − notional
position P&L = (mark − reference) × closing quantity
action P&L   = cash + reference × held after − previous close as traded × held before
total P&L    = trade P&L + position P&L + action P&L, gross of fees
net P&L      = total P&L − fees

The reference is the previous close, in the terms of the session where a corporate action changes
them (`kernel.actions`); held before and after are what it finds and leaves, before any trade of the
session. (The reference system's definitions.) Each formula stands here in Python and in SQL; a
property test holds the two together. A figure that needs no price (nothing traded, nothing held) is
there without one, and one that lacks a price is None, null in SQL.
"""

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Generic, TypeVar

ZERO = Decimal(0)

Amount = TypeVar("Amount", Decimal, Decimal | None)


@dataclass(frozen=True, slots=True)
class Figures(Generic[Amount]):
    """The amounts that P&L is made of, of one key on one session or summed over keys, in the
    instrument's currency. One is None where a needed price is missing; sums are of what is known.
    `fees` need no price: they are those of the session's trades, paid > 0.

    The fields are what statements compute, add up and store, always in this order (`AMOUNTS`). A
    property is derived from them.
    """

    trade_pnl: Amount
    position_pnl: Amount
    action_pnl: Amount
    fees: Decimal

    @property
    def total_pnl(self) -> Amount:
        if self.trade_pnl is None or self.position_pnl is None or self.action_pnl is None:
            return None
        return self.trade_pnl + self.position_pnl + self.action_pnl

    @property
    def net_pnl(self) -> Amount:
        total = self.total_pnl
        return None if total is None else total - self.fees


AMOUNTS = tuple(field.name for field in fields(Figures))

# What users see of figures, in this order, and what it is called.
SHOWN = {
    "trade_pnl": "trade P&L",
    "position_pnl": "position P&L",
    "action_pnl": "action P&L",
    "total_pnl": "total P&L",
    "fees": "fees",
    "net_pnl": "net P&L",
}
PARTS = ("trade_pnl", "position_pnl", "action_pnl")
"""What the total is the sum of."""


@dataclass(frozen=True, slots=True)
class ActedSql:
    """What corporate actions did to a key on a session, as SQL: what it moved by, the cash, the
    fraction not paid yet, and the previous close as traded."""

    moved: str
    cash: str
    unpaid: str
    as_traded: str


def shown_sql(row: str) -> dict[str, str]:
    """Each of `SHOWN` in SQL, of the row of this name, which has `AMOUNTS`."""
    known = {name: f"{row}.{name}" for name in AMOUNTS}
    total = " + ".join(known[name] for name in PARTS)
    fees = known.pop("fees")
    return {**known, "total_pnl": total, "fees": fees, "net_pnl": f"{total} - {fees}"}


def figures_sql(
    *,
    traded: str,
    held: str,
    gain: str,
    reference: str,
    priced: bool = False,
    acted: ActedSql | None = None,
) -> dict[str, str]:
    """Each of `AMOUNTS` in SQL, of one key on one session. `traded` names the row with the sums of
    the session's trades, `held` is the closing quantity, `gain` = mark − reference. `priced`: there
    are a mark and a reference in every row. `acted`: None where no action is looked at."""
    return {
        "trade_pnl": traded_pnl_sql(
            reference, f"{traded}.quantity", f"{traded}.notional", priced=priced
        ),
        "position_pnl": f"{gain} * {held}" if priced else value_sql(held, gain),
        "action_pnl": (
            "0::numeric"
            if acted is None
            else action_pnl_sql(acted, reference, f"({held} - {traded}.quantity)")
        ),
        "fees": f"{traded}.fees",
    }


def signed(side: str, quantity: Decimal) -> Decimal:
    """Quantity with the sign of its side: bought is positive."""
    return quantity if side == "buy" else -quantity


def traded_pnl(reference: Decimal | None, quantity: Decimal, notional: Decimal) -> Decimal | None:
    """The gain of trades of this signed quantity and notional against a reference price."""
    if quantity == 0:
        return -notional
    return None if reference is None else reference * quantity - notional


def traded_pnl_sql(reference: str, quantity: str, notional: str, *, priced: bool = False) -> str:
    """`traded_pnl` in SQL. `priced`: the reference is there in every row."""
    gained = f"{reference} * {quantity} - {notional}"
    return gained if priced else f"CASE WHEN {quantity} = 0 THEN -{notional} ELSE {gained} END"


def trade_pnl(previous_close: Decimal, price: Decimal, signed_quantity: Decimal) -> Decimal:
    """The gain of one trade against the previous close."""
    return previous_close * signed_quantity - price * signed_quantity


def value(quantity: Decimal, price: Decimal | None) -> Decimal | None:
    """Quantity × price. A flat position has value 0, even without a price."""
    if quantity == 0:
        return ZERO
    return None if price is None else quantity * price


def value_sql(quantity: str, price: str) -> str:
    """`value` in SQL."""
    return f"CASE WHEN {quantity} = 0 THEN 0 ELSE {quantity} * {price} END"


@dataclass(frozen=True, slots=True)
class Acted:
    """What corporate actions did to a key on a session: what it moved by, the cash, the fraction
    that is paid at the reference for now, and the reference, None where a price is missing or
    nothing is left."""

    moved: Decimal = ZERO
    cash: Decimal = ZERO
    unpaid: Decimal = ZERO
    reference: Decimal | None = None


def action_pnl(
    acted: Acted, reference: Decimal | None, after: Decimal, as_traded: Decimal | None
) -> Decimal | None:
    """The gain of what actions did. `after` is held after them, before any trade. Where they change
    neither quantity nor reference no price is needed: the cash is all."""
    if acted.moved == 0 and acted.unpaid == 0 and reference == as_traded:
        return acted.cash
    worth = value(after + acted.unpaid, reference)
    was_worth = value(after - acted.moved, as_traded)
    return None if worth is None or was_worth is None else worth - was_worth + acted.cash


def action_pnl_sql(acted: ActedSql, reference: str, after: str) -> str:
    """`action_pnl` in SQL."""
    worth = value_sql(f"({after} + {acted.unpaid})", reference)
    was_worth = value_sql(f"({after} - {acted.moved})", acted.as_traded)
    return (
        f"CASE WHEN {acted.moved} = 0 AND {acted.unpaid} = 0"
        f" AND {reference} IS NOT DISTINCT FROM {acted.as_traded} THEN {acted.cash}"
        f" ELSE ({worth}) - ({was_worth}) + {acted.cash} END"
    )


def session_pnl(
    *,
    closing_quantity: Decimal,
    traded_quantity: Decimal,
    traded_notional: Decimal,
    previous_close: Decimal | None,
    mark: Decimal | None,
    acted: Acted | None = None,
    fees: Decimal = ZERO,
) -> Figures[Decimal | None]:
    """P&L of a session from what was traded in it (signed), what is held at its end, and what
    actions did; `previous_close` is as traded.

    Without a reference and with nothing held before, the mark stands in for it.
    """
    after = closing_quantity - traded_quantity
    reference = previous_close if acted is None else acted.reference
    acted = acted or Acted()
    if reference is None and after - acted.moved == 0:
        reference = mark
    if mark is None:
        mark = reference
    gain = None if reference is None or mark is None else mark - reference
    return Figures(
        traded_pnl(reference, traded_quantity, traded_notional),
        value(closing_quantity, gain),
        action_pnl(acted, reference, after, previous_close),
        fees,
    )
