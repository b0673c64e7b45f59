"""A file in blocks of lines that are a row each; and record by record where it is not like that.
Pure.

Nearly all lines of nearly all files are so, and a block of them is split, looked at and counted by
a few calls. What a record is stays the rule of `records`: a block that it could read otherwise is
left to it.
"""

import csv
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from trades.imports.records import MAX_RECORD, Record, records_of_lines

_NONE: frozenset[int] = frozenset()


class Block(NamedTuple):
    """`rows` are the cells of each line, `sizes` its bytes with the end of the line. `start` is the
    offset of the first, and `line` its number. `odd` are the places of rows that are not as wide as
    the header."""

    data: bytes
    rows: list[list[str]]
    sizes: list[int]
    odd: frozenset[int]
    start: int
    line: int

    def columns(self, width: int) -> list[frozenset[str]]:
        """What stands in each column, but for that of odd rows."""
        odd = self.odd
        rows = [row for at, row in enumerate(self.rows) if at not in odd] if odd else self.rows
        return [frozenset(cells) for cells in zip(*rows, strict=True)] or [frozenset()] * width


def pieces(
    chunks: Iterable[bytes], *, offset: int, line: int, width: int, delimiter: str
) -> Iterator[Block | Record]:
    """The file from an offset on, where a record begins; `chunks` is all of it. What `records`
    says of the same bytes, in the same order. Raises FileRefused as it does."""
    source = _Source(_after(chunks, offset), offset)
    while (data := source.block()) is not None:
        start = source.given
        split = _split(data, width, delimiter)
        if split is not None:
            rows, sizes, odd = split
            yield Block(data, rows, sizes, odd, start, line)
            line += len(rows)
            source.given += len(data)
            continue
        for record in records_of_lines(
            source.lines(data), offset=start, line=line, delimiter=delimiter
        ):
            yield record
            line = record.next_line
            # Nothing is held back, and the next block begins here.
            if record.end == source.given == source.until:
                break


class _Source:
    """A file in blocks of whole lines. `given` is the offset behind what was taken of it, `until`
    that behind the block which is taken line by line."""

    def __init__(self, chunks: Iterable[bytes], offset: int) -> None:
        self._blocks = _whole_lines(chunks)
        self.given = self.until = offset

    def block(self) -> bytes | None:
        return next(self._blocks, None)

    def lines(self, block: bytes) -> Iterator[bytes]:
        """The lines of this block, and then of those behind it."""
        found: bytes | None = block
        while found is not None:
            self.until = self.given + len(found)
            for line in found.splitlines(keepends=True):
                self.given += len(line)
                yield line
            found = self.block()


def _after(chunks: Iterable[bytes], offset: int) -> Iterator[bytes]:
    for chunk in chunks:
        if offset:
            cut = min(offset, len(chunk))
            chunk, offset = chunk[cut:], offset - cut
        if chunk:
            yield chunk


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        # A CR at the end may be half of a CRLF.
        cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
        rest = data[cut:]
        if cut:
            yield data[:cut]
        if len(rest) > MAX_RECORD:
            yield rest
            rest = b""
    if rest:
        yield rest


def _split(
    data: bytes, width: int, delimiter: str
) -> tuple[list[list[str]], list[int], frozenset[int]] | None:
    """The rows of a block, the bytes of each, and which are odd; None where a line may be no row by
    itself."""
    raw = data.split(b"\n")
    if raw.pop():
        return None
    sizes = [len(line) + 1 for line in raw]
    if max(sizes) > MAX_RECORD or any(map(bytes.isspace, raw)) or b"" in raw:
        return None
    returns = data.count(b"\r")
    if returns and returns != data.count(b"\r\n"):
        return None
    text = data.decode()
    lines = (text.replace("\r\n", "\n") if returns else text).split("\n")
    lines.pop()
    if b'"' in data:
        try:
            rows = list(csv.reader(lines, strict=True, delimiter=delimiter))
        except csv.Error:
            return None
        if len(rows) != len(lines):
            return None
    else:
        rows = [line.split(delimiter) for line in lines]
    if set(map(len, rows)) == {width}:
        return rows, sizes, _NONE
    return rows, sizes, frozenset(at for at, row in enumerate(rows) if len(row) != width)
