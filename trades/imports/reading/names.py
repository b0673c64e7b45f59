"""The meanings of a file's columns, by their names. Pure.

First by the names that this product documents, then by those that people use. What is known to say
nothing about a trade's terms is passed over and named in the answer; a column that is not known is
asked about, for a mistyped `trade dat` would date trades today.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kernel.errors import shown
from trades.imports.reading.profile import Profile
from trades.terms import FILE_ONLY, FILE_SAID, IGNORED_COLUMNS, REJECTED_COLUMNS, Kind, Term

ACCOUNT, TICKER, SIDE, QUANTITY, PRICE = "account", "ticker", "side", "quantity", "price"
TRADE_DATE, EXECUTED_AT, OWN_ID, NOTE = "trade_date", "executed_at", "client_trade_id", "note"
PRICE_ZERO, SETTLES = "price_zero", "settlement_date"
COMMISSION, EXCHANGE_FEE, TAX, OTHER_FEE = "commission", "exchange", "tax", "other"
# What a reader needs beside the terms.
AMOUNT, CURRENCY, ASSET, TYPE, TIME = "amount", "currency", "asset", "type", "time"
STATUS, CANCELS, TRADE_ID, CODE = "status", "cancels", "trade_id", "code"
TIME_KNOWN = "executed_at_known"


def _of_kind(terms: Sequence[Term], *kinds: Kind) -> tuple[str, ...]:
    return tuple(term.name for term in terms if term.kind in kinds)


READ = tuple(term.name for term in (*FILE_SAID, *FILE_ONLY))
NUMBERS = _of_kind((*FILE_SAID, *FILE_ONLY), Kind.AMOUNT)
DATES = _of_kind(FILE_SAID, Kind.DAY, Kind.MOMENT)
"""All of them; a row is put in its order by the two that say when it was traded."""
ORDERED_BY = (TRADE_DATE, EXECUTED_AT)
TEXTS = _of_kind(FILE_SAID, Kind.TEXT, Kind.FLAG)

# A column called ID may be an order's, which several fills share.
_NOT_SAID = frozenset({"id"})
DOCUMENTED = {
    alias: term.name
    for term in FILE_SAID
    for alias in (term.name.replace("_", " "), *term.aliases)
    if alias not in _NOT_SAID
}
USUAL = {
    "symbol": TICKER, "stock symbol": TICKER, "acct": ACCOUNT, "account code": ACCOUNT,
    "buy/sell": SIDE, "b/s": SIDE, "action": SIDE, "direction": SIDE, "trade type": SIDE,
    "transaction type": SIDE, "qty": QUANTITY, "no. of shares": QUANTITY, "units": QUANTITY,
    "number of shares": QUANTITY, "price per share": PRICE, "price / share": PRICE,
    "unit price": PRICE, "trade price": PRICE, "fill price": PRICE, "execution price": PRICE,
    "amount": AMOUNT, "gross amount": AMOUNT, "consideration": AMOUNT, "notional": AMOUNT,
    "date": TRADE_DATE, "tradedate": TRADE_DATE, "transaction date": TRADE_DATE,
    "date/time": EXECUTED_AT, "datetime": EXECUTED_AT, "timestamp": EXECUTED_AT,
    "execution time": EXECUTED_AT, "executed": EXECUTED_AT, "time": TIME, "trade time": TIME,
    "currency": CURRENCY, "ccy": CURRENCY, "asset class": ASSET, "asset type": ASSET,
    "asset category": ASSET, "security type": ASSET, "instrument type": ASSET,
    "executed at known": TIME_KNOWN, "comment": NOTE, "notes": NOTE, "memo": NOTE,
}  # fmt: skip
_PASSED_OVER = frozenset(
    {
        "id", "order id", "orderid", "trade id", "tradeid", "exec id", "reference",
        "commissions", "fee", "fees", "fees & comm", "taxes", "isin", "cusip",
        "sedol", "figi", "name", "description", "company", "product", "venue", "market",
        "settle date", "settlement", "net amount", "total", "value",
        "market value", "exchange rate", "fx rate", "trade p&l", "trade pnl", "broker", "row", "#",
    }
)  # fmt: skip
# What banks write that speak German: offered, and taken once somebody has said so. A fee may have
# either sign there, and a book may be of another currency.
SUGGESTED = {
    "datum": TRADE_DATE, "handelstag": TRADE_DATE, "handelsdatum": TRADE_DATE,
    "ausführungsdatum": TRADE_DATE, "uhrzeit": TIME, "zeit": TIME, "konto": ACCOUNT,
    "depot": ACCOUNT,
    "papier": TICKER, "wertpapier": TICKER, "kürzel": TICKER, "richtung": SIDE, "art": SIDE,
    "kauf/verkauf": SIDE, "auftragsart": SIDE, "transaktion": SIDE, "stück": QUANTITY,
    "stueck": QUANTITY, "stückzahl": QUANTITY, "anzahl": QUANTITY, "menge": QUANTITY, "kurs": PRICE,
    "preis": PRICE, "ausführungskurs": PRICE, "betrag": AMOUNT, "kurswert": AMOUNT,
    "währung": CURRENCY, "bemerkung": NOTE, "notiz": NOTE, "valuta": SETTLES,
    "provision": COMMISSION, "courtage": COMMISSION, "ordergebühr": COMMISSION,
    "gebühr": COMMISSION, "gebuehr": COMMISSION, "gebühren": COMMISSION, "gebuehren": COMMISSION,
    "börsengebühr": EXCHANGE_FEE, "steuer": TAX, "steuern": TAX, "spesen": OTHER_FEE,
}  # fmt: skip
KNOWN = tuple(term.name for term in FILE_SAID)
IGNORED = frozenset(name.replace("_", " ") for name in IGNORED_COLUMNS)
_OF_REJECTED = frozenset(name.replace("_", " ") for name in REJECTED_COLUMNS)
ALL_OTHERS = "*"


@dataclass(frozen=True)
class Ask:
    """What has to be said before a file can be booked. `attr` is the field of an import that says
    it, `choices` are its values, where they are few; `suggested` is what columns probably mean, by
    their names."""

    code: str
    detail: str
    attr: str = "file"
    choices: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    suggested: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Columns:
    """`fields` says what each column means, None for those passed over."""

    names: tuple[str, ...]
    fields: tuple[str | None, ...]
    asks: tuple[Ask, ...] = ()

    def has(self, *fields: str) -> bool:
        return any(field in self.fields for field in fields)


@lru_cache(4096)
def plain(name: str) -> str:
    """Case, blanks and underscores do not matter in a column's name."""
    return re.sub(r"[\s_]+", " ", name).strip().lower()


