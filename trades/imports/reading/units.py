"""Storage of a file whose rows are not booked in its own order, or some of which its other rows
judge: in frames, in the order of booking. Pure.

A frame holds one unit, or several that follow each other in the file: a head of 13 bytes with the
number of its first line, the verdict on its first row and its length, then the lines as they were.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from mmap import mmap
from typing import NamedTuple

from trades.imports.reading.plan import Plan, Verdict
from trades.imports.records import Record, records

_HEAD = struct.Struct(">QBI")
_LONGEST = 4096


class Unit(NamedTuple):
    """Records that are booked in one piece, with the verdict on the first row among them. `end` and
    `next_line` are where the stored file goes on behind it."""

    records: Sequence[Record]
    verdict: Verdict
    end: int
    next_line: int


def framed(plan: Plan, data: bytes | mmap) -> Iterator[bytes]:
    """The file in the plan's order. `data` is the whole of it as UTF-8."""
    units = plan.units
    order = range(len(units)) if plan.order is None else plan.order
    start = end = line = verdict = 0
    for unit in order:
        # What is no trade stays with the trade before it.
        follows = end and units.starts[unit] == end and not units.trades[unit]
        if follows and units.ends[unit] - start <= _LONGEST:
            end = units.ends[unit]
            continue
        if end:
            yield _HEAD.pack(line, verdict, end - start) + bytes(data[start:end])
        start, end, line = units.starts[unit], units.ends[unit], units.lines[unit]
        verdict = units.verdicts[unit]
    if end:
        yield _HEAD.pack(line, verdict, end - start) + bytes(data[start:end])


def units_framed(chunks: Iterable[bytes], offset: int, delimiter: str) -> Iterator[Unit]:
    """The units of a stored file from an offset on, where a frame begins."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        at = 0
        while len(held) - at >= _HEAD.size:
            line, verdict, size = _HEAD.unpack_from(held, at)
            if len(held) - at < _HEAD.size + size:
                break
            raw = bytes(held[at + _HEAD.size : at + _HEAD.size + size])
            at += _HEAD.size + size
            # No mark of the byte order is taken off in the middle of a file.
            found = list(records([raw], offset=1, line=line, delimiter=delimiter))
            yield Unit(found, Verdict(verdict), offset + at, found[-1].next_line)
        offset += at
        del held[:at]


def units_plain(chunks: Iterable[bytes], offset: int, line: int, delimiter: str) -> Iterator[Unit]:
    """Each record of a file that is stored as it is."""
    for record in records(chunks, offset=offset, line=line, delimiter=delimiter):
        yield Unit((record,), Verdict.NONE, record.end, record.next_line)
