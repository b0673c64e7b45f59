"""Official closes: fetched from the current source, or loaded by hand."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction

from kernel.errors import FieldError, Invalid
from prices.closes_csv import CloseRow, error_at, read_closes
from prices.models import MANUAL, Close, Instrument
from prices.selectors import SESSIONS_BACK, missing_closes, priced_instruments
from prices.services.close_runs import runs_claim, runs_settle
from prices.services.publishing import publish_changed
from prices.sessions import NoSession, Sessions, sessions
from prices.sources import PriceSource, SourceUnavailable, source

# Any number that nothing else locks: one writer of closes at a time.
_WRITER = 7_205_011

# (instrument id, session, close)
_Row = tuple[int, date, Decimal]


def closes_fetch(*, now: datetime, sessions_back: int = SESSIONS_BACK) -> int:
    """Ask the current source for the closes that the last completed sessions lack; how many came.

    A second call finds nothing to do; two at once do not write twice. What the source does not
    have yet is asked for again at the next call. Raises SourceUnavailable.
    """
    current = source()
    instruments = priced_instruments(now)
    days = sessions().completed_sessions(now, sessions_back)
    try:
        return _fetch(current, missing_closes(instruments, days, current.name))
    finally:
        runs_settle(days=days, now=now, source=current.name)


def closes_work(*, now: datetime) -> int:
    """What is due at this moment (see `prices.closing`), for the last sessions; how many closes
    are new or changed. Safe to run at any time and twice at once. Raises SourceUnavailable."""
    current = source()
    instruments = priced_instruments(now)
    if not instruments:
        return 0
    claimed = runs_claim(now=now, source=current.name, instruments=instruments)
    days = [each.session for each in claimed]
    lacking = missing_closes(
        instruments, [each.session for each in claimed if not each.reads_all], current.name
    )
    again = {each.session: instruments for each in claimed if each.reads_all}
    error = ""
    try:
        return _fetch(current, lacking) + _fetch(current, again, only_missing=False)
    except SourceUnavailable as failure:
        error = str(failure)
        raise
    finally:
        runs_settle(days=days, now=now, source=current.name, error=error)


def _fetch(
    asked_of: PriceSource, wanted: Mapping[date, Sequence[Instrument]], *, only_missing: bool = True
) -> int:
    """Ask for these closes and append what is new, or what differs; how many did."""
    if not wanted:
        return 0
    instruments = sorted({i for those in wanted.values() for i in those}, key=lambda i: i.ticker)
    ids = {i.ticker: i.pk for i in instruments}
    # Not in a transaction: a real source takes seconds.
    answers = asked_of.closes(instruments, min(wanted), max(wanted))
    keys = {(i.pk, day) for day, those in wanted.items() for i in those}
    rows = [
        (ids[answer.ticker], answer.session, answer.close)
        for answer in answers
        if (ids[answer.ticker], answer.session) in keys and answer.close > 0
    ]
    return _insert(rows, asked_of.name, only_missing=only_missing)


def closes_load(*, lines: Iterable[str], now: datetime) -> int:
    """Load closes typed by hand, all or nothing; how many differ from what was loaded before.

    `lines` is CSV with the header `ticker,session,close`. Raises Invalid, by line.
    """
    rows, errors = read_closes(lines)
    ids = dict(
        Instrument.objects.filter(ticker__in={r.ticker for r in rows}).values_list("ticker", "pk")
    )
    known = sessions()
    errors += [problem for row in rows if (problem := _problem(row, ids, known, now))]
    if errors:
        raise Invalid(*sorted(errors, key=lambda e: int((e.attr or "line 0").split()[1])))
    changed = _insert(
        [(ids[r.ticker], r.session, r.close) for r in rows], MANUAL, only_missing=False
    )
    days = {row.session for row in rows}
    runs_settle(days=days, now=now, source=settings.PRICE_SOURCE)
    return changed


def _problem(
    row: CloseRow, ids: dict[str, int], known: Sessions, now: datetime
) -> FieldError | None:
    if row.ticker not in ids:
        return error_at(row.line, "unknown_ticker", f"The ticker {row.ticker!r} is not known.")
    try:
        session = known.session_of(row.session)
    except NoSession as error:
        return error_at(row.line, error.code, error.detail)
    if session.closes > now:
        return error_at(row.line, "in_future", f"The session of {row.session} has not ended.")
    return None


@transaction.atomic
def _insert(rows: list[_Row], name: str, *, only_missing: bool) -> int:
    """Append the rows that the source lacks, or (not `only_missing`) that differ from its latest.

    The lock comes in a statement of its own, so that the next one sees what the writer before
    has committed: the table has no unique key that could refuse a second row.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITER])
    latest = _latest(rows, name)
    new = [
        row
        for row in rows
        if latest.get(row[:2]) is None or (not only_missing and latest[row[:2]] != row[2])
    ]
    Close.objects.bulk_create(
        [Close(instrument_id=i, session=day, source=name, close=close) for i, day, close in new],
        batch_size=5000,
    )
    publish_changed(instrument for instrument, _, _ in new)
    return len(new)


def _latest(rows: list[_Row], name: str) -> dict[tuple[int, date], Decimal]:
    found = (
        Close.objects.filter(
            instrument_id__in={row[0] for row in rows},
            session__in={row[1] for row in rows},
            source=name,
        )
        .order_by("recorded_at", "id")
        .values_list("instrument_id", "session", "close")
    )
    return {(instrument, day): close for instrument, day, close in found}
