"""What a caller asks to book: from JSON or text cells to typed terms. Pure, and quick: a bulk
booking or an import calls this for each of its rows.

The rules are those of the single booking's fields (`trades.api.serializers.BookingIn`); both give
the same codes and words for the same input.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from kernel.clock import NEW_YORK
from kernel.errors import FieldError
from kernel.money import AmountRefused, amount_of, normalized

REQUIRED = ("account", "ticker", "side", "quantity", "price")
OPTIONAL = ("trade_date", "executed_at", "client_trade_id", "note")
FIELDS = frozenset((*REQUIRED, *OPTIONAL))
LONGEST = {"account": 32, "ticker": 16, "client_trade_id": 64, "note": 200}
SIDES = ("buy", "sell")
# Nothing was traded here before; earlier times also fall off the calendar in other zones.
EARLIEST_YEAR = 1970
MAX_UNKNOWN_NAMED = 20

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
    r"(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?\Z",
    re.ASCII,
)


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


def booking_of(given: Any, *, is_text: bool = False) -> Booking | list[FieldError]:
    """One row as a booking, or all that is wrong with it. An optional field that is None counts as
    not sent. In text (a CSV file) the side may have any case, and a time without an offset is
    New York's."""
    if not isinstance(given, Mapping):
        return [FieldError("invalid", "This must be an object with the terms of a trade.")]
    row = _Row(given, is_text)
    account, ticker = row.text("account"), row.text("ticker")
    side = row.side()
    quantity, price = row.amount("quantity"), row.amount("price")
    trade_date = executed_at = client_trade_id = None
    note = ""
    if len(given) > len(REQUIRED):
        trade_date, executed_at = row.day(), row.moment()
        client_trade_id = row.text("client_trade_id", required=False)
        note = row.text("note", required=False, may_be_blank=True) or ""
        row.unknown()
    if (
        row.errors
        or account is None
        or ticker is None
        or side is None
        or quantity is None
        or price is None
    ):
        return row.errors
    return Booking(
        account,
        ticker,
        side,
        quantity,
        price,
        trade_date,
        executed_at,
        client_trade_id,
        note,
        _names(tuple(name for name, value in given.items() if value is not None)),
    )


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

    def _value(self, name: str) -> Any:
        """The value of a required field; None, and said, when there is none."""
        value = self.given.get(name)
        if value is None:
            if name in self.given:
                self.refuse(name, "null", "This field may not be null.")
            else:
                self.refuse(name, "required", "This field is required.")
        return value

    def text(self, name: str, *, required: bool = True, may_be_blank: bool = False) -> str | None:
        value = self._value(name) if required else self.given.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.refuse(name, "not_text", "This must be text.")
        elif _SURROGATE.search(value):
            self.refuse(name, "surrogate", "Unpaired surrogates are not allowed.")
        elif _CONTROL.search(value):
            self.refuse(name, "control", "Control characters are not allowed.")
        else:
            stripped = value.strip()
            if not stripped and not may_be_blank:
                self.refuse(name, "blank", "This field may not be blank.")
            elif len(stripped) > LONGEST[name]:
                self.refuse(
                    name,
                    "max_length",
                    f"Ensure this field has no more than {LONGEST[name]} characters.",
                )
            return stripped
        return None

    def side(self) -> str | None:
        value = self._value("side")
        if value in SIDES and isinstance(value, str):
            return value
        if self.is_text and isinstance(value, str) and value.strip().lower() in SIDES:
            return value.strip().lower()
        if value is not None:
            self.refuse("side", "invalid_choice", "This must be buy or sell.")
        return None

    def amount(self, name: str) -> Decimal | None:
        value = self._value(name)
        if value is None:
            return None
        try:
            return amount_of(value)
        except AmountRefused as refusal:
            self.refuse(name, refusal.code, refusal.detail)
            return None

    def day(self) -> date | None:
        value = self.given.get("trade_date")
        if value is None:
            return None
        found = _day(self._cell(value)) if isinstance(value, str) else None
        if found is None:
            self.refuse("trade_date", "malformed", "This must be a date, such as 2026-01-31.")
        return found

    def moment(self) -> datetime | None:
        value = self.given.get("executed_at")
        if value is None:
            return None
        found = _moment(self._cell(value), self.is_text) if isinstance(value, str) else None
        if found is None:
            offset = "" if self.is_text else " with an offset"
            self.refuse(
                "executed_at",
                "malformed",
                f"This must be a time{offset}, such as 2026-01-31T10:00:00-05:00.",
            )
        return found

    def _cell(self, value: str) -> str:
        return value.strip() if self.is_text else value

    def unknown(self) -> None:
        names = sorted(_printable(str(n)) for n in self.given if n not in FIELDS)
        for name in names[:MAX_UNKNOWN_NAMED]:
            self.refuse(name, "unknown_field", "This field is not known.")


def _printable(name: str) -> str:
    return name.encode("ascii", "backslashreplace").decode()[:64]


@lru_cache(1024)
def _day(text: str) -> date | None:
    if not _DATE.match(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _moment(text: str, is_text: bool) -> datetime | None:
    """In UTC. Only text may leave the offset away (New York's clock) or write a blank for T."""
    match = _MOMENT.match(text)
    if match is None or (not is_text and (match["offset"] is None or text[10] == " ")):
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=NEW_YORK)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= EARLIEST_YEAR else None


# --- what was sent -------------------------------------------------------------------------------


def sent_terms(booking: Booking) -> dict[str, Any]:
    """The terms that were sent, numbers normalised, before defaults; without the caller's id."""
    values: dict[str, Any] = {
        "account": booking.account,
        "ticker": booking.ticker,
        "side": booking.side,
        "quantity": normalized(booking.quantity),
        "price": normalized(booking.price),
        "trade_date": booking.trade_date and booking.trade_date.isoformat(),
        "executed_at": booking.executed_at and booking.executed_at.isoformat(),
        "note": booking.note,
    }
    return {name: value for name, value in values.items() if name in booking.sent}


class Terms(Protocol):
    """The terms of a trade, a version or one that is not written yet."""

    @property
    def side(self) -> str: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def price(self) -> Decimal: ...
    @property
    def trade_date(self) -> date: ...
    @property
    def executed_at(self) -> datetime: ...
    @property
    def note(self) -> str: ...


def sends_terms(booking: Booking, terms: Terms, *, account: str, ticker: str) -> bool:
    """Whether the fields that were sent say what these terms do; one left out says nothing."""
    said = booking._replace(
        account=account,
        ticker=ticker,
        side=terms.side,
        quantity=terms.quantity,
        price=terms.price,
        trade_date=terms.trade_date,
        executed_at=terms.executed_at,
        note=terms.note,
    )
    return sent_terms(said) == sent_terms(booking)


def terms_hash(booking: Booking) -> str:
    text = json.dumps(sent_terms(booking), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def batch_hash(bookings: Iterable[Booking]) -> str:
    """Of all that was sent, in its order, the callers' ids included."""
    found = hashlib.sha256()
    for booking in bookings:
        row = {**sent_terms(booking), "client_trade_id": booking.client_trade_id}
        found.update(json.dumps(row, sort_keys=True).encode())
        found.update(b"\n")
    return found.hexdigest()
