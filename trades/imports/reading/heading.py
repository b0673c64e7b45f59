"""The beginning of a file's table: its delimiter and its header line, below titles. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from kernel.errors import FieldError
from trades.imports.csvfile import cells_of
from trades.imports.reading.names import Columns, columns_of, likeness, plain
from trades.imports.reading.profile import Profile
from trades.imports.reading.profiles import PROFILES
from trades.imports.records import FileRefused, Record, records

DELIMITERS = (",", ";", "\t", "|")
WORDS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
# So much of a file is looked through for its header.
LOOKED_AT = 64 * 1024
MOST_LINES = 60
# A line that names so many fields is a header, whether complete or not.
LIKE_A_HEADER = 3


@dataclass(frozen=True)
class Heading:
    delimiter: str
    record: Record
    columns: Columns
    profile: Profile | None


def heading_of(
    start: Iterable[bytes],
    *,
    profile: Profile | None,
    mapping: Mapping[str, str | None] | None,
    account: str | None,
) -> Heading:
    """Find it in the beginning of a file, UTF-8. Raises FileRefused where there is none."""
    text = _first(start)
    skipped, separators = _said_separator(text)
    best: tuple[tuple[int, int, int], str, Record, Profile | None] | None = None
    for delimiter in separators:
        for record, cells in _lines(text, skipped, delimiter):
            score, found = _score(cells, profile, mapping)
            # The better line; of equal ones the earlier, and the more usual delimiter.
            rank = (score, -record.line, -DELIMITERS.index(delimiter) if delimiter in WORDS else 0)
            if score >= LIKE_A_HEADER and (best is None or rank > best[0]):
                best = rank, delimiter, record, found
    if best is None:
        return _first_line(text, skipped, separators, profile, mapping, account)
    _, delimiter, record, found = best
    return _heading(delimiter, record, found, mapping, account)


def _heading(
    delimiter: str,
    record: Record,
    profile: Profile | None,
    mapping: Mapping[str, str | None] | None,
    account: str | None,
) -> Heading:
    cells = cells_of(record.raw.decode(), delimiter)
    if isinstance(cells, FieldError):
        raise FileRefused("bad_header", f"The header cannot be read. {cells.detail}")
    return Heading(delimiter, record, columns_of(cells, profile, mapping, account), profile)


def _first(start: Iterable[bytes]) -> bytes:
    held = bytearray()
    for part in start:
        held += part
        if len(held) >= LOOKED_AT:
            return bytes(held[:LOOKED_AT])
    return bytes(held)


def _said_separator(text: bytes) -> tuple[int, tuple[str, ...]]:
    """The bytes of a `sep=` line, which spreadsheets write, and what may separate cells."""
    line, end, _ = text.partition(b"\n")
    word = line.strip().strip(b'"').lower()
    if not word.startswith(b"sep=") or len(word) > 5:
        return 0, DELIMITERS
    separator = line.strip().strip(b'"')[4:].decode() or "\t"
    if not separator.isascii() or separator.isalnum() or separator == '"':
        raise FileRefused("bad_separator", f"The first line says that {separator} separates cells.")
    return len(line) + len(end), (separator,)


def _lines(text: bytes, skipped: int, delimiter: str) -> Iterator[tuple[Record, list[str]]]:
    found = records([text[skipped:]], offset=skipped, line=2 if skipped else 1, delimiter=delimiter)
    seen = 0
    for record in found:
        if not record.raw.strip():
            continue
        seen += 1
        cells = cells_of(record.raw.decode("utf-8", "replace"), delimiter)
        if not record.broken and not isinstance(cells, FieldError):
            yield record, cells
        if seen == MOST_LINES:
            return


def _score(
    cells: list[str], profile: Profile | None, mapping: Mapping[str, str | None] | None
) -> tuple[int, Profile | None]:
    names = frozenset(plain(cell) for cell in cells)
    tried = [profile] if profile is not None else PROFILES
    for each in tried:
        if each.fits(names):
            # More names say more: the admin's export has all that the plain format has.
            return 100, each
    if profile is not None:
        return 0, profile
    said = sum(plain(name) in names for name in mapping or {})
    return max(likeness(cells), said and likeness(cells) + said), None


def _first_of_table(
    text: bytes, skipped: int, separators: tuple[str, ...]
) -> tuple[str, Record] | None:
    """The delimiter by which most lines have as many cells as the one before them, and the first
    line of those; None where no two have several."""
    best: tuple[int, str, Record] | None = None
    for delimiter in separators:
        alike = [
            one
            for (one, cells), (_, more) in pairwise(_lines(text, skipped, delimiter))
            if len(cells) == len(more) >= LIKE_A_HEADER
        ]
        if alike and (best is None or len(alike) > best[0]):
            best = len(alike), delimiter, alike[0]
    return best and best[1:]


def _first_line(
    text: bytes,
    skipped: int,
    separators: tuple[str, ...],
    profile: Profile | None,
    mapping: Mapping[str, str | None] | None,
    account: str | None,
) -> Heading:
    """No line looks like a header: the first one of a table is taken for it, else the very first,
    to say what it lacks."""
    rest = text[skipped:]
    if profile is None and (found := _first_of_table(text, skipped, separators)) is not None:
        return _heading(*found, None, mapping, account)
    line = next((part for part in rest.splitlines() if part.strip()), b"")
    if not line:
        raise FileRefused("empty", "The file is empty: a header and rows were expected.")
    delimiter = max(separators, key=lambda each: (line.count(each.encode()), each == ","))
    for record in records([rest], offset=skipped, line=2 if skipped else 1, delimiter=delimiter):
        if not record.raw.strip():
            continue
        if profile is not None:
            raise FileRefused(
                "no_header", f"No line names the columns of a file of {profile.label}."
            )
        return _heading(delimiter, record, None, mapping, account)
    raise FileRefused("empty", "The file is empty: a header and rows were expected.")
