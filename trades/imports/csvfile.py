"""A CSV file of trades: bytes in, records, columns and cells out. Pure, and streaming: at no time
is more than a chunk of the file held.

A record is a row as CSV has it: a physical line, or several where a quoted cell holds line breaks.
As in RFC 4180, a quote opens a cell only where a cell begins, and is doubled within one; elsewhere
it is text, as in 5". A quote that never closes, or closes where no cell can end, spoils its own
line only, not the rest of the file.
"""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kernel.errors import FieldError
from kernel.spreadsheet_text import harmless, meant
from trades.terms import FIELDS, IGNORED_COLUMNS, REJECTED_COLUMNS, REQUIRED, TERMS

BOM = codecs.BOM_UTF8
# Far beyond any honest row; bounds what a quote that never closes can take with it.
MAX_RECORD = 16 * 1024
OPEN, CLOSED, WRONG = "open", "closed", "wrong"
_CELL_ENDS = (b",", b"\r", b"\n", b"")
# A line as most are, told at once: whole cells, plain or in quotes that hold no others.
_USUAL = re.compile(rb'(?:"[^"]*+"|[^",]*+)(?:,(?:"[^"]*+"|[^",]*+))*+\r?\n?')

# What people call the columns; case, blanks and underscores do not matter.
_ALIASES = {
    alias: term.name for term in TERMS for alias in (term.name.replace("_", " "), *term.aliases)
}
_IGNORED = frozenset(name.replace("_", " ") for name in IGNORED_COLUMNS)
_OF_REJECTED = frozenset(name.replace("_", " ") for name in REJECTED_COLUMNS)

_MARKS = {b"PK\x03\x04": "a ZIP archive or an Excel workbook", b"\x1f\x8b": "a gzip archive",
          b"%PDF": "a PDF", b"\xff\xfe": "UTF-16 text", b"\xfe\xff": "UTF-16 text",
          b"\xd0\xcf\x11\xe0": "an old Excel workbook"}  # fmt: skip
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class FileRefused(ValueError):
    """The file as a whole cannot be imported. `code` is for programs."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Record(NamedTuple):
    """`line` is the number of its first physical line, from 1; `end` the offset behind it and
    `next_line` the number of the line there. A `broken` one opens a quote that is never closed."""

    raw: bytes
    line: int
    end: int
    next_line: int
    broken: bool


@dataclass(frozen=True)
class Header:
    """`names` as typed; `fields` what each column means, None for one that is passed over. In a
    file of rejected rows the cells were made harmless for spreadsheets."""

    names: tuple[str, ...]
    fields: tuple[str | None, ...]
    of_rejected: bool = False


def records(chunks: Iterable[bytes], *, offset: int = 0, line: int = 1) -> Iterator[Record]:
    """The records of a file from an offset on, where a record begins. Blank lines are records too.

    Raises FileRefused for a line of more than `MAX_RECORD` bytes.
    """
    lines = _lines(chunks)
    again: deque[bytes] = deque()
    while True:
        first = again.popleft() if again else next(lines, None)
        if first is None:
            return
        broken = False
        raw, taken = first, 1
        if b'"' in first and _quotes(first.removeprefix(BOM) if offset == 0 else first) is OPEN:
            held = [first]
            size, state = len(first), OPEN
            while state is OPEN and size <= MAX_RECORD:
                more = again.popleft() if again else next(lines, None)
                if more is None:
                    break
                held.append(more)
                size += len(more)
                state = _quotes(more, within=True)
            if state is CLOSED:
                raw, taken = b"".join(held), len(held)
            else:
                broken = True
                again.extendleft(reversed(held[1:]))
        if len(first) > MAX_RECORD:
            raise FileRefused("line_too_long", f"Line {line} is longer than {MAX_RECORD:,} bytes.")
        offset += len(raw)
        yield Record(raw, line, offset, line + taken, broken)
        line += taken


def _quotes(line: bytes, *, within: bool = False) -> str:
    """How a physical line leaves its quotes, when it begins with a cell or `within` a quoted one:
    CLOSED, OPEN (the cell goes on in the next line), or WRONG (something stands behind a closing
    quote)."""
    if not within and _USUAL.fullmatch(line):
        return CLOSED
    at = 0
    while True:
        if within or line[at : at + 1] == b'"':
            at += not within
            within = False
            while (at := line.find(b'"', at)) >= 0 and line[at + 1 : at + 2] == b'"':
                at += 2
            if at < 0:
                return OPEN
            if line[at + 1 : at + 2] not in _CELL_ENDS:
                return WRONG
        at = line.find(b",", at) + 1
        if not at:
            return CLOSED


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Physical lines with their ends: LF, CRLF or CR, also where a chunk ends within one."""
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        parts = data.splitlines(keepends=True)
        # A CR may be half of a CRLF.
        rest = parts.pop() if parts and not data.endswith(b"\n") else b""
        yield from parts
        if len(rest) > MAX_RECORD:
            yield rest
            rest = b""
    if rest:
        yield rest


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


def cells_of(text: str) -> list[str] | FieldError:
    """The cells of one record, as they stand there."""
    text = text.rstrip("\r\n")
    if '"' not in text:
        return text.split(",")
    try:
        # One record at a time: a quote left open in one must not swallow the next.
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        return FieldError("bad_quotes", f"Its quotes cannot be read: {error}.")


def row_of(record: Record, header: Header) -> dict[str, str] | FieldError:
    """The cells of one record by field, empty optional ones left out."""
    if record.broken:
        return FieldError("bad_quotes", "A quote in this line is never closed.")
    cells = cells_as_meant(record.raw.decode("utf-8"), header)
    if isinstance(cells, FieldError):
        return cells
    if len(cells) != len(header.fields):
        return _wrong_count(cells, header)
    row = {
        field: cell
        for field, cell in zip(header.fields, cells, strict=True)
        if field and (field in REQUIRED or (cell and not cell.isspace()))
    }
    if row["ticker"] not in header.names:
        return row
    if tuple(cell.strip() for cell in cells) == header.names:
        return FieldError("header_again", "This is the header once more.")
    return row


def _wrong_count(cells: Sequence[str], header: Header) -> FieldError:
    found, wanted = len(cells), len(header.fields)
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
