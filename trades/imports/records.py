"""The records of a CSV file. Pure, and streaming: at no time is more than a chunk of it held.

A record is a row as CSV has it: a physical line, or several where a quoted cell holds line breaks.
As in RFC 4180, a quote opens a cell only where a cell begins, and is doubled within one; elsewhere
it is text, as in 5". A quote that never closes, or closes where no cell can end, spoils its own
line only, not the rest of the file.
"""

import codecs
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from typing import NamedTuple, cast

BOM = codecs.BOM_UTF8
# Far beyond any honest row; bounds what a quote that never closes can take with it.
MAX_RECORD = 16 * 1024
OPEN, CLOSED = "open", "closed"
# Grammars of a physical line. Each byte is looked at once: nothing that was taken is given back.
_QUOTED = rb'[^"]*+(?:""[^"]*+)*+'


class _Grammar(NamedTuple):
    """Of a line that begins where a record does, and of one that begins within a quoted cell."""

    from_start: re.Pattern[bytes]
    from_within: re.Pattern[bytes]


@lru_cache(8)
def _grammar(delimiter: str) -> _Grammar:
    d = re.escape(delimiter.encode())
    cell = rb'(?:"' + _QUOTED + rb'"(?=[' + d + rb'\r\n]|\Z)|(?!")[^' + d + rb"]*+)"
    ends = rb"(?:(?P<closed>[\r\n]*+\Z)|(?P<open>" + d + rb'?"' + _QUOTED + rb"\Z))"
    within = rb'(?:\Z|"(?=[' + d + rb"\r\n]|\Z)(?:" + d + cell + rb")*+" + ends + rb")"
    return _Grammar(
        re.compile(rb"(?:" + cell + rb"(?:" + d + cell + rb")*+)?+" + ends),
        re.compile(_QUOTED + within),
    )


_FROM_START, _FROM_WITHIN = _grammar(",")


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


# A third of the time that the class takes to be called.
_Fields = tuple[bytes, int, int, int, bool]
_record = cast(Callable[[_Fields], Record], partial(tuple.__new__, Record))


def records(
    chunks: Iterable[bytes], *, offset: int = 0, line: int = 1, delimiter: str = ","
) -> Iterator[Record]:
    """The records of a file from an offset on, where a record begins. A run of blank lines is a
    record too, of tab-separated ones as well. The work is linear in the bytes, whatever they are.

    Raises FileRefused for a line of more than `MAX_RECORD` bytes.
    """
    return records_of_lines(_lines(chunks), offset=offset, line=line, delimiter=delimiter)


def records_of_lines(
    lines: Iterator[bytes], *, offset: int, line: int, delimiter: str
) -> Iterator[Record]:
    """The same of physical lines with their ends."""
    grammar = _grammar(delimiter)
    ahead = _LookAhead(lines, grammar.from_within)
    held = ahead.held
    while True:
        first = ahead.take() if held else next(lines, None)
        if first is None:
            return
        raw, taken, broken = first, 1, False
        if first.isspace():
            run = ahead.blank_run(first)
            raw, taken = b"".join(run), len(run)
        elif b'"' in first:
            start = first.removeprefix(BOM) if offset == 0 else first
            if _leaves(start, grammar.from_start) is OPEN:
                more = ahead.until_closed(len(first))
                broken = more is None
                if more:
                    raw, taken = b"".join([first, *more]), 1 + len(more)
        if len(first) > MAX_RECORD:
            raise FileRefused("line_too_long", f"Line {line} is longer than {MAX_RECORD:,} bytes.")
        offset += len(raw)
        yield _record((raw, line, offset, line + taken, broken))
        line += taken


def _leaves(line: bytes, grammar: re.Pattern[bytes]) -> str | None:
    """How a physical line leaves its quotes: CLOSED; OPEN, the cell goes on in the next line; or
    None, something stands behind a closing quote."""
    found = grammar.match(line)
    if found is None:
        return None
    return CLOSED if found.lastgroup == "closed" else OPEN


class _LookAhead:
    """Lines that were read in search of a closing quote, and are to be read again.

    Each has with it how it leaves a quoted cell that it begins within: all leave it open, but for
    the last maybe. So whichever of them opens a quote next, its end is known already, and no line
    is looked through a second time.
    """

    def __init__(self, lines: Iterator[bytes], grammar: re.Pattern[bytes]) -> None:
        self.lines = lines
        self.grammar = grammar
        self.held: deque[tuple[bytes, str | None]] = deque()
        self.size = 0

    def take(self) -> bytes | None:
        """The next line."""
        if not self.held:
            return next(self.lines, None)
        line, _ = self.held.popleft()
        self.size -= len(line)
        return line

    def until_closed(self, size: int) -> list[bytes] | None:
        """Take the lines up to the one that closes the quote which a line of `size` bytes left
        open; None, and none taken, when none does so within `MAX_RECORD` bytes."""
        held = self.held
        while size + self.size <= MAX_RECORD and (not held or held[-1][1] is OPEN):
            line = next(self.lines, None)
            if line is None:
                return None
            state = _leaves(line, self.grammar) if b'"' in line else OPEN
            if state is CLOSED and not held:
                return [line]
            self._hold(line, state)
        if not held or held[-1][1] is not CLOSED:
            return None
        if size + self.size - len(held[-1][0]) > MAX_RECORD:
            # It closes, but too far away from this line.
            return None
        found = [line for line, _ in held]
        held.clear()
        self.size = 0
        return found

    def blank_run(self, first: bytes) -> list[bytes]:
        """Take the blank lines that follow this one, up to `MAX_RECORD` bytes; with it."""
        run, size = [first], len(first)
        while size <= MAX_RECORD and self.held and self.held[0][0].isspace():
            line = self.take() or b""
            run.append(line)
            size += len(line)
        if self.held or size > MAX_RECORD:
            return run
        # A file may be nothing else: as little as can be is done for each.
        for line in self.lines:
            if not line.isspace():
                self._hold(line, _leaves(line, self.grammar))
                break
            run.append(line)
            size += len(line)
            if size > MAX_RECORD:
                break
        return run

    def _hold(self, line: bytes, state: str | None) -> None:
        self.held.append((line, state))
        self.size += len(line)


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
