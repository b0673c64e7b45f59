"""Rows of a file on their way to a batch: read, told what the file says of them, and refused with
words where they cannot be booked."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from kernel.errors import FieldError
from trades.bookings import booking_of
from trades.imports.reading import kinds
from trades.imports.reading.names import ACCOUNT, OWN_ID, TICKER
from trades.imports.reading.outcome import Row
from trades.imports.reading.plan import REFUSALS, Verdict
from trades.imports.reading.reading import Reading
from trades.imports.reading.rows import RowReader
from trades.imports.reading.terms_read import Passed
from trades.imports.reading.tickers import Tickers, did_you_mean
from trades.imports.reading.units import Unit
from trades.imports.records import Record
from trades.models import ClientTradeId, Trade
from trades.services.batch import Batch
from trades.terms import Booking

# Of a piece; who mends a file reads no more.
_MOST_LOOKED_UP = 100
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_CHANGES = (Verdict.CANCELS_UNKNOWN, Verdict.CORRECTS_UNKNOWN)


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


@dataclass
class Judged:
    """Rows by number, and what was made of each: a booking, a refusal, or passed over by kind.
    `changing` are those refused that change a row which is not in the file; `own` holds the ids of
    trades that rows of our own exports are."""

    rows: dict[int, Record] = field(default_factory=dict)
    bookings: dict[int, Booking] = field(default_factory=dict)
    rejected: dict[int, list[FieldError]] = field(default_factory=dict)
    passed: dict[int, str] = field(default_factory=dict)
    changing: dict[int, Row] = field(default_factory=dict)
    own: dict[int, str] = field(default_factory=dict)

    @property
    def passed_over(self) -> "Counter[str]":
        return Counter(self.passed.values())

    def told_apart(self, batch: Batch) -> None:
        """Leave out rows that are trades which are booked here: exported, and sent again."""
        if not self.own:
            return
        seen = [right.account.pk for right in batch.rights.values()]
        booked = Trade.objects.filter(pk__in=set(self.own.values()), account__in=seen)
        known = {str(pk) for pk in booked.values_list("pk", flat=True)}
        for row, trade_id in self.own.items():
            if trade_id in known and row in batch.trades:
                batch.earlier[row] = trade_id
                del batch.trades[row]


class Judge:
    """Reads the units of one file."""

    def __init__(self, reading: Reading, tickers: Tickers) -> None:
        self.reader = RowReader(reading)
        self._tickers = tickers
        by_name = reading.known is not None and reading.known.by_name
        self._find = lru_cache(8192)(tickers.named if by_name else tickers.find)
        self._near = lru_cache(1024)(lambda written: did_you_mean(tickers.near(written)))

    def judge(
        self, units: Iterable[Unit], *, first: int, refusal: FieldError | None = None
    ) -> Judged:
        """The rows of these units, numbered from `first` on. With a refusal none is booked."""
        found = Judged()
        number = first
        for unit in units:
            verdict = unit.verdict
            for record in unit.records:
                if record.raw.isspace():
                    continue
                self._one(found, number, record, verdict, refusal)
                verdict = Verdict.NONE
                number += 1
        return found

    def _one(
        self,
        found: Judged,
        number: int,
        record: Record,
        verdict: Verdict,
        refusal: FieldError | None,
    ) -> None:
        found.rows[number] = record
        outcome = self.reader.read(record)
        if isinstance(outcome, Passed):
            found.passed[number] = outcome.kind
        elif isinstance(outcome, list):
            found.rejected[number] = outcome
        elif verdict is Verdict.CANCELLED:
            found.passed[number] = kinds.CANCELLED
        elif verdict:
            found.rejected[number] = [REFUSALS[verdict]]
            if verdict in _CHANGES:
                found.changing[number] = outcome
        elif refusal is not None:
            found.rejected[number] = [refusal]
        else:
            self._booking(found, number, outcome)

    def _booking(self, found: Judged, number: int, row: Row) -> None:
        values = row.values
        ticker = self._find(values[TICKER])
        if ticker is not None:
            values[TICKER] = ticker
        booking = booking_of(values, is_text=True)
        if isinstance(booking, Booking):
            found.bookings[number] = booking
            if is_uuid(row.trade_id):
                found.own[number] = row.trade_id.lower()
        else:
            found.rejected[number] = booking

    def say(self, judged: Judged, batch: Batch) -> None:
        """Of every row that the batch did not take, why not."""
        for row, errors in batch.refused.items():
            judged.rejected[row] = [self._suggested(error, batch, row) for error in errors]
        for row, trade in batch.earlier.items():
            before = f"booked trade {trade} before" if trade else "stands in this file before"
            judged.rejected[row] = [FieldError("already_booked", f"Its client_trade_id {before}.")]
        for row, change in list(judged.changing.items())[:_MOST_LOOKED_UP]:
            booked = self._booked(change, batch)
            if booked:
                judged.rejected[row] = [
                    FieldError(
                        "names_booked",
                        f"It {change.action}s trade {booked}, which is booked: cancel or amend that"
                        " one, with a reason.",
                    )
                ]

    def _suggested(self, error: FieldError, batch: Batch, row: int) -> FieldError:
        if error.code != "unknown_ticker":
            return error
        return FieldError(
            error.code, error.detail + self._near(batch.bookings[row].ticker), error.attr
        )

    def _booked(self, change: Row, batch: Batch) -> str | None:
        """The trade that a row changes, where it is booked in an account that the user may see."""
        values = change.values
        right = batch.rights.get(values.get(ACCOUNT, ""))
        if right is None:
            return None
        if change.names:
            own = ClientTradeId.objects.filter(
                account=right.account.pk, client_trade_id=change.names
            )
            found = own.values_list("trade_id", flat=True).first()
            return None if found is None else str(found)
        booking = booking_of({k: v for k, v in values.items() if k != OWN_ID}, is_text=True)
        if not isinstance(booking, Booking):
            return None
        same = Trade.objects.filter(
            account=right.account.pk,
            instrument__ticker=self._find(booking.ticker) or booking.ticker,
            side=booking.side,
            quantity=booking.quantity,
            price=booking.price,
        ).exclude(status="cancelled")
        trade = same.order_by("-id").values_list("pk", flat=True).first()
        return None if trade is None else str(trade)
