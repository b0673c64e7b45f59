"""The terms of a trade, declared once.

A term is what a caller says of a trade: in JSON, in a CSV file, on a form. From `TERMS` follow the
columns of the writing statement, the hash of what was sent, the comparison of two versions, the
CSV header, the fields of the API and of the admin's form, the columns of an export, and the table
that the front end reads (`python -m trades.terms`, written by `make api`). `SAID` has beside them
what a caller says and nobody keeps. Pure: no Django.

A new term is a line in `TERMS`, a field of `Booking` (and of `Amendment`, if it may change), a
column of `trades.models.Terms` with its migration, and a field of `trades.selectors.TradeRow`.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from kernel.money import MAX_DECIMALS, MAX_INPUT, amount_of
from trades.fee_kinds import FEE_DECIMALS, FEE_KINDS, Fee

SIDES = ("buy", "sell")
# What the ids begin with that a page makes, one a form, so that sending it twice books once.
PAGE_ID = "web-"


def is_own_id(client_trade_id: str | None) -> bool:
    """True if a caller's id says which trade this is. One that a page made for its form does not:
    the same order typed twice has two."""
    return client_trade_id is not None and not client_trade_id.startswith(PAGE_ID)


class Kind(StrEnum):
    """The kind of a term's value."""

    TEXT = "text"
    SIDE = "side"
    AMOUNT = "amount"  # a quantity or a price: see kernel.money
    FEES = "fees"  # what was paid beside the price, by kind: see trades.fee_kinds
    DAY = "day"
    MOMENT = "moment"
    FLAG = "flag"


@dataclass(frozen=True)
class Term:
    """`name` is what callers and answers call it; `column` and `sql` are its column in trades and
    versions, and that column's type. `aliases` are further names in the header of a CSV file,
    where case, blanks and underscores do not matter. `amendable` terms may change; `versioned` ones
    stand in every version; `counted` ones are what the ledger counts by or sums. An amount is
    positive, and one that `may_be_zero` may be 0."""

    name: str
    kind: Kind
    column: str
    sql: str
    label: str
    required: bool = False
    longest: int = 0
    may_be_blank: bool = False
    may_be_zero: bool = False
    aliases: tuple[str, ...] = ()
    amendable: bool = True
    versioned: bool = True
    counted: bool = False

    @cached_property
    def is_reference(self) -> bool:
        """True if callers say a code and the column holds the id of what it means."""
        return self.kind is Kind.TEXT and self.name != self.column

    @property
    def may_be_null(self) -> bool:
        """True if it is null in an answer where nobody said it."""
        return self.kind is Kind.TEXT and not self.required and not self.may_be_blank

    def amount(self, value: object) -> Decimal:
        """The amount that was sent for this term, as JSON or text. Raises AmountRefused."""
        return amount_of(value, zero=self.may_be_zero)


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
    Term(
        "price", Kind.AMOUNT, "price", "numeric", "Price",
        required=True, may_be_zero=True, counted=True,
    ),
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
    Term("settlement_date", Kind.DAY, "settlement_date", "date", "Settlement date", counted=True),
    Term("strategy", Kind.TEXT, "strategy_id", "bigint", "Strategy", longest=32, counted=True),
    Term("counterparty", Kind.TEXT, "counterparty_id", "bigint", "Counterparty", longest=32),
    Term("order_id", Kind.TEXT, "order_id", "text", "Order id", longest=64),
    Term("fees", Kind.FEES, "fees", "numeric", "Fees", counted=True),
)  # fmt: skip
SETTLEMENT, FEES = (each for each in TERMS if each.name in ("settlement_date", "fees"))

