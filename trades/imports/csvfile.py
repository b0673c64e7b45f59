"""A CSV file of trades: is it text, what do its columns mean, what do its records say? Pure."""

import codecs
import csv
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kernel.errors import FieldError
from kernel.spreadsheet_text import harmless, meant
from trades.imports.records import BOM, FileRefused, Record
from trades.terms import FIELDS, IGNORED_COLUMNS, REJECTED_COLUMNS, REQUIRED, SAID

# What people call the columns; case, blanks and underscores do not matter.
_ALIASES = {
    alias: term.name for term in SAID for alias in (term.name.replace("_", " "), *term.aliases)
}
_IGNORED = frozenset(name.replace("_", " ") for name in IGNORED_COLUMNS)
_OF_REJECTED = frozenset(name.replace("_", " ") for name in REJECTED_COLUMNS)

_MARKS = {b"PK\x03\x04": "a ZIP archive or an Excel workbook", b"\x1f\x8b": "a gzip archive",
          b"%PDF": "a PDF", b"\xff\xfe": "UTF-16 text", b"\xfe\xff": "UTF-16 text",
          b"\xd0\xcf\x11\xe0": "an old Excel workbook"}  # fmt: skip
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Header:
    """`names` as typed; `fields` what each column means, None for one that is passed over. In a
    file of rejected rows the cells were made harmless for spreadsheets."""

    names: tuple[str, ...]
    fields: tuple[str | None, ...]
    of_rejected: bool = False


class TextCheck:
    """Looks at a file's bytes as they pass: is it text at all?"""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._line = 1
        self._begun = False

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        """Raise FileRefused for what is no UTF-8 text without NULs."""
        if not self._begun and chunk:
            self._begun = True
            for mark, what in _MARKS.items():
                if chunk.startswith(mark):
                    raise FileRefused("not_csv", f"This is {what}. Save it as CSV (UTF-8) first.")
        if b"\x00" in chunk:
            line = self._line + chunk[: chunk.index(b"\x00")].count(b"\n")
            raise FileRefused("nul", f"Line {line} holds a NUL byte: this is no CSV text.")
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            line = self._line + error.object[: error.start].count(b"\n")
            raise FileRefused(
                "not_utf8", f"Line {line} is not UTF-8 text. Save the file as CSV UTF-8."
            ) from None
        self._line += chunk.count(b"\n")


def header_of(record: Record | None) -> Header:
    """What the first record says the columns are. Raises FileRefused: empty, unknown, doubled or
    missing columns."""
    raw = record.raw.removeprefix(BOM) if record else b""
    cells = cells_of(raw.decode("utf-8")) if raw.strip() else []
    if isinstance(cells, FieldError):
        raise FileRefused("bad_header", f"The header cannot be read. {cells.detail}")
    if not cells:
        raise FileRefused("empty", "The file is empty: a header and rows were expected.")
    return header_named(cells)


def header_named(cells: Sequence[str]) -> Header:
    """What these names of columns mean. Raises FileRefused."""
    names = tuple(cell.strip() for cell in cells)
    fields: list[str | None] = []
    for name in names:
        known = _known(name)
        if known is None:
            raise FileRefused("unknown_column", _unknown(name, names))
        fields.append(known or None)
    for field in dict.fromkeys(f for f in fields if f):
        same = [n for n, f in zip(names, fields, strict=True) if f == field]
        if len(same) > 1:
            raise FileRefused("column_twice", f"The header has {field} twice: {', '.join(same)}.")
    missing = [field for field in REQUIRED if field not in fields]
    if missing:
        raise FileRefused("missing_column", f"The header lacks {', '.join(missing)}.")
    return Header(names, tuple(fields), any(_plain(name) in _OF_REJECTED for name in names))


def _known(name: str) -> str | None:
    """The field that a column's name means; "" for one to pass over, None for an unknown one."""
    plain = _plain(name)
    return "" if plain in _IGNORED else _ALIASES.get(plain)


def _plain(name: str) -> str:
    return re.sub(r"[\s_]+", " ", name).strip().lower()


def _unknown(name: str, names: Sequence[str]) -> str:
    for separator, word in _SEPARATORS.items():
        if len(names) == 1 and separator in name:
            return f"The columns are separated by {word}; separate them by commas."
    shown = name[:40].encode("unicode_escape").decode()
    return f"The column '{shown}' is not known. Known: {', '.join(FIELDS)}."


def cells_as_meant(text: str, header: Header) -> list[str] | FieldError:
    """The cells of one record below this header."""
    cells = cells_of(text)
    if header.of_rejected and not isinstance(cells, FieldError):
        return [meant(cell) for cell in cells]
    return cells


class _Reader(threading.local):
    """Python's reader of CSV, made once: that takes longer than to read a short record."""

    def __init__(self) -> None:
        self._text: str | None = None
        self.read = csv.reader(self, strict=True)

    def __iter__(self) -> "_Reader":
        return self

    def __next__(self) -> str:
        """One record at a time: a quote left open in one must not swallow the next."""
        text, self._text = self._text, None
        if text is None:
            raise StopIteration
        return text

    def cells(self, text: str) -> list[str]:
        self._text = text
        return next(self.read)


_reader = _Reader()


def cells_of(text: str) -> list[str] | FieldError:
    """The cells of one record, as they stand there."""
    text = text.rstrip("\r\n")
    if '"' not in text:
        return text.split(",")
    try:
        return _reader.cells(text)
    except csv.Error as error:
        return FieldError("bad_quotes", f"Its quotes cannot be read: {error}.")


_NEVER_CLOSED = FieldError("bad_quotes", "A quote in this line is never closed.")
_HEADER_AGAIN = FieldError("header_again", "This is the header once more.")


def row_of(record: Record, header: Header) -> dict[str, str] | FieldError:
    """The cells of one record by field, empty optional ones left out."""
    if record.broken:
        return _NEVER_CLOSED
    cells = cells_as_meant(record.raw.decode("utf-8"), header)
    if isinstance(cells, FieldError):
        return cells
    if len(cells) != len(header.fields):
        return _wrong_count(len(cells), len(header.fields))
    row = {
        field: cell
        for field, cell in zip(header.fields, cells, strict=True)
        if field and (field in REQUIRED or (cell and not cell.isspace()))
    }
    if row["ticker"] not in header.names:
        return row
    if tuple(cell.strip() for cell in cells) == header.names:
        return _HEADER_AGAIN
    return row


@lru_cache(1024)
def _wrong_count(found: int, wanted: int) -> FieldError:
    """Kept, as a file may have a million such rows."""
    if found > wanted:
        detail = f"This row has {found} cells, the header {wanted}."
        hint = " Is a number written with thousands separators? Write 1000 for 1,000."
        return FieldError("too_many_cells", detail + hint)
    return FieldError("too_few_cells", f"This row has only {found} cells, the header {wanted}.")


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
