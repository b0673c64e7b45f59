"""The terms of a trade, declared once.

A term is what a caller says of a trade: in JSON, in a CSV file, on a form. From `TERMS` follow the
columns of the writing statement, the hash of what was sent, the comparison of two versions, the
CSV header, the fields of the API and of the admin's form, the columns of an export, and the table
that the front end reads (`python -m trades.terms`). Pure: no Django.

A new term is a line in `TERMS`, a field of `Booking` (and of `Amendment`, if it may change), a
column of `trades.models.Terms` with its migration, and a field of `trades.selectors.TradeRow`.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

SIDES = ("buy", "sell")


class Kind(StrEnum):
    """What a term's value is."""

    TEXT = "text"
    SIDE = "side"
    AMOUNT = "amount"  # a quantity or a price: positive, see kernel.money
    DAY = "day"
    MOMENT = "moment"


@dataclass(frozen=True)
class Term:
    """`name` is what callers and answers call it; `column` and `sql` are its column in trades and
    versions, and that column's type. `aliases` are further names in the header of a CSV file,
    where case, blanks and underscores do not matter. `amendable` terms may change; `versioned` ones
    stand in every version; `counted` ones are what the ledger counts by or sums."""

    name: str
    kind: Kind
    column: str
    sql: str
    label: str
    required: bool = False
    longest: int = 0
    may_be_blank: bool = False
    aliases: tuple[str, ...] = ()
    amendable: bool = True
    versioned: bool = True
    counted: bool = False


TERMS = (
    Term(
        "account", Kind.TEXT, "account_id", "bigint", "Account",
        required=True, longest=32, counted=True,
    ),
    Term(
        "ticker", Kind.TEXT, "instrument_id", "bigint", "Ticker",
        required=True, longest=16, counted=True,
    ),
    Term(
        "side", Kind.SIDE, "side", "text", "Side",
        required=True, aliases=("buy or sell",), counted=True,
    ),
    Term(
        "quantity", Kind.AMOUNT, "quantity", "numeric", "Quantity",
        required=True, aliases=("shares",), counted=True,
    ),
    Term("price", Kind.AMOUNT, "price", "numeric", "Price", required=True, counted=True),
    Term("trade_date", Kind.DAY, "trade_date", "date", "Trade date", counted=True),
    Term(
        "executed_at", Kind.MOMENT, "executed_at", "timestamptz", "Executed at",
        aliases=("booked at",), amendable=False,
    ),
    Term(
        "client_trade_id", Kind.TEXT, "client_trade_id", "text", "Client trade id",
        longest=64, aliases=("id",), amendable=False, versioned=False,
    ),
    Term("note", Kind.TEXT, "note", "text", "Note", longest=200, may_be_blank=True),
)  # fmt: skip

BY_NAME = {term.name: term for term in TERMS}
FIELDS = tuple(BY_NAME)
REQUIRED = tuple(term.name for term in TERMS if term.required)
VERSIONED = tuple(term for term in TERMS if term.versioned)
AMENDABLE = tuple(term for term in TERMS if term.amendable)
COUNTED = tuple(term for term in TERMS if term.counted)
REASON_LONGEST = 200


class Booking(NamedTuple):
    """What a caller asks to book, already well-formed. `sent` names the fields that they sent."""

    account: str
    ticker: str
    side: str
    quantity: Decimal
    price: Decimal
    trade_date: date | None = None
    executed_at: datetime | None = None
    client_trade_id: str | None = None
    note: str = ""
    sent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Amendment:
    """What an amendment changes. None leaves a term as it is."""

    account: str | None = None
    ticker: str | None = None
    side: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    trade_date: date | None = None
    note: str | None = None


def table() -> dict[str, Any]:
    """What the front end needs to know of the terms."""
    return {"terms": [asdict(term) for term in TERMS], "reason_longest": REASON_LONGEST}


if __name__ == "__main__":
    print(json.dumps(table(), indent=2))  # noqa: T201 - this is its output
