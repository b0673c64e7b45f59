"""Rejected rows of a file: so many are written down. The others are only counted, by code, so that
a file of nothing but rubbish takes little more room than it has itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kernel.errors import FieldError
from trades.imports.reading.rows import RowReader
from trades.imports.records import Record
from trades.models import Import, Rejection

MOST_ROWS = 1_000
"""So many rows of a file at most: who mends a file reads no more."""
LEAST_ROOM = 202_240
"""In bytes: enough for so many short rows. Those of a larger file may take twice its size."""
# In bytes: what the database adds to a row and to each of its cells, indexes included.
_ROW = 143
_CELL = 8
# More cells than this beyond the header's are no cells: the row is kept as one text.
_MORE_CELLS = 20


@dataclass(frozen=True)
class Kept:
    """How many rows are written down, and their size; the others by code. A piece that is rolled
    back leaves it as it was."""

    rows: int = 0
    size: int = 0
    further: Mapping[str, int] = field(default_factory=dict)


def kept_of(job: Import) -> Kept:
    """As a worker finds it that takes the import over."""
    rows = size = 0
    if job.rows_rejected:
        for reason, cells in job.rejections.values_list("reason", "cells"):
            rows, size = rows + 1, size + _size(reason, cells)
    return Kept(rows, size, job.rejected_further)


def rejections_keep(
    job: Import, reader: RowReader, kept: Kept, rejected: Iterable[tuple[Record, list[FieldError]]]
) -> tuple[list[Rejection], Kept]:
    """Of these rows, in the file's order, those to write down; and what is kept then. Once a row
    was not written down, none behind it is."""
    room = max(LEAST_ROOM, 2 * job.size)
    rows, size, further = kept.rows, kept.size, dict(kept.further)
    written: list[Rejection] = []
    for record, errors in rejected:
        if not further and rows < MOST_ROWS:
            reason, cells = _sentence(errors), _cells(record, reader)
            if size + _size(reason, cells) <= room:
                rows, size = rows + 1, size + _size(reason, cells)
                written.append(
                    Rejection(import_job_id=job.pk, line=record.line, reason=reason, cells=cells)
                )
                continue
        code = errors[0].code
        further[code] = further.get(code, 0) + 1
    return written, replace(kept, rows=rows, size=size, further=further)


def _size(reason: str, cells: list[str]) -> int:
    # Longer rows leave more of a page empty.
    texts = len(reason.encode()) * 12 // 10 + sum(_CELL + len(cell.encode()) for cell in cells)
    return _ROW + texts


def _cells(record: Record, reader: RowReader) -> list[str]:
    cells = reader.cells(record)
    if record.broken or isinstance(cells, FieldError) or len(cells) > reader.width + _MORE_CELLS:
        return [record.raw.decode().rstrip("\r\n")]
    return cells


def _sentence(errors: list[FieldError]) -> str:
    """All that is wrong with a row, for the person who mends the file."""
    said = (f"{e.attr}: {e.detail}" if e.attr else e.detail for e in errors)
    return " ".join(dict.fromkeys(said))
