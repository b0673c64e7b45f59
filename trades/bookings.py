"""Bookings as callers send them: from JSON or text cells to typed terms. Pure, and quick: a bulk
booking or an import calls this for each of its rows.

The rules are those of the single booking's fields (`trades.api.serializers.BookingIn`); both give
the same codes and words for the same input.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from kernel.clock import NEW_YORK
from kernel.errors import FieldError, shown
from kernel.moments import read_day, read_moment
from kernel.money import AmountRefused, normalized
from trades.fee_kinds import EXTERNAL, FEE_KINDS, SCHEDULE, Fee, amounts, fee_amount, in_order
from trades.terms import FEES, FIELDS, SAID, SIDES, VERSIONED, Booking, Kind, Term

MAX_UNKNOWN_NAMED = 20

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")

_KNOWN = frozenset(FIELDS)
_REQUIRED_TERMS = tuple(term for term in SAID if term.required)
_OPTIONAL_TERMS = tuple(term for term in SAID if not term.required)
_DEFAULTS = tuple(Booking._field_defaults[term.name] for term in _OPTIONAL_TERMS)
_PRICE, _NOTE, _PRICE_ZERO = map(FIELDS.index, ("price", "note", "price_zero"))

_FEE_COLUMNS = frozenset(FEE_KINDS)
_YES, _NO = frozenset(("true", "yes", "y", "1")), frozenset(("false", "no", "n", "0"))


def booking_of(given: Any, *, is_text: bool = False) -> Booking | list[FieldError]:
    """One row as a booking, or all that is wrong with it. An optional field that is None counts as
    not sent. In text (a CSV file) the side may have any case, and a time without an offset is
    New York's."""
    if not isinstance(given, Mapping):
        return [FieldError("invalid", "This must be an object with the terms of a trade.")]
    if is_text and not _FEE_COLUMNS.isdisjoint(given):
        given = _with_fees(given)
    row = _Row(given, is_text)
    values = [row.read(term) for term in _REQUIRED_TERMS]
    if len(given) > len(_REQUIRED_TERMS):
        for term, default in zip(_OPTIONAL_TERMS, _DEFAULTS, strict=True):
            value = row.read(term)
            values.append(default if value is None else value)
        row.unknown()
    else:
        values += _DEFAULTS
    if not values[_PRICE] or values[_PRICE_ZERO]:
        row.errors += price_zero_refused(
            values[_PRICE], said=values[_PRICE_ZERO], note=values[_NOTE]
        )
    if row.errors:
        return row.errors
    sent = _names(tuple(name for name, value in given.items() if value is not None))
    return Booking._make((*values, sent))