# Said with a price of 0, for free and worthless shares, and kept nowhere: the price says it.
PRICE_ZERO = Term("price_zero", Kind.FLAG, "", "", "Free or worthless", versioned=False)
SAID = (*TERMS, PRICE_ZERO)
"""All that a caller may say."""
# What a file says of the fees: a column a kind.
FEE_COLUMNS = tuple(Term(kind, Kind.AMOUNT, "", "", kind.capitalize()) for kind in FEE_KINDS)
FILE_SAID = (*(term for term in SAID if term is not FEES), *FEE_COLUMNS)
"""All that a row of a file may say of its trade."""
# What columns of a file may say beside the terms: how to read its rows, never what is kept.
FILE_ONLY = (
    Term("amount", Kind.AMOUNT, "", "", "Amount of money"),
    Term("time", Kind.TEXT, "", "", "Time of day"),
    Term("currency", Kind.TEXT, "", "", "Currency"),
    Term("asset", Kind.TEXT, "", "", "Kind of instrument"),
    Term("type", Kind.TEXT, "", "", "Kind of transaction"),
    Term("status", Kind.TEXT, "", "", "Status"),
    Term("code", Kind.TEXT, "", "", "Codes"),
    Term("cancels", Kind.TEXT, "", "", "Id of the row it cancels"),
    Term("trade_id", Kind.TEXT, "", "", "Trade GUID"),
    Term("executed_at_known", Kind.FLAG, "", "", "Whether the time is known"),
)

BY_NAME = {term.name: term for term in SAID}
FIELDS = tuple(BY_NAME)
REQUIRED = tuple(term.name for term in TERMS if term.required)
VERSIONED = tuple(term for term in TERMS if term.versioned)
AMENDABLE = tuple(term for term in TERMS if term.amendable)
COUNTED = tuple(term for term in TERMS if term.counted)
REASON_LONGEST = 200
# What precedes the terms in a file of rejected rows, which can be mended and sent again.
REJECTED_COLUMNS = ("rejected_line", "rejected_because")
IGNORED_COLUMNS = ("request_group", *REJECTED_COLUMNS)


class Booking(NamedTuple):
    """A booking as a caller asks for it, already well-formed. `sent` names the fields that they
    sent."""

    account: str
    ticker: str
    side: str
    quantity: Decimal
    price: Decimal
    trade_date: date | None = None
    executed_at: datetime | None = None
    client_trade_id: str | None = None
    note: str = ""
    settlement_date: date | None = None
    strategy: str | None = None
    counterparty: str | None = None
    order_id: str | None = None
    fees: tuple[Fee, ...] = ()
    price_zero: bool = False
    sent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Amendment:
    """The changes of an amendment. None leaves a term as it is."""

    account: str | None = None
    ticker: str | None = None
    side: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    trade_date: date | None = None
    note: str | None = None
    settlement_date: date | None = None
    strategy: str | None = None
    counterparty: str | None = None
    order_id: str | None = None
    fees: tuple[Fee, ...] | None = None
    price_zero: bool | None = None


# --- the front end's table -----------------------------------------------------------------------

# What a form, a file or a list needs to know of a term; its column in the database is none of it.
_TOLD = (
    "name", "kind", "label", "required", "longest", "may_be_blank", "may_be_zero", "may_be_null",
    "amendable", "versioned",
)  # fmt: skip


def _told(term: Term) -> dict[str, Any]:
    return {name: getattr(term, name) for name in _TOLD}


def table() -> dict[str, Any]:
    """The terms, as the front end needs to know them."""
    return {
        "terms": [_told(term) for term in TERMS if term is not FEES],
        "fees": {
            "kinds": [{"name": term.name, "label": term.label} for term in FEE_COLUMNS],
            "decimals": FEE_DECIMALS,
            "most": str(MAX_INPUT),
        },
        "price_zero": _told(PRICE_ZERO),
        "file_only": [_told(term) for term in FILE_ONLY],
        "amount": {"decimals": MAX_DECIMALS, "most": str(MAX_INPUT)},
        "page_id": PAGE_ID,
        "reason_longest": REASON_LONGEST,
        "rejected_columns": REJECTED_COLUMNS,
    }


def main(arguments: Sequence[str]) -> str | None:
    """Print the table, or `--write` it to a file, or `--check` that the file holds it: the answer
    says what to do when it does not."""
    text = json.dumps(table(), indent=2) + "\n"
    match arguments:
        case ["--write", file]:
            Path(file).write_text(text)
        case ["--check", file]:
            if Path(file).read_text() != text:
                return f"{file} is not the table of trades/terms.py: `make api` makes it anew."
        case _:
            sys.stdout.write(text)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
