"""What a user may be alerted of, and when an alert fires. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from kernel.money import MAX_DECIMALS, AmountRefused, decimals_of, number_of

ACCOUNT_PNL, PRICE, POSITION = "account_pnl", "price", "position"
STALE, OTHERS_TRADES = "stale", "others_trades"
ABOVE, BELOW = "above", "below"
WAYS = (ABOVE, BELOW)
MOST_MINUTES = 600
MOST_LEVEL = Decimal(10) ** 18


@dataclass(frozen=True)
class Shape:
    """What an alert of a kind is of: 'account', 'ticker', 'both' or 'either', and whether it is
    compared with a level, either way."""

    of: str
    has_way: bool = True
    has_level: bool = True

    @property
    def may_have_account(self) -> bool:
        return self.of != "ticker"

    @property
    def may_have_ticker(self) -> bool:
        return self.of != "account"


KINDS = {
    ACCOUNT_PNL: Shape("account"),
    PRICE: Shape("ticker"),
    POSITION: Shape("both"),
    STALE: Shape("either", has_way=False),
    OTHERS_TRADES: Shape("account", has_way=False, has_level=False),
}
"""Total P&L of the business date of an account, gross of fees; the mark of a name; the signed
quantity of a position; minutes since the mark of a name, or of anything that an account holds, was
taken; versions of trades in an account that somebody else made."""

NAMES = tuple(KINDS)
ARMED, HOLDS, OFF, SILENT = STATES = "armed", "holds", "off", "silent"
"""`HOLDS` while what it is about does: it has fired, and waits until that is over. `SILENT` while
its user may not view the account."""

REST = timedelta(minutes=5)
"""From one firing of an alert to its next, at least, so that a figure that goes to and fro about a
level is told a few times an hour and not each second."""
REST_OF_TRADES = timedelta(minutes=1)
"""The same of trades; those of meanwhile are told together."""


def rest_of(kind: str) -> timedelta:
    return REST_OF_TRADES if kind == OTHERS_TRADES else REST


def holds(way: str | None, level: Decimal, value: Decimal) -> bool:
    """Strictly above the level, or strictly below it. Without a way: above."""
    return value < level if way == BELOW else value > level


def level_of(value: object) -> Decimal:
    """A level of either sign from JSON or text. Raises AmountRefused."""
    found = number_of(value)
    if decimals_of(found) > MAX_DECIMALS:
        raise AmountRefused("too_fine", f"This may have at most {MAX_DECIMALS} decimals.")
    if abs(found) >= MOST_LEVEL:
        raise AmountRefused("too_large", "This may have at most 18 digits before the point.")
    return found
