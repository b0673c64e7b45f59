"""The life of a session's closes: when they are asked for, when they are settled, and with what."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from kernel.clock import NEW_YORK
from prices.closes.fetch import closes_work
from prices.closes.read import ClosesState, closes_state
from prices.closes.write import closes_load
from prices.models import CARRIED, Close, CloseRun, Instrument, SessionOverride, SourceState
from prices.sources import SourceUnavailable

pytestmark = pytest.mark.django_db

THURSDAY, FRIDAY, MONDAY = date(2026, 1, 29), date(2026, 1, 30), date(2026, 2, 2)
HEADER = "ticker,session,close"
Write = Callable[[str], Path]


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


END = at(FRIDAY, 16)
OLDER = "".join(
    f"{ticker},2026-01-{day},{price}\n"
    for ticker, price in (("IBM", "143.33"), ("AAPL", "195.61"))
    for day in (23, 26, 27, 28, 29)
)


@pytest.fixture
def known(ibm: Instrument, aapl: Instrument, price_file: Write) -> Write:
    """The sessions before Friday are complete; the function says what the file has of Friday."""

    def write(rows: str) -> Path:
        return price_file(f"{HEADER}\n{OLDER}{rows}")

    write("")
    closes_work(now=at(THURSDAY, 20))
    return write


def run() -> CloseRun:
    return CloseRun.objects.get(session=FRIDAY, source="csv")


def minutes(first: datetime, last: datetime) -> list[datetime]:
    """Each minute, as beat has it; every tenth after the first hour, to be quick."""
    count = int((last - first).total_seconds() // 60)
    return [first + timedelta(minutes=n) for n in range(count + 1) if n < 60 or n % 10 == 0]


def asked_at(first: datetime, last: datetime) -> list[str]:
    """The New York times at which Friday's closes were asked for."""
    times: list[str] = []
    begun = CloseRun.objects.filter(session=FRIDAY, source="csv").first()
    attempts = begun.attempts if begun else 0
    for now in minutes(first, last):
        closes_work(now=now)
        found = CloseRun.objects.filter(session=FRIDAY, source="csv").first()
        if found and found.attempts > attempts:
            attempts = found.attempts
            times.append(now.astimezone(NEW_YORK).strftime("%a %H:%M"))
    return times


RETRIES = ["Fri 16:00", "Fri 16:10", "Fri 16:20", "Fri 16:30", "Fri 16:40", "Fri 16:50"]


def test_nothing_is_asked_before_the_end(known: Write) -> None:
    known("IBM,2026-01-30,144\nAAPL,2026-01-30,192\n")
    closes_work(now=END - timedelta(seconds=1))
    assert closes_state(FRIDAY, END - timedelta(seconds=1)) == ClosesState.TRADING
    assert not CloseRun.objects.filter(session=FRIDAY).exists()


def test_complete_at_the_end_then_read_again_late_and_in_the_next_sessions_morning(
    known: Write,
) -> None:
    known("IBM,2026-01-30,144\nAAPL,2026-01-30,192\n")
    assert closes_state(FRIDAY, END) == ClosesState.PENDING
    assert asked_at(END, at(date(2026, 1, 31), 1)) == ["Fri 16:00", "Fri 23:50"]
    assert asked_at(at(MONDAY, 7), at(MONDAY, 10)) == ["Mon 08:00"]
    assert closes_state(FRIDAY, END) == ClosesState.COMPLETE
    assert (run().settled_at, run().expected, run().missing) == (END, 2, 0)
    assert run().next_attempt_at is None


def test_missing_ones_are_asked_for_five_times_more_and_late(known: Write) -> None:
    known("IBM,2026-01-30,144\n")
    assert asked_at(END, at(FRIDAY, 23, 49)) == RETRIES
    assert closes_state(FRIDAY, at(FRIDAY, 23, 49)) == ClosesState.PENDING
    closes_work(now=at(FRIDAY, 23, 50))
    assert closes_state(FRIDAY, at(FRIDAY, 23, 50)) == ClosesState.OVER
    carried = Close.objects.get(session=FRIDAY, source=CARRIED)
    assert (carried.instrument.ticker, carried.close) == ("AAPL", Decimal("195.61"))
    assert (run().missing, run().settled_at) == (1, at(FRIDAY, 23, 50))


def test_a_retry_that_finds_the_rest_completes(known: Write) -> None:
    known("IBM,2026-01-30,144\n")
    asked_at(END, END + timedelta(minutes=15))
    known("IBM,2026-01-30,144\nAAPL,2026-01-30,192\n")
    asked_at(END + timedelta(minutes=16), END + timedelta(minutes=25))
    assert run().settled_at == END + timedelta(minutes=20)
    assert not Close.objects.filter(source=CARRIED).exists()


def test_a_close_that_moved_is_recorded_beside_the_first(known: Write) -> None:
    known("IBM,2026-01-30,144\nAAPL,2026-01-30,192\n")
    closes_work(now=END)
    known("IBM,2026-01-30,144.07\nAAPL,2026-01-30,192\n")
    assert closes_work(now=END + timedelta(hours=1)) == 0
    assert closes_work(now=at(FRIDAY, 23, 50)) == 1
    closes = Close.objects.filter(session=FRIDAY, instrument__ticker="IBM").order_by("id")
    assert [close.close for close in closes] == [Decimal("144"), Decimal("144.07")]
    assert closes_work(now=at(MONDAY, 8)) == 0


