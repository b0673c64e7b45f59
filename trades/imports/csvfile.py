"""The cells of a record, and the file of rejected rows. Pure."""

import csv
import threading
from collections.abc import Iterable, Iterator, Sequence

from kernel.errors import FieldError
from kernel.spreadsheet_text import harmless
from trades.terms import REJECTED_COLUMNS


class _Reader(threading.local):
    """Python's readers of CSV, made once each: that takes longer than to read a short record."""

    def __init__(self) -> None:
        self._text: str | None = None
        self._readers: dict[str, Iterator[list[str]]] = {}

    def __iter__(self) -> "_Reader":
        return self

    def __next__(self) -> str:
        """One record at a time: a quote left open in one must not swallow the next."""
        text, self._text = self._text, None
        if text is None:
            raise StopIteration
        return text

    def cells(self, text: str, delimiter: str) -> list[str]:
        reader = self._readers.get(delimiter)
        if reader is None:
            reader = csv.reader(self, strict=True, delimiter=delimiter)
            self._readers[delimiter] = reader
        self._text = text
        return next(reader)


_reader = _Reader()


def cells_of(text: str, delimiter: str = ",") -> list[str] | FieldError:
    """The cells of one record, as they stand there."""
    text = text.rstrip("\r\n")
    if '"' not in text:
        return text.split(delimiter)
    try:
        return _reader.cells(text, delimiter)
    except csv.Error as error:
        return FieldError("bad_quotes", f"Its quotes cannot be read: {error}.")


def rejected_lines(
    columns: Sequence[str], rows: Iterable[tuple[int, str, Sequence[str]]]
) -> Iterator[str]:
    """A file of rejected rows, each with its line, the reason and its cells, under the columns of
    the file that they came from: safe in a spreadsheet, and read back as they were."""
    writer = csv.writer(_Echo())
    yield writer.writerow([*REJECTED_COLUMNS, *columns])
    for line, reason, cells in rows:
        yield writer.writerow([line, harmless(reason), *map(harmless, cells)])


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text
