"""Numbers as people write them, read in one style a column. Pure.

A cell may have blanks around it, a dollar sign, a sign before or behind it, parentheses for a
negative number, and thousands separated by comma, point, blank or apostrophe. Whether a comma or a
point is the decimal sign is decided by all cells of the column: `1.250` alone may be either.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from kernel.errors import FieldError

POINT, COMMA = ".", ","
EITHER = frozenset((POINT, COMMA))
LONGEST = 48

_BLANKS = "\u00a0\u202f\u2009 "
_DOLLAR = re.compile(r"US\$|USD|\$")
_FOREIGN = re.compile(r"[€£¥₹₽]|\b(?:EUR|GBP|GBX|GBp|CHF|CAD|AUD|JPY|SEK|NOK|DKK)\b|p\Z|C\$|A\$")
_SIGNED = re.compile(r"(?P<round>\()?(?P<minus>[-−+])?(?P<body>[0-9.,'’ ]+?)(?P<behind>[-−])?\)?\Z")
_SIGN = re.compile("[.,]")
# Nearly all cells: what decides nothing, and what decides for the point.
_NO_SIGN = re.compile(r"[0-9]*\Z", re.ASCII)
_POINT_ONLY = re.compile(r"[0-9]+\.(?:[0-9]{1,2}|[0-9]{4,10})\Z", re.ASCII)
_ONLY_POINT = frozenset((POINT,))
_WHOLE = re.compile(r"[0-9]+\Z", re.ASCII)
_ONE = re.compile(r"(?P<left>[0-9]*)(?P<sign>[.,])(?P<right>[0-9]*)\Z", re.ASCII)
_GROUPED = re.compile(
    r"(?P<whole>[0-9]{1,3}(?P<sep>[.,'’ ])[0-9]{3}(?:(?P=sep)[0-9]{3})*)"
    r"(?:(?P<sign>[.,])(?P<right>[0-9]*))?\Z",
    re.ASCII,
)
_EXPONENT = re.compile(r"[-+]?[0-9.,]+[eE][-+]?[0-9]+\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bare:
    """A cell without its sign and currency: `body` holds digits and separators."""

    body: str
    is_negative: bool
    signs: frozenset[str]
    """What may be its decimal sign; empty for what is no number."""


@lru_cache(8192)
def bare(cell: str) -> Bare | FieldError:
    """A cell taken apart, or why it is no amount in dollars."""
    text = cell.strip(_BLANKS + "\t")
    if len(text) > LONGEST:
        return _not_a_number()
    for blank in _BLANKS[:-1]:
        text = text.replace(blank, " ")
    if _FOREIGN.search(text):
        return FieldError("not_usd", "This is not in US dollars.")
    plain = _DOLLAR.sub("", text).replace("- ", "-").strip()
    found = _SIGNED.match(plain)
    if found is None or (plain.startswith("(") != plain.endswith(")")):
        if _EXPONENT.match(text):
            return FieldError(
                "exponent",
                "This is written with an exponent, which may be rounded; write it in full.",
            )
        return _not_a_number()
    body = found["body"].strip()
    negative = [bool(found["round"]), found["minus"] in ("-", "−"), bool(found["behind"])]
    if sum(negative) > 1:
        return _not_a_number()
    signs = _signs(body)
    return Bare(body, any(negative), signs) if signs else _not_a_number()


def _signs(body: str) -> frozenset[str]:
    if _WHOLE.match(body):
        return EITHER
    one, grouped = _ONE.match(body), _GROUPED.match(body)
    found: set[str] = set()
    if one and (one["left"] or one["right"]):
        found.add(one["sign"])
    if grouped and not grouped["whole"].startswith("0"):
        separator, sign = grouped["sep"], grouped["sign"]
        if sign is None:
            found |= {POINT, COMMA} - {separator}
        elif sign != separator:
            found.add(sign)
    return frozenset(found)


def _not_a_number() -> FieldError:
    return FieldError("not_decimal", "This must be a number, such as 12.50.")


def number(cell: str, sign: str) -> Decimal | FieldError:
    """The number in a cell whose column has this decimal sign."""
    found = bare(cell)
    if isinstance(found, FieldError):
        return found
    if sign not in found.signs:
        other = COMMA if sign == POINT else POINT
        return FieldError(
            "other_decimal",
            f"This does not fit: in this column '{sign}' begins the decimals, and '{other}'"
            " separates thousands.",
        )
    whole, _, right = found.body.rpartition(sign) if sign in found.body else (found.body, "", "")
    digits = re.sub(r"[.,'’ ]", "", whole)
    value = Decimal(f"{digits or 0}.{right}" if right else digits or "0")
    return -value if found.is_negative else value


@dataclass
class NumberColumn:
    """What all cells of a column say of its decimal sign, which is none of both when they clash.
    `either` is a cell that means another number with the other sign, one with a comma if there
    is one."""

    signs: frozenset[str] = EITHER
    either: str = ""
    clash: str = ""
    is_signed: bool = False

    def look(self, cells: Iterable[str]) -> None:
        for cell in cells:
            if _NO_SIGN.match(cell):
                continue
            if _POINT_ONLY.match(cell):
                if POINT not in self.signs:
                    self.clash = self.clash or cell
                self.signs &= _ONLY_POINT
                continue
            found = bare(cell)
            self.is_signed = self.is_signed or (isinstance(found, Bare) and found.is_negative)
            if isinstance(found, FieldError) or not _SIGN.search(found.body):
                continue
            if len(found.signs) == 2:
                if not self.either or (COMMA in found.body and COMMA not in self.either):
                    self.either = cell.strip()
                continue
            if not self.signs & found.signs:
                self.clash = self.clash or cell.strip()
            self.signs &= found.signs

    @property
    def sign(self) -> str | None:
        """The sign that the column's own cells decide."""
        return next(iter(self.signs)) if len(self.signs) == 1 else None
