"""A file looked through once: as text, with its heading, what its columns decide, and the plan of
its rows. Pure.

The rows can be read before all of the file is known only if what it decides is guessed: from its
first rows. Nearly always the others decide the same, and then the file was planned on the way;
else `plan_of` looks through it again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from trades.imports.blocks import Block, pieces
from trades.imports.reading.encoding import NotUtf8, Read, Text, text_not_utf8, text_of
from trades.imports.reading.heading import Heading
from trades.imports.reading.names import Ask
from trades.imports.reading.planning import Planner
from trades.imports.reading.reading import Options, Reading
from trades.imports.reading.survey import Survey, Surveyor, heading_read, reading_of
from trades.imports.records import Record

_GUESSED_BY = 1_000


@dataclass(frozen=True)
class Opened:
    """`asks` is what has to be said before the file can be booked. `planner` has seen all rows as
    the file is read; None where they have to be looked through once more."""

    text: Text
    heading: Heading
    seen: Survey
    reading: Reading
    asks: tuple[Ask, ...]
    planner: Planner | None = None


def file_open(
    read: Read, options: Options, *, most: int | None = None, today: date | None = None
) -> Opened:
    """Look through the file, or through no more than its first bytes; `read` gives it from its
    beginning and is called several times. With `today`, the trade date of rows without one, they
    are planned on the way. Raises FileRefused."""
    try:
        return _open(text_of(read), options, most, today)
    except NotUtf8 as at:
        return _open(text_not_utf8(read, at), options, most, today)


def _open(whole: Text, options: Options, most: int | None, today: date | None) -> Opened:
    text = whole
    if most is not None:
        text = Text(whole.encoding, lambda: beginning(whole.read(), most))
    heading = heading_read(text.read(), options)
    look = _Look(heading, options, text.encoding, today)
    record = heading.record
    for piece in pieces(
        text.read(), offset=record.end, line=record.next_line,
        width=len(heading.columns.fields), delimiter=heading.delimiter,
    ):  # fmt: skip
        look.see(piece)
    reading, asks, planner = look.end()
    return Opened(text, heading, look.surveyor.found, reading, tuple(asks), planner)


class _Look:
    """The one pass. The first rows wait until it is guessed how they are read."""

    def __init__(
        self, heading: Heading, options: Options, encoding: str, today: date | None
    ) -> None:
        self.surveyor = Surveyor(heading)
        self._heading, self._options, self._encoding = heading, options, encoding
        self._today = today
        self._width = len(heading.columns.fields)
        self._waiting: list[Record | tuple[Block, list[frozenset[str]]]] | None = []
        if today is None:
            self._waiting = None
        self._planner: Planner | None = None

    def see(self, piece: Block | Record) -> None:
        if isinstance(piece, Block):
            columns = piece.columns(self._width)
            self.surveyor.block(len(piece.rows), columns)
            self._plan((piece, columns))
        else:
            self.surveyor.record(piece)
            if self._planner is not None:
                self._planner.record(piece)
            else:
                self._plan(piece)

    def _plan(self, seen: Record | tuple[Block, list[frozenset[str]]]) -> None:
        if self._waiting is not None:
            self._waiting.append(seen)
            if not isinstance(seen, Record) or len(self._waiting) >= _GUESSED_BY:
                self._guess()
        elif self._planner is not None:
            _seen_by(self._planner, seen)

    def _guess(self) -> None:
        reading, asks = self._decided()
        waiting, self._waiting = self._waiting or [], None
        if asks or self._today is None:
            return
        self._planner = Planner(reading, today=self._today, order=self._options.order)
        for seen in waiting:
            _seen_by(self._planner, seen)

    def _decided(self) -> tuple[Reading, list[Ask]]:
        self.surveyor.settle()
        return reading_of(self._heading, self.surveyor.found, self._options, self._encoding)

    def end(self) -> tuple[Reading, list[Ask], Planner | None]:
        if self._waiting is not None:
            self._guess()
        reading, asks = self._decided()
        planner = self._planner
        if planner is not None and (asks or planner.reading != reading or planner.is_short):
            planner = None
        return reading, asks, planner


def _seen_by(planner: Planner, seen: Record | tuple[Block, list[frozenset[str]]]) -> None:
    if isinstance(seen, Record):
        planner.record(seen)
    else:
        planner.block(*seen)


def beginning(parts: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The first bytes of a file as UTF-8, up to the last end of a line among them."""
    held = 0
    for part in parts:
        if held + len(part) < most:
            held += len(part)
            yield part
            continue
        cut = part[: most - held]
        yield cut[: cut.rfind(b"\n") + 1]
        return
