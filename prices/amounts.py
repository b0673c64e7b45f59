"""What a price typed by a person may be."""

from decimal import Decimal

from kernel.money import MAX_DECIMALS, MAX_INPUT, decimals_of, parse_plain


def check_amount(value: Decimal) -> Decimal:
    """The same value when it is positive, at most 1,000,000,000 and of at most 6 decimals.

    Raises ValueError with a sentence for the person who typed it.
    """
    if not value.is_finite():
        raise ValueError("This must be a plain decimal number, such as 12.50.")
    if value <= 0:
        raise ValueError("This must be greater than 0.")
    if decimals_of(value) > MAX_DECIMALS:
        raise ValueError(f"This may have at most {MAX_DECIMALS} decimals.")
    if value > MAX_INPUT:
        raise ValueError(f"This may be at most {MAX_INPUT:,}.")
    return value


def read_amount(text: str) -> Decimal:
    """A price in plain notation, kept as typed (trailing zeros too). Raises ValueError."""
    try:
        value = parse_plain(text)
    except ValueError:
        raise ValueError("This must be a plain decimal number, such as 12.50.") from None
    return check_amount(value)