def is_of_rejected(names: Sequence[str]) -> bool:
    return any(plain(name) in _OF_REJECTED for name in names)


def likeness(names: Sequence[str]) -> int:
    """How much a line looks like a header: the number of fields that it names."""
    known = {DOCUMENTED.get(n) or USUAL.get(n) for n in map(plain, names)}
    return len(known & {TICKER, SIDE, QUANTITY, PRICE, AMOUNT, ACCOUNT, TRADE_DATE})


def columns_of(
    names: Sequence[str],
    profile: Profile | None,
    mapping: Mapping[str, str | None] | None,
    account: str | None,
) -> Columns:
    """What these columns mean: as the user's mapping says, then the profile, then their names."""
    plain_names = [plain(name) for name in names]
    said = _said(plain_names, mapping or {})
    found: list[str | None] = [None] * len(names)
    open_: list[int] = []
    for at, name in enumerate(plain_names):
        if at in said:
            found[at] = said[at]
        elif profile is not None:
            found[at] = profile.columns.get(f"#{at + 1}") or profile.columns.get(name)
        elif name in DOCUMENTED:
            found[at] = DOCUMENTED[name]
        elif name and name not in IGNORED:
            open_.append(at)
    if profile is not None:
        _first_of_each(found, said)
        open_ = []
    unknown = []
    for at in open_:
        usual = USUAL.get(plain_names[at])
        if usual and usual not in found:
            found[at] = usual
        elif (
            not usual and plain_names[at] not in _PASSED_OVER and ALL_OTHERS not in (mapping or {})
        ):
            unknown.append(names[at].strip())
    if PRICE in found and AMOUNT in found:
        found[found.index(AMOUNT)] = None
    if account is not None and ACCOUNT in found and ACCOUNT not in said.values():
        found[found.index(ACCOUNT)] = None
    return Columns(
        tuple(n.strip() for n in names), tuple(found), tuple(_asks(names, found, unknown, account))
    )


def _said(names: Sequence[str], mapping: Mapping[str, str | None]) -> dict[int, str | None]:
    """The mapping by place; a column is called by its name, or by `#` and its number from 1."""
    by_name = {plain(name): field for name, field in mapping.items()}
    found: dict[int, str | None] = {}
    for at, name in enumerate(names):
        for key in (f"#{at + 1}", name):
            if key in by_name and key != ALL_OTHERS:
                found[at] = by_name[key]
                break
    return found


def _first_of_each(found: list[str | None], said: Mapping[int, str | None]) -> None:
    """A source may write a field twice; what the user said comes first."""
    seen = {field for field in said.values() if field}
    for at, field in enumerate(found):
        if at not in said and field in seen:
            found[at] = None
        elif field:
            seen.add(field)


def _suggested(unknown: Sequence[str], found: Sequence[str | None]) -> Iterator[tuple[str, str]]:
    """No field twice, and none that another column says."""
    taken = {field for field in found if field}
    for name in unknown:
        field = SUGGESTED.get(plain(name))
        if field is not None and field not in taken:
            taken.add(field)
            yield name, field


def _asks(
    names: Sequence[str], found: Sequence[str | None], unknown: Sequence[str], account: str | None
) -> list[Ask]:
    asks: list[Ask] = []
    if unknown:
        asks.append(
            Ask(
                "unknown_column",
                f"The column '{shown(unknown[0], 40)}' is not known. Known: {', '.join(KNOWN)}."
                " Say what it means, or that it is passed over.",
                examples=tuple(unknown[:20]),
                suggested=tuple(_suggested(unknown, found)),
            )
        )
    for field in dict.fromkeys(f for f in found if f):
        same = [n.strip() for n, f in zip(names, found, strict=True) if f == field]
        if len(same) > 1:
            detail = f"The header has {field} twice: {', '.join(same)}."
            asks.append(Ask("column_twice", detail, examples=tuple(same)))
    missing = [field for field in (TICKER, QUANTITY) if field not in found]
    if PRICE not in found and AMOUNT not in found:
        missing.append(PRICE)
    if missing:
        asks.append(Ask("missing_column", f"The header lacks {', '.join(missing)}."))
    if ACCOUNT not in found and account is None:
        asks.append(
            Ask("account_needed", "The file has no column of accounts: say which one.", "account")
        )
    return asks
