"""A preview: the outcome that an import of a file would have, told before anything is stored.

Up to 10 MB a file is read whole; of a larger one the first 2 MB are. Up to 2,000 rows are judged as
an import judges them, by the same code and by the ledger as it is now; of more rows the first so
many are, by all but what is held, and the others are only read.

A file of 10 MB takes seconds. So that there is something to look at meanwhile, whoever previews it
can send its first bytes as such, and all of it next.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from accounts.selectors import account_rights
from kernel.errors import FieldError, Invalid
from prices.sessions import sessions
from trades.imports.accept import Hashed, plan_made
from trades.imports.judging import Judge, Judged
from trades.imports.likely import likely_booked
from trades.imports.names_known import limited_of, tickers_known
from trades.imports.reading.names import Ask
from trades.imports.reading.opening import Opened, file_open
from trades.imports.reading.plan import Plan, Verdict
from trades.imports.reading.planning import body
from trades.imports.reading.reading import Options, Reading
from trades.imports.reading.told import warnings_of
from trades.imports.reading.units import Unit, framed, units_framed
from trades.imports.records import FileRefused, Record
from trades.imports.seen import seen_before
from trades.services.batch import Batch
from trades.terms import FIELDS, Booking

WHOLE_BYTES = 10 * 1000 * 1000
BEGINNING_BYTES = 2 * 1000 * 1000
SENT_BYTES = 128 * 1000
JUDGED_ROWS = 2_000
SHOWN_ROWS = 100
SHOWN_WRONG = 100


@dataclass(frozen=True)
class PreviewRow:
    """One row as it stands in the file, and what was made of it."""

    line: int
    cells: list[str]
    trade: dict[str, Any] | None
    passed_over: str | None
    errors: list[FieldError]
    warnings: list[FieldError]


@dataclass(frozen=True)
class Preview:
    """`digest` is None while something is asked, and of a beginning that was sent for a file: the
    file cannot be booked before. `counts` are of
    what was read; `judged` says of how many rows they are all that an import would find."""

    reading: Reading
    size: int
    is_complete: bool
    digest: str | None
    asks: tuple[Ask, ...]
    counts: dict[str, Any]
    duplicates: int
    rows: list[PreviewRow]
    warnings: list[FieldError]


def import_preview(
    *,
    user: AbstractBaseUser,
    file: Hashed,
    size: int,
    options: Options,
    is_beginning: bool = False,
    now: datetime,
) -> Preview:
    """Read the file and judge its rows; nothing is stored, nothing is locked. `is_beginning`: these
    are the first bytes of a larger one, cut anywhere. Raises Invalid for what is no file of rows at
    all, as an import does."""
    most = _most(size, is_beginning)
    is_complete = most is None
    today = sessions().business_date(now)
    try:
        opened = file_open(file, options, most=most, today=today)
    except FileRefused as refusal:
        raise Invalid(FieldError(refusal.code, refusal.detail, "file")) from refusal
    if not opened.seen.rows:
        raise Invalid(FieldError("empty", "There is no row below the header.", "file"))
    if not file.hash:
        for _ in file():
            pass  # The hash is of all its bytes, however few are read.
    if opened.asks:
        return _asking(opened, file, is_complete)
    reading = opened.reading
    # Of more rows than are judged, what is held makes no difference to what is told.
    limited = limited_of(user, opened) if opened.seen.rows <= JUDGED_ROWS else None
    plan = plan_made(opened, options, today, limited)
    reading = replace(reading, newest_first=plan.newest_first, is_framed=not plan.is_as_filed)
    judge = Judge(reading, tickers_known())
    judged, batch = _judged(user, opened, plan, judge, now)
    likely = likely_booked(batch)
    mine = {right.account.code for right in account_rights(user)}
    named = {reading.account} if reading.account else opened.seen.accounts
    warnings = warnings_of(reading, plan, is_complete=is_complete)
    if before := seen_before(file.hash, sorted(mine & named)):
        warnings.append(FieldError("file_seen", before, "again"))
    if likely:
        detail = (
            f"{len(likely)} rows are like trades that are booked: the same account, ticker, side,"
            " quantity, price and date."
        )
        warnings.append(FieldError("probable_duplicates", detail))
    return Preview(
        reading=reading,
        size=file.size,
        is_complete=is_complete,
        digest=None if is_beginning else reading.digest(file.hash),
        asks=(),
        counts=_counts(opened, plan, judged),
        duplicates=_duplicates(judged, likely),
        rows=_shown(judge, judged, batch, likely),
        warnings=warnings,
    )


def _most(size: int, is_beginning: bool) -> int | None:
    """How many bytes are read as UTF-8; None for all. Of a beginning no more than a quarter, so
    that the place where it was cut, within a character perhaps, is not met in any encoding."""
    if is_beginning:
        return min(size // 4, SENT_BYTES)
    return None if size <= WHOLE_BYTES else BEGINNING_BYTES


def _judged(
    user: AbstractBaseUser, opened: Opened, plan: Plan, judge: Judge, now: datetime
) -> tuple[Judged, Batch]:
    is_whole = opened.seen.rows <= JUDGED_ROWS
    units = _units(opened, plan if is_whole else replace(plan, order=None))
    judged = judge.judge(_first(units, JUDGED_ROWS), first=0)
    batch = Batch(user=user, bookings=judged.bookings, accepted_at=now, now=now)
    batch.resolve()
    batch.recognise()
    judged.told_apart(batch)
    if is_whole:
        batch.limit()
    judge.say(judged, batch)
    return judged, batch


def _units(opened: Opened, plan: Plan) -> Iterator[Unit]:
    """The file as an import stores it."""
    if plan.is_as_filed:
        return (
            Unit((record,), Verdict.NONE, record.end, record.next_line)
            for record in body(opened.reading, opened.text.read())
        )
    stored = framed(plan, b"".join(opened.text.read()))
    return units_framed(stored, 0, opened.reading.delimiter)


def _first(units: Iterable[Unit], most: int) -> Iterator[Unit]:
    rows = 0
    for unit in units:
        if rows >= most:
            return
        rows += sum(not record.raw.isspace() for record in unit.records)
        yield unit


def _counts(opened: Opened, plan: Plan, judged: Judged) -> dict[str, Any]:
    """Exact where all rows were judged; else what the reader says of all, and of those judged what
    an import would say."""
    rows, passed = opened.seen.rows, plan.passed
    if len(judged.rows) >= rows:
        passed, rejected = judged.passed_over, len(judged.rejected)
    else:
        read = {row for row, errors in judged.rejected.items() if errors[0].code in plan.faults}
        rejected = plan.faults.total() + len(judged.rejected) - len(read)
    return {
        "rows": rows,
        "trades": rows - rejected - passed.total(),
        "rejected": rejected,
        "passed_over": dict(passed),
        "judged": len(judged.rows),
    }


def _duplicates(judged: Judged, likely: dict[int, str]) -> int:
    """How many rows are booked already, or probably so."""
    known = [e for e in judged.rejected.values() if e[0].code == "already_booked"]
    return len(known) + len(likely.keys() - judged.rejected.keys())


def _shown(judge: Judge, judged: Judged, batch: Batch, likely: dict[int, str]) -> list[PreviewRow]:
    """The first rows of the file, and the first of those behind them with which something is
    wrong."""
    by_line = sorted(judged.rows, key=lambda row: judged.rows[row].line)
    wrong = [row for row in by_line[SHOWN_ROWS:] if row in judged.rejected][:SHOWN_WRONG]
    return [_row(judge, judged, batch, likely, row) for row in by_line[:SHOWN_ROWS] + wrong]


def _row(
    judge: Judge, judged: Judged, batch: Batch, likely: dict[int, str], row: int
) -> PreviewRow:
    record = judged.rows[row]
    new = batch.trades.get(row)
    booking = new.terms if new else judged.bookings.get(row)
    warnings = []
    if row in likely and row not in judged.rejected:
        detail = f"Trade {likely[row]} is booked with the same terms."
        warnings.append(FieldError("probable_duplicate", detail))
    return PreviewRow(
        line=record.line,
        cells=_cells(judge, record),
        trade=None if booking is None else _terms(booking),
        passed_over=judged.passed.get(row),
        errors=judged.rejected.get(row, []),
        warnings=warnings,
    )


def _terms(booking: Booking) -> dict[str, Any]:
    return {name: getattr(booking, name) for name in FIELDS}


def _cells(judge: Judge, record: Record) -> list[str]:
    cells = judge.reader.cells(record)
    if isinstance(cells, FieldError) or record.broken:
        return [record.raw.decode().rstrip("\r\n")]
    return cells


def _asking(opened: Opened, file: Hashed, is_complete: bool) -> Preview:
    """The rows as they stand there: what they mean has to be said first."""
    judge = Judge(opened.reading, tickers_known())
    rows = []
    for record in body(opened.reading, opened.text.read()):
        if record.raw.strip():
            rows.append(PreviewRow(record.line, _cells(judge, record), None, None, [], []))
        if len(rows) == SHOWN_ROWS:
            break
    counts = {"rows": opened.seen.rows, "trades": 0, "rejected": 0, "passed_over": {}, "judged": 0}
    warnings = warnings_of(opened.reading, None, is_complete=is_complete)
    return Preview(
        opened.reading, file.size, is_complete, None, opened.asks, counts, 0, rows, warnings
    )