def _with_fees(given: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a file with its columns of fees as one term."""
    rest = {name: value for name, value in given.items() if name not in _FEE_COLUMNS}
    said = [(kind, given[kind]) for kind in FEE_KINDS if given.get(kind) is not None]
    return {**rest, FEES.name: said or None}


def price_zero_refused(price: Decimal | None, *, said: bool, note: str) -> list[FieldError]:
    """The faults of a price of 0, or of saying that one is meant: a 0 must be said, or a
    price that is missing would give shares away, and the note must tell why."""
    if price and said:
        return [FieldError("price_zero", "The price is not 0.", "price_zero")]
    if price == 0 and not said:
        detail = "For free or worthless shares also say price_zero, and why in the note."
        return [FieldError("price_zero", f"This is 0. {detail}", "price")]
    if price == 0 and not note:
        return [FieldError("price_zero", "Say why the price is 0.", "note")]
    return []


@lru_cache(256)
def _names(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(names)


class _Row:
    """The fields of one row, read one by one; what is wrong gathers in `errors`."""

    __slots__ = ("errors", "given", "is_text")

    def __init__(self, given: Mapping[str, Any], is_text: bool) -> None:
        self.given = given
        self.is_text = is_text
        self.errors: list[FieldError] = []

    def refuse(self, attr: str, code: str, detail: str) -> None:
        self.errors.append(FieldError(code, detail, attr))

    def read(self, term: Term) -> Any:
        """The value of one field; None when it was not sent, or is wrong, which is then said."""
        value = self.given.get(term.name)
        if value is not None:
            return _READERS[term.kind](self, term, value)
        if term.required:
            if term.name in self.given:
                self.refuse(term.name, "null", "This field may not be null.")
            else:
                self.refuse(term.name, "required", "This field is required.")
        return None

    def text(self, term: Term, value: Any) -> str | None:
        if not isinstance(value, str):
            self.refuse(term.name, "not_text", "This must be text.")
        elif _SURROGATE.search(value):
            self.refuse(term.name, "surrogate", "Unpaired surrogates are not allowed.")
        elif _CONTROL.search(value):
            self.refuse(term.name, "control", "Control characters are not allowed.")
        else:
            stripped = value.strip()
            if not stripped and not term.may_be_blank:
                self.refuse(term.name, "blank", "This field may not be blank.")
            elif len(stripped) > term.longest:
                detail = f"Ensure this field has no more than {term.longest} characters."
                self.refuse(term.name, "max_length", detail)
            return stripped
        return None

    def side(self, term: Term, value: Any) -> str | None:
        if isinstance(value, str):
            if value in SIDES:
                return value
            if self.is_text and (plain := value.strip().lower()) in SIDES:
                return plain
        self.refuse(term.name, "invalid_choice", "This must be buy or sell.")
        return None

    def amount(self, term: Term, value: Any) -> Decimal | None:
        try:
            return term.amount(value)
        except AmountRefused as refusal:
            self.refuse(term.name, refusal.code, refusal.detail)
            return None

    def day(self, term: Term, value: Any) -> date | None:
        found = _day(self._cell(value)) if isinstance(value, str) else None
        if found is None:
            self.refuse(term.name, "malformed", "This must be a date, such as 2026-01-31.")
        return found

    def moment(self, term: Term, value: Any) -> datetime | None:
        found = _moment(self._cell(value), self.is_text) if isinstance(value, str) else None
        if found is None:
            offset = "" if self.is_text else " with an offset"
            self.refuse(
                term.name,
                "malformed",
                f"This must be a time{offset}, such as 2026-01-31T10:00:00-05:00.",
            )
        return found

    def flag(self, term: Term, value: Any) -> bool | None:
        if isinstance(value, bool):
            return value
        plain = value.strip().lower() if self.is_text and isinstance(value, str) else None
        if plain in _YES or plain in _NO:
            return plain in _YES
        self.refuse(term.name, "invalid", "This must be true or false.")
        return None

    def fees(self, term: Term, value: Any) -> tuple[Fee, ...] | None:
        if self.is_text:
            return self._fees_of_columns(value)
        try:
            return fees_of(value)
        except FeesRefused as refusal:
            self.refuse(term.name, refusal.code, refusal.detail)
            return None

    def _fees_of_columns(self, columns: Iterable[tuple[str, str]]) -> tuple[Fee, ...]:
        found = []
        for kind, amount in columns:
            try:
                found.append(Fee(kind, fee_amount(amount.strip()), EXTERNAL))
            except AmountRefused as refusal:
                self.refuse(kind, refusal.code, refusal.detail)
        return tuple(found)

    def _cell(self, value: str) -> str:
        return value.strip() if self.is_text else value

    def unknown(self) -> None:
        names = sorted(shown(str(n)) for n in self.given if n not in _KNOWN)
        for name in names[:MAX_UNKNOWN_NAMED]:
            self.refuse(name, "unknown_field", "This field is not known.")


_READERS = {
    Kind.TEXT: _Row.text,
    Kind.SIDE: _Row.side,
    Kind.AMOUNT: _Row.amount,
    Kind.DAY: _Row.day,
    Kind.MOMENT: _Row.moment,
    Kind.FLAG: _Row.flag,
    Kind.FEES: _Row.fees,
}


class FeesRefused(ValueError):
    """What was sent is no list of fees. `code` is for programs, `detail` for who typed it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def fees_of(value: Any) -> tuple[Fee, ...]:
    """The fees that were sent, `[{"kind", "amount"}]`, in the order of their kinds. Raises
    FeesRefused."""
    if not isinstance(value, list | tuple):
        raise FeesRefused("invalid", "This must be a list of fees, each with kind and amount.")
    found: dict[str, Fee] = {}
    for each in value:
        if not isinstance(each, Mapping) or set(each) != {"kind", "amount"}:
            raise FeesRefused("invalid", "A fee has a kind and an amount, and nothing else.")
        kind = each["kind"]
        if kind not in FEE_KINDS:
            raise FeesRefused("fee_kind", f"A fee's kind is one of {', '.join(FEE_KINDS)}.")
        if kind in found:
            raise FeesRefused("fee_twice", f"There are two fees of kind {kind}.")
        try:
            found[kind] = Fee(kind, fee_amount(each["amount"]))
        except AmountRefused as refusal:
            raise FeesRefused(refusal.code, f"{kind}: {refusal.detail}") from refusal
    return in_order(found.values())


@lru_cache(1024)
def _day(text: str) -> date | None:
    try:
        return read_day(text)
    except ValueError:
        return None


def _moment(text: str, is_text: bool) -> datetime | None:
    """In UTC. Only text may leave the offset away (New York's clock) or write a blank for T."""
    try:
        return read_moment(text, blank=is_text, zone=NEW_YORK if is_text else None)
    except ValueError:
        return None


# --- what was sent -------------------------------------------------------------------------------


def _said(term: Term, value: Any) -> Any:
    """A value as it goes into a hash: one number or time has one text."""
    if term.kind is Kind.AMOUNT:
        return normalized(value)
    if term.kind in (Kind.DAY, Kind.MOMENT):
        return value and value.isoformat()
    if term.kind is Kind.FEES:
        sent = (fee for fee in value if fee.source != SCHEDULE)
        return {kind: normalized(amount) for kind, amount in amounts(sent).items()}
    return value


def sent_terms(booking: Booking) -> dict[str, Any]:
    """The terms that were sent, numbers normalised, before defaults; without the caller's id."""
    sent = booking.sent
    return {
        term.name: _said(term, getattr(booking, term.name))
        for term in VERSIONED
        if term.name in sent
    }


def sends_terms(booking: Booking, stands: Mapping[str, Any]) -> bool:
    """True if the fields that were sent say what these terms, by name, do; one left out says
    nothing. `stands` may hold more than the terms of a version."""
    said = {term.name: stands[term.name] for term in VERSIONED}
    return sent_terms(booking._replace(**said)) == sent_terms(booking)


def terms_hash(booking: Booking) -> str:
    text = json.dumps(sent_terms(booking), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def batch_hash(bookings: Iterable[Booking]) -> str:
    """The hash of all that was sent, in its order, the callers' ids included."""
    found = hashlib.sha256()
    for booking in bookings:
        row = {**sent_terms(booking), "client_trade_id": booking.client_trade_id}
        found.update(json.dumps(row, sort_keys=True).encode())
        found.update(b"\n")
    return found.hexdigest()
