"""Rows that are no trades in shares: of which kind they are. They are passed over, and counted.
Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache

from trades.imports.reading.sides import kind_of, plain

BLANK, HEADER, TOTAL, TEXT, SECTION, CANCELLED = (
    "blank", "header", "total", "text", "section", "cancelled",
)  # fmt: skip

_SHARES = frozenset(
    {
        "", "stk", "stock", "stocks", "share", "shares", "equity", "equities", "eq", "common stock",
        "common", "etf", "etfs", "adr", "reit", "stocks & etfs", "stocks and etfs", "stocks/etfs",
        "cash", "margin", "stock/etf",
    }
)  # fmt: skip
_CLASSES = (
    ("option", r"\b(opt|optn|options?|calls?|puts?|fop|equity and index options)\b"),
    ("bond", r"\b(bonds?|bill|note|fixed income|treasury|cd)\b"),
    ("fund", r"\b(mf|mutual funds?|funds?|mmf|money market)\b"),
    ("crypto", r"\b(crypto|cryptocurrency|bitcoin)\b"),
    ("currency", r"\b(fx|forex|cash fx|currency)\b"),
    ("future", r"\b(fut|futures?)\b"),
    ("warrant", r"\b(war|warrants?|rights?)\b"),
)
_FOUND = tuple((kind, re.compile(pattern)) for kind, pattern in _CLASSES)

_OPTION = (
    # OCC's own symbol, with or without blanks or a sign before it.
    re.compile(r"[-.]?[A-Z.]{1,6} *[0-9]{6}[CP][0-9]{8}"),
    re.compile(r"-?[A-Z.]{1,6}[0-9]{6}[CP][0-9.]{1,9}"),
    re.compile(r"[A-Z.]{1,6} +[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4} +[0-9.]+ +[CP]"),
    re.compile(r"[A-Z.]{1,6} +[A-Z]{3} ?[0-9]{1,2} ?'?[0-9]{2,4} +\$?[0-9.]+ +(?:CALL|PUT|C|P)"),
    re.compile(r"[A-Z.]{1,6} +[0-9]{1,2}[A-Z]{3}[0-9]{2,4} +[0-9.]+ +[CP]"),
)
_TOTAL = re.compile(
    r"(?:[\w&]+ ){0,3}(?:grand |sub[- ]?)?(?:totals?|summe|gesamt|totaal|somme|totale)\b", re.I
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_NUMBER = re.compile(r"[-+($]*[0-9][0-9.,']*\)?\Z")
LONGEST = 512
# No word for a total is shorter, and no sentence.
SHORTEST = 5


@lru_cache(4096)
def asset_kind(cell: str) -> str:
    """The kind that a cell under a class of assets says; "" for shares."""
    word = plain(cell)[:LONGEST]
    if word in _SHARES:
        return ""
    for kind, pattern in _FOUND:
        if pattern.search(word):
            return kind
    return "other"


@lru_cache(4096)
def is_option(ticker: str) -> bool:
    word = ticker.strip().upper()
    return len(word) <= 40 and any(pattern.fullmatch(word) for pattern in _OPTION)


def is_total(cells: Sequence[str]) -> bool:
    """True if the first words of a row say that it sums others up."""
    first = next((cell for cell in cells if cell.strip()), "")
    return len(first) <= 64 and _TOTAL.match(first.strip()) is not None


def is_text(cells: Sequence[str]) -> bool:
    """True if a line is a sentence rather than a row: three words or more, and no cell that is a
    number or says a side. A row that lost its end must not be taken for one."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    text = " ".join(filled)[:4096]
    if len(_WORD.findall(text)) < 3:
        return False
    words = {plain(cell) for cell in filled} | set(plain(text).split() if len(filled) == 1 else ())
    return not words & {"buy", "sell", "bought", "sold"} and not any(
        _NUMBER.match(cell) for cell in filled
    )


def row_kind(word: str) -> str:
    """The kind that a type of transaction says; "" for a trade."""
    return kind_of(word[:LONGEST])
