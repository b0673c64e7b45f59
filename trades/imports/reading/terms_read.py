"""Single cells of a row as the plain text of a term: numbers, dates, times, prices. Pure."""

import re
from collections.abc import Callable, Mapping
from datetime import time
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from kernel.clock import NEW_YORK
from kernel.errors import FieldError
from kernel.money import CONTEXT, MAX_DECIMALS, MAX_INPUT, normalized
from trades.fee_kinds import FEE_DECIMALS
from trades.imports.reading.dates import (
    Written,
    clock_of,
    moment_of,
    not_a_date,
    not_a_time,
    written,
)
from trades.imports.reading.names import EXCHANGE_FEE, EXECUTED_AT, TRADE_DATE
from trades.imports.reading.numbers import POINT, number

PLAIN = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,10})?\Z", re.ASCII)
_CENT = Decimal("0.01")
_NO_TIME = "no time"
_NAME = re.compile(r"[A-Za-z][A-Za-z .&-]*\Z")
_FEE_STEP = Decimal(1).scaleb(-FEE_DECIMALS)


class Passed(NamedTuple):
    """A row that is no trade of ours."""

    kind: str


class Day(NamedTuple):
    """A date as text, and the cell that it stood in where that has a time of day."""

    text: str
    more: Written | None


def number_reader(of: str, sign: str) -> Callable[[str], str | FieldError]:
    """A cell as a plain number, below zero with a minus; "" for an empty one. What is no number
    stays as it is, and is refused in a booking's own words."""

    def read(cell: str) -> str | FieldError:
        if sign == POINT and PLAIN.match(cell):
            return cell
        text = cell.strip()
        if not text:
            return ""
        found = number(text, sign)
        if isinstance(found, FieldError):
            if found.code == "not_decimal":
                return text
            return FieldError(found.code, found.detail, of)
        return normalized(found)

    return read


def fee_reader(of: str, sign: str, *, paid_below: bool) -> Callable[[str], str | FieldError]:
    """A cell as a fee, paid > 0, to the millionth; with `paid_below` the file writes what was paid
    with a minus. A column called exchange may name one instead, which says nothing of fees."""
    read_number = number_reader(of, sign)

    def read(cell: str) -> str | FieldError:
        if of == EXCHANGE_FEE and _NAME.match(cell.strip()):
            return ""
        found = read_number(cell)
        if isinstance(found, FieldError) or not found:
            return found
        try:
            fee = Decimal(found)
        except ArithmeticError:
            return found
        if abs(fee) <= MAX_INPUT:
            fee = fee.quantize(_FEE_STEP, ROUND_HALF_EVEN, CONTEXT)
        return normalized(-fee if paid_below else fee)

    return read


def day_reader(
    orders: Mapping[str, str], of: str = TRADE_DATE
) -> Callable[[str], Day | FieldError]:
    """A cell as a date such as 2026-01-31; "" for an empty one."""

    def read(cell: str) -> Day | FieldError:
        if not cell.strip():
            return Day("", None)
        found = written(cell)
        day = found and found.day(orders.get(found.separator))
        if found is None or day is None:
            error = not_a_date()
            return FieldError(error.code, error.detail, of)
        has_clock = found.clock is not None and found.clock != time()
        return Day(day.isoformat(), found if has_clock else None)

    return read


def moment_reader(orders: Mapping[str, str], zone: ZoneInfo) -> Callable[[str], str | FieldError]:
    """A cell as a moment in UTC, or as a date where it has no time of day; "" for an empty one, and
    for what our own lists show where nobody knows the time."""

    def read(cell: str) -> str | FieldError:
        if cell.strip() in ("", _NO_TIME):
            return ""
        found = written(cell)
        day = found and found.day(orders.get(found.separator))
        if found is None or day is None:
            return _bad_time()
        if found.clock is None:
            return day.isoformat()
        moment = moment_of(day, found.clock, found.offset, zone, NEW_YORK)
        return moment.isoformat() if moment else _bad_time()

    return read


def row_days(
    values: dict[str, str],
    day: Day | FieldError,
    moment: str | FieldError,
    clock: str,
    zone: ZoneInfo,
    has_moments: bool,
    errors: list[FieldError],
) -> None:
    """Set the date and the time that a row's cells come to. A time of day in another zone than the
    exchange's makes the date follow from it: half past midnight in London is the evening before."""
    if isinstance(day, FieldError):
        errors.append(day)
        return
    if isinstance(moment, FieldError):
        errors.append(moment)
        return
    values |= dates_said(day.text, moment)
    if has_moments or not day.text:
        return
    of_day = written(day.text)
    found = clock_of(clock) if clock.strip() else None
    if clock.strip() and found is None:
        errors.append(_bad_time())
    elif found is None and day.more is not None and day.more.clock is not None:
        found = day.more.clock, day.more.offset
    if found is None or of_day is None:
        return
    made = moment_of(of_day.days[0][1], found[0], found[1], zone, NEW_YORK)
    if made is None:
        errors.append(_bad_time())
        return
    values[EXECUTED_AT] = made.isoformat()
    if zone.key != NEW_YORK.key or isinstance(found[1], int):
        del values[TRADE_DATE]


def dates_said(day: str, moment: str) -> dict[str, str]:
    """The terms that a date and a moment come to. One without a time of day is a date."""
    said = {TRADE_DATE: day} if day else {}
    if len(moment) == len("2026-01-31"):
        said.setdefault(TRADE_DATE, moment)
    elif moment:
        said[EXECUTED_AT] = moment
    return said


def _bad_time() -> FieldError:
    error = not_a_time()
    return FieldError(error.code, error.detail, EXECUTED_AT)


def amount_price(amount: str, quantity: str) -> str | FieldError:
    """The price of one share that comes to the amount, to the cent; refused where no price of our
    decimals does."""
    try:
        total, shares = abs(Decimal(amount)), abs(Decimal(quantity))
    except ArithmeticError:
        return FieldError("not_decimal", "This must be a number, such as 12.50.", "amount")
    if not shares:
        return FieldError("not_positive", "This must be greater than 0.", "quantity")
    step = Decimal(1).scaleb(-MAX_DECIMALS)
    try:
        price = CONTEXT.divide(total, shares).quantize(step, ROUND_HALF_EVEN, CONTEXT)
        comes_to = CONTEXT.multiply(price, shares).quantize(_CENT, ROUND_HALF_UP, CONTEXT)
    except ArithmeticError:
        return FieldError("too_large", "This amount is too large.", "amount")
    if comes_to != total.quantize(_CENT, ROUND_HALF_UP, CONTEXT):
        detail = f"No price of {MAX_DECIMALS} decimals comes to this amount; give the price."
        return FieldError("amount_inexact", detail, "amount")
    return normalized(price)