def test_a_carried_one_is_still_found_later(known: Write) -> None:
    known("IBM,2026-01-30,144\n")
    asked_at(END, at(FRIDAY, 23, 55))
    known("IBM,2026-01-30,144\nAAPL,2026-01-30,192\n")
    assert closes_work(now=at(date(2026, 1, 31), 12)) == 1
    assert closes_state(FRIDAY, at(MONDAY, 12)) == ClosesState.COMPLETE
    assert run().settled_at == at(FRIDAY, 23, 50)


def test_a_worker_that_was_down_has_its_retries_too(known: Write) -> None:
    known("IBM,2026-01-30,144\n")
    begun = at(date(2026, 1, 31), 9, 5)
    times = asked_at(begun, begun + timedelta(minutes=50))
    assert times == ["Sat 09:05", "Sat 09:15", "Sat 09:25", "Sat 09:35", "Sat 09:45", "Sat 09:55"]
    assert closes_state(FRIDAY, begun + timedelta(hours=1)) == ClosesState.OVER


def test_a_failing_source_uses_its_attempts_and_says_why(known: Write, tmp_path: Path) -> None:
    known("").write_text("no prices at all\n1,2\n")
    with pytest.raises(SourceUnavailable):
        closes_work(now=END)
    assert run().attempts == 1
    assert "prices.csv" in run().last_error
    assert run().next_attempt_at == END + timedelta(minutes=10)


def test_a_last_reading_that_fails_is_tried_again_on_that_day(known: Write) -> None:
    rows = "IBM,2026-01-30,144\nAAPL,2026-01-30,192\n"
    known(rows)
    closes_work(now=END)
    closes_work(now=at(FRIDAY, 23, 50))
    assert run().reread_at == at(FRIDAY, 23, 50)
    known("no prices at all\n").write_text("no prices at all\n1,2\n")
    with pytest.raises(SourceUnavailable):
        closes_work(now=at(MONDAY, 8))
    assert run().next_attempt_at == at(MONDAY, 8, 10)
    known("IBM,2026-01-30,144.07\nAAPL,2026-01-30,192\n")
    assert closes_work(now=at(MONDAY, 8, 9)) == 0
    assert closes_work(now=at(MONDAY, 8, 20)) == 1
    assert (run().reread_at, run().next_attempt_at) == (at(MONDAY, 8, 20), None)


def test_a_last_reading_is_tried_on_one_day_only(known: Write) -> None:
    known("IBM,2026-01-30,144\nAAPL,2026-01-30,192\n")
    closes_work(now=END)
    known("").write_text("no prices at all\n1,2\n")
    for now in (at(MONDAY, 8), at(MONDAY, 23, 55)):
        SourceState.objects.update(retry_at=None)
        with pytest.raises(SourceUnavailable):
            closes_work(now=now)
    assert (run().next_attempt_at, run().reread_at) == (None, None)


def test_who_dies_in_the_last_attempt_leaves_it_to_others(known: Write) -> None:
    known("IBM,2026-01-30,144\n")
    late = at(FRIDAY, 23, 50)
    asked_at(END, END + timedelta(hours=1))
    CloseRun.objects.filter(session=FRIDAY).update(next_attempt_at=None, last_attempt_at=late)
    closes_work(now=late + timedelta(minutes=1))
    assert closes_state(FRIDAY, late) == ClosesState.PENDING
    closes_work(now=late + timedelta(minutes=10))
    assert closes_state(FRIDAY, late) == ClosesState.OVER


def test_closes_by_hand_complete_a_session(known: Write) -> None:
    known("IBM,2026-01-30,144\n")
    closes_work(now=END)
    closes_load(lines=[HEADER, "AAPL,2026-01-30,192"], now=END + timedelta(minutes=1))
    assert closes_state(FRIDAY, END) == ClosesState.COMPLETE


def test_a_half_day_begins_at_its_own_end(known: Write) -> None:
    SessionOverride.objects.create(date=FRIDAY, early_close="13:00", reason="Storm")
    known("IBM,2026-01-30,144\nAAPL,2026-01-30,192\n")
    assert asked_at(at(FRIDAY, 12), at(FRIDAY, 14)) == ["Fri 13:00"]


def test_a_day_that_was_cancelled_asks_for_nothing(known: Write) -> None:
    SessionOverride.objects.create(date=FRIDAY, is_closed=True, reason="Mourning")
    assert asked_at(END, END + timedelta(hours=1)) == []


def test_a_second_beat_in_the_same_minute_does_nothing(known: Write) -> None:
    known("IBM,2026-01-30,144\n")
    closes_work(now=END)
    closes_work(now=END)
    assert run().attempts == 1


def test_an_instrument_that_came_later_is_filled(
    known: Write, make_instrument: Callable[..., Instrument]
) -> None:
    known("IBM,2026-01-30,144\nAAPL,2026-01-30,192\nNEW,2026-01-30,7\n")
    closes_work(now=END)
    make_instrument("NEW")
    assert closes_work(now=END + timedelta(minutes=9)) == 0
    assert closes_work(now=END + timedelta(minutes=10)) == 1
    assert closes_state(FRIDAY, END) == ClosesState.COMPLETE


def test_long_ago_and_never_asked_for_is_over(known: Write) -> None:
    assert closes_state(date(2025, 1, 30), END) == ClosesState.OVER
    assert ClosesState.OVER.is_settled
    assert not ClosesState.PENDING.is_settled
