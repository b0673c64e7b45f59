"""A file looked through once: as text, with its heading, and what its columns decide. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from trades.imports.reading.encoding import NotUtf8, Read, Text, text_not_utf8, text_of
from trades.imports.reading.heading import Heading
from trades.imports.reading.names import EXECUTED_AT, TRADE_DATE, Ask
from trades.imports.reading.reading import Options, Reading
from trades.imports.reading.survey import Survey, heading_read, reading_of, survey


@dataclass(frozen=True)
class Opened:
    """`asks` is what has to be said before the file can be booked."""

    text: Text
    heading: Heading
    seen: Survey
    reading: Reading
    asks: tuple[Ask, ...]


def file_open(read: Read, options: Options, *, most: int | None = None) -> Opened:
    """Look through the file, or through no more than its first bytes; `read` gives it from its
    beginning and is called several times. Raises FileRefused."""
    try:
        return _open(text_of(read), options, most)
    except NotUtf8 as at:
        return _open(text_not_utf8(read, at), options, most)


def _open(whole: Text, options: Options, most: int | None) -> Opened:
    text = whole
    if most is not None:
        text = Text(whole.encoding, lambda: beginning(whole.read(), most))
    heading = heading_read(text.read(), options)
    seen = survey(heading, text.read())
    reading, asks = reading_of(heading, seen, options, text.encoding)
    return Opened(text, heading, seen, _days_of_moments(reading, seen), tuple(asks))


def _days_of_moments(reading: Reading, seen: Survey) -> Reading:
    """A column of times that never has a time of day holds dates."""
    column = seen.dates.get(EXECUTED_AT)
    if column is None or not column.has_day or column.has_clock:
        return reading
    if TRADE_DATE in reading.fields:
        return reading
    fields = tuple(TRADE_DATE if of == EXECUTED_AT else of for of in reading.fields)
    orders = {TRADE_DATE: reading.orders.get(EXECUTED_AT, {})}
    return replace(reading, fields=fields, orders=orders)


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
