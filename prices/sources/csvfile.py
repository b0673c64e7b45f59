"""Replay of a file. Its rows are closes (`ticker,session,close`) or quotes (`ticker,as_of,price`);
one file may hold both, with the other columns left empty. Times carry their offset."""

import csv
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType

from kernel.moments import read_day, read_moment
from kernel.money import read_amount
from prices.models import Instrument
from prices.sources.base import (
    FailureKind,
    SourceClose,
    SourceEvent,
    SourceQuote,
    SourceUnavailable,
)


class CsvSource:
    """Reads the file at each call, so that rows may be added while the system runs."""

    name = "csv"
    ticks_at_any_hour = False
    left_out: Mapping[str, str] = MappingProxyType({})
    events: Sequence[SourceEvent] = ()

    def __init__(self, path: Path) -> None:
        self._path = path

    def quotes(self, instruments: Sequence[Instrument], *, now: datetime) -> list[SourceQuote]:
        wanted = {instrument.ticker for instrument in instruments}
        latest: dict[str, SourceQuote] = {}
        for row in self._rows():
            if isinstance(row, SourceQuote) and row.ticker in wanted and row.as_of <= now:
                known = latest.get(row.ticker)
                if known is None or row.as_of >= known.as_of:
                    latest[row.ticker] = row
        return list(latest.values())

    def closes(
        self, instruments: Sequence[Instrument], first: date, last: date, *, now: datetime
    ) -> list[SourceClose]:
        wanted = {instrument.ticker for instrument in instruments}
        found = {
            (row.ticker, row.session): row
            for row in self._rows()
            if isinstance(row, SourceClose)
            and row.ticker in wanted
            and first <= row.session <= last
        }
        return list(found.values())

    def _rows(self) -> list[SourceQuote | SourceClose]:
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as lines:
                reader = csv.DictReader(lines, strict=True)
                return [_row(row, f"{self._path}:{reader.line_num}") for row in reader]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SourceUnavailable(
                f"PRICE_FILE {self._path}: {error}", kind=FailureKind.FILE
            ) from error


def _row(row: dict[str, str], place: str) -> SourceQuote | SourceClose:
    try:
        ticker = row["ticker"]
        if row.get("close"):
            return SourceClose(ticker, read_day(row["session"]), read_amount(row["close"]))
        as_of = read_moment(row["as_of"], blank=True)
        return SourceQuote(ticker, read_amount(row["price"]), as_of)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceUnavailable(f"{place}: {error}", kind=FailureKind.FILE) from error
