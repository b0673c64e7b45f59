"""Decimals: one context to compute in, one way to read them, one way to write them.

Quantities and prices that people enter have at most 10 decimals and are at most 1,000,000,000.
Sums, notionals and P&L are exact: 60 digits hold every product of two inputs summed over more
entries than a ledger can have, so nothing is rounded before a screen.
"""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, setcontext

CONTEXT = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero])

MAX_DECIMALS = 10
MAX_INPUT = Decimal("1000000000")

# ASCII digits only: Decimal itself also takes "1_0", " 1 ", full-width digits, NaN and Infinity.
_PLAIN = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z", re.ASCII)
# Longer texts are no honest input; they are refused before they are turned into a number.
_LONGEST = 40
# Nearly every quantity and price looks so: within all limits but the largest value.
_USUAL = re.compile(rf"[0-9]{{1,10}}(?:\.[0-9]{{1,{MAX_DECIMALS}}})?\Z", re.ASCII)
_SEPARATED = re.compile(r"[0-9]{1,3}(?:[,' _\u00a0\u202f][0-9]{3})+(?:\.[0-9]*)?\Z")


class AmountRefused(ValueError):
    """A value is no quantity or price. `code` is for programs, `detail` for who typed it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def use_context() -> None:
    """Make `CONTEXT` this thread's context and the default of threads to come."""
    import decimal

    decimal.DefaultContext.prec = CONTEXT.prec
    decimal.DefaultContext.rounding = CONTEXT.rounding
    setcontext(CONTEXT.copy())


def parse_plain(text: str) -> Decimal:
    """Read a finite decimal in plain notation, such as `12`, `-0.50` or `.5`.

    Raises ValueError for everything else: exponents, NaN, blanks, separators, non-ASCII digits.
    """
    if len(text) > _LONGEST or not _PLAIN.match(text):
        raise ValueError("not a plain decimal number")
    return Decimal(text)


def read_amount(text: str, *, zero: bool = False) -> Decimal:
    """Read a quantity or price as people enter it: plain notation, greater than 0 (with `zero`
    also 0), at most 10 decimals and 1,000,000,000. Raises AmountRefused."""
    if _USUAL.match(text):
        value = Decimal(text)
        if 0 < value <= MAX_INPUT:
            return value
    else:
        try:
            value = parse_plain(text)
        except ValueError:
            raise _not_plain(text) from None
    return checked_amount(value, zero=zero)


def checked_amount(value: Decimal, *, zero: bool = False) -> Decimal:
    """The same quantity or price, trailing zeros included, if it may be one; raises
    AmountRefused."""
    if not value.is_finite():
        raise _not_plain("")
    if value <= 0 and (value.is_signed() or not zero):
        raise AmountRefused("not_positive", "This must be greater than 0.")
    if decimals_of(value) > MAX_DECIMALS:
        raise AmountRefused("too_fine", f"This may have at most {MAX_DECIMALS} decimals.")
    if value > MAX_INPUT:
        raise _too_large()
    return value


def number_of(value: object) -> Decimal:
    """A number of any sign from JSON or text, in plain notation. Raises AmountRefused."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise _not_plain("")
    if isinstance(value, int) and abs(value) > 10 * MAX_INPUT:
        # Too long to be written out.
        raise _too_large()
    text = value if isinstance(value, str) else str(value)
    try:
        return parse_plain(text)
    except ValueError:
        raise _not_plain(text) from None


def amount_of(value: object, *, zero: bool = False) -> Decimal:
    """A quantity or price from JSON, whose numbers are whole or Decimal. Raises AmountRefused."""
    if isinstance(value, str):
        return read_amount(value, zero=zero)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _not_plain("")
    if isinstance(value, int) and abs(value) > 10 * MAX_INPUT:
        # Too long to be written out.
        return read_amount(str(10 * MAX_INPUT) if value > 0 else "-1")
    return read_amount(str(value), zero=zero)


def _too_large() -> AmountRefused:
    return AmountRefused("too_large", f"This may be at most {MAX_INPUT:,}.")


def _not_plain(text: str) -> AmountRefused:
    if len(text) <= _LONGEST and _SEPARATED.match(text):
        return AmountRefused(
            "thousands_separator", "Write it without thousands separators, such as 1000."
        )
    return AmountRefused("not_decimal", "This must be a plain decimal number, such as 12.50.")


def decimals_of(value: Decimal) -> int:
    """The number of decimals needed to write `value`; trailing zeros do not count."""
    exponent = value.normalize(CONTEXT).as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError("not a finite number")
    return max(0, -exponent)


def plain(value: Decimal) -> str:
    """Write a decimal in plain notation, never with an exponent, never as `-0`."""
    if value == 0:
        return "0"
    return format(value, "f")


def normalized(value: Decimal) -> str:
    """The one text of a number, however it was typed: `10`, `10.0` and `10.00` give `10`."""
    text = str(value)
    if "E" in text:
        text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def normalized_sql(value: str) -> str:
    """`normalized` of a numeric in SQL; null of null."""
    return f"trim_scale({value})::text"


def round_source_price(price: float | Decimal) -> Decimal:
    """Round a price from a source (a binary float in JSON) on entry: half even, to 2 decimals
    from 1.00 up and to 4 below."""
    exact = price if isinstance(price, Decimal) else Decimal(repr(price))
    step = Decimal("0.01") if abs(exact) >= 1 else Decimal("0.0001")
    return exact.quantize(step, rounding=ROUND_HALF_EVEN, context=CONTEXT)
