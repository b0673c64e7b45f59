"""Writing closes: those a source gave, and those that people load or enter by hand."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from kernel import confirmation
from kernel.confirmation import Question
from kernel.errors import FieldError, Invalid
from kernel.locks import Lock, transaction_lock
from kernel.money import checked_amount
from prices.closes.csv_file import CloseRow, read_closes
from prices.closes.judge import CloseKey, far_off_by_hand, judge
from prices.closes.runs import runs_settle
from prices.csv_rows import Warn, error_at, nobody
from prices.models import MANUAL, Close, CloseDoubt, Instrument
from prices.notify import closes_written
from prices.sessions import NoSession, Sessions, sessions


def closes_load(*, lines: Iterable[str], now: datetime, warn: Warn = nobody) -> int:
    """Load closes typed by hand, all or nothing; how many differ from what was loaded before.

    `lines` is CSV with the header `ticker,session,close`. Raises Invalid, by line. What is far from
    what counts for the session or from the close before is loaded, too, and warned of.
    """
    rows, errors = read_closes(lines)
    ids = dict(
        Instrument.objects.filter(ticker__in={r.ticker for r in rows}).values_list("ticker", "pk")
    )
    known = sessions()
    errors += [problem for row in rows if (problem := _problem(row, ids, known, now))]
    if errors:
        raise Invalid(*sorted(errors, key=lambda e: int((e.attr or "line 0").split()[1])))
    keys = [(ids[r.ticker], r.session, r.close) for r in rows]
    with transaction.atomic():
        doubtful = far_off_by_hand(keys)
        changed = closes_insert(keys, MANUAL, only_missing=False)
        _by_hand_overtakes((key[:2] for key in keys), now)
    for row, key in zip(rows, keys, strict=True):
        if key[:2] in doubtful:
            warn(f"line {row.line}: {row.ticker} {row.session}: {doubtful[key[:2]]}")
    days = {row.session for row in rows}
    runs_settle(days=days, now=now, source=settings.PRICE_SOURCE)
    return changed


def close_problems(
    *, session: date, close: Decimal, reason: str, now: datetime
) -> list[FieldError]:
    """The problems of a close entered by hand, by field; empty when there are none."""
    errors = []
    try:
        checked_amount(close)
    except ValueError as error:
        errors.append(FieldError("invalid", str(error), "close"))
    try:
        if sessions().session_of(session).closes > now:
            detail = f"The session of {session} has not ended."
            errors.append(FieldError("in_future", detail, "session"))
    except NoSession as error:
        errors.append(FieldError(error.code, error.detail, "session"))
    if not reason.strip():
        errors.append(FieldError("blank", "Say why.", "reason"))
    return errors


def close_question(
    *, user: User, instrument: Instrument, session: date, close: Decimal, reason: str
) -> Question:
    """What is asked before a close is entered; nothing where it is near what there is."""
    terms = {
        "ticker": instrument.ticker,
        "session": session,
        "close": close,
        "reason": reason.strip(),
    }
    doubtful = far_off_by_hand([(instrument.pk, session, close)])
    doubts = tuple(FieldError("far_off", said, "close") for said in doubtful.values())
    return Question("close", user.pk, terms, doubts)


@transaction.atomic
def close_enter(
    *,
    user: User,
    ticker: str,
    session: date,
    close: Decimal,
    reason: str,
    confirm: str | None = None,
    now: datetime,
) -> Close:
    """Enter or correct the close of one instrument and session by hand: it counts before the
    source's from now on, and P&L that used another is restated. Raises Invalid, and
    ConfirmationRequired for one that is far off and that `confirm` does not confirm."""
    instrument = Instrument.objects.filter(ticker=ticker).first()
    errors = close_problems(session=session, close=close, reason=reason, now=now)
    if instrument is None:
        errors.insert(0, FieldError("unknown_ticker", "This ticker is not known.", "ticker"))
    if errors or instrument is None:
        raise Invalid(*errors)
    asked = close_question(
        user=user, instrument=instrument, session=session, close=close, reason=reason
    )
    confirmation.confirm(asked, token=confirm, now=now)
    transaction_lock(Lock.CLOSES_WRITE)
    entered = Close.objects.create(
        instrument=instrument,
        session=session,
        source=MANUAL,
        close=close,
        user=user,
        reason=reason.strip(),
    )
    _by_hand_overtakes([(instrument.pk, session)], now)
    closes_written([(instrument.pk, session)])
    runs_settle(days=[session], now=now, source=settings.PRICE_SOURCE)
    return entered


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
def closes_record(rows: Sequence[CloseKey], name: str, *, only_missing: bool, now: datetime) -> int:
    """Append a source's closes as `closes_insert` does, but only what is plausible or borne out:
    the rest is held back for a person (`prices.closes.judge`). How many were recorded."""
    if not rows:
        return 0
    transaction_lock(Lock.CLOSES_WRITE)
    judged = judge(rows, _latest(rows, name), name, only_missing=only_missing, now=now)
    _append(judged.closes, name)
    CloseDoubt.objects.bulk_create(judged.doubts)
    doubts_overtake(judged.overtaken, reason="The source has said better.", now=now)
    closes_written(judged.touched)
    return len(judged.closes)


def doubts_overtake(doubts: Iterable[CloseDoubt], *, reason: str, now: datetime) -> None:
    """Mark as answered what was held back. The caller holds Lock.CLOSES_WRITE, and tells of it."""
    ids = [doubt.pk for doubt in doubts]
    if ids:
        CloseDoubt.objects.filter(pk__in=ids, state=CloseDoubt.State.HELD).update(
            state=CloseDoubt.State.OVERTAKEN, decided_at=now, reason=reason
        )


def _by_hand_overtakes(keys: Iterable[tuple[int, date]], now: datetime) -> None:
    wanted = set(keys)
    held = CloseDoubt.objects.filter(
        state=CloseDoubt.State.HELD,
        instrument_id__in={pk for pk, _ in wanted},
        session__in={day for _, day in wanted},
    )
    doubts_overtake(
        (d for d in held if (d.instrument_id, d.session) in wanted),
        reason="A close was set by hand.",
        now=now,
    )


@transaction.atomic
def closes_insert(rows: Sequence[CloseKey], name: str, *, only_missing: bool) -> int:
    """Append the rows that the source lacks, or (not `only_missing`) that differ from its latest.

    The lock comes in a statement of its own, so that the next one sees what the writer before
    has committed: the table has no unique key that could refuse a second row.
    """
    transaction_lock(Lock.CLOSES_WRITE)
    latest = _latest(rows, name)
    new = [
        row
        for row in rows
        if latest.get(row[:2]) is None or (not only_missing and latest[row[:2]] != row[2])
    ]
    _append(new, name)
    closes_written((instrument, day) for instrument, day, _ in new)
    return len(new)


def _append(rows: Iterable[CloseKey], name: str) -> None:
    Close.objects.bulk_create(
        [Close(instrument_id=i, session=day, source=name, close=close) for i, day, close in rows],
        batch_size=5000,
    )


def _latest(rows: Sequence[CloseKey], name: str) -> dict[tuple[int, date], Decimal]:
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
