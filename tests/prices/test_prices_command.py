"""`manage.py prices`, and what operations are told."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from kernel import clock
from prices.closes.read import ClosesState, closes_state
from prices.models import CARRIED, Close, CloseRun, Instrument, SourceFailure, SourceState
from prices.tasks import fetch_closes, recover, refresh_quotes
from tests import factories

pytestmark = pytest.mark.django_db

HEADER = "ticker,session,close,as_of,price"
LAST_FIVE = [date(2026, 1, day) for day in (23, 26, 27, 28, 29)]
Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def frozen(now: datetime) -> Iterator[None]:
    with clock.clock_set(now):
        yield


def prices(*arguments: str) -> str:
    out = io.StringIO()
    call_command("prices", *arguments, stdout=out)
    return out.getvalue()


def closes_of(days: list[date], price: str = "143") -> str:
    return "\n".join([HEADER, *(f"IBM,{day},{price},," for day in days)])


def test_recover_fills_at_least_five_sessions(ibm: Instrument, price_file: Write) -> None:
    price_file(closes_of(LAST_FIVE))
    assert "5 sessions (2026-01-23 to 2026-01-29): 5 closes new or changed, 0 missing" in prices(
        "recover"
    )
    assert "0 closes new or changed" in prices("recover")


def test_recover_says_what_is_missing(ibm: Instrument, price_file: Write) -> None:
    price_file(closes_of(LAST_FIVE[:3]))
    assert "3 closes new or changed, 2 missing" in prices("recover")
    assert closes_state(LAST_FIVE[-1], clock.now()) == ClosesState.PENDING


def test_recover_goes_back_to_the_last_complete_session(
    ibm: Instrument, price_file: Write, now: datetime
) -> None:
    CloseRun.objects.create(
        session=date(2026, 1, 9), source="csv", state=CloseRun.State.COMPLETE, settled_at=now
    )
    long_ago = [date(2026, 1, day) for day in (12, 13, 14, 15, 16, 20, 21, 22)]
    price_file(closes_of([*long_ago, *LAST_FIVE]))
    assert "13 sessions (2026-01-12 to 2026-01-29): 13 closes" in prices("recover")


def test_long_ago_what_is_missing_is_carried_at_once(
    ibm: Instrument, price_file: Write, now: datetime
) -> None:
    CloseRun.objects.create(
        session=date(2026, 1, 9), source="csv", state=CloseRun.State.COMPLETE, settled_at=now
    )
    price_file(closes_of([date(2026, 1, 12), *LAST_FIVE]))
    prices("recover")
    carried = Close.objects.filter(source=CARRIED).values_list("session", flat=True)
    assert min(carried) == date(2026, 1, 13)
    assert max(carried) == date(2026, 1, 22)


def test_rebuild_reads_every_session_since_the_first_trade_again(
    ibm: Instrument, price_file: Write, now: datetime
) -> None:
    price_file(closes_of(LAST_FIVE))
    prices("recover")
    user, account = factories.make_user(), factories.make_account()
    factories.make_trade(user, account, ibm, "1", "1", trade_date=date(2026, 1, 27), at=now)
    price_file(closes_of(LAST_FIVE, "144"))
    assert "4 sessions (2026-01-26 to 2026-01-29): 4 closes new or changed" in prices("rebuild")
    prices_then = Close.objects.filter(session=LAST_FIVE[-1]).order_by("id")
    assert [close.close for close in prices_then] == [Decimal(143), Decimal(144)]
    assert "5 sessions (2026-01-23" in prices("rebuild", "--from", "2026-01-23")


def test_a_source_that_cannot_be_asked_fails_the_command(
    ibm: Instrument, price_file: Write
) -> None:
    price_file("nothing that is known\n1\n")
    with pytest.raises(CommandError, match=r"csv:2"):
        prices("recover")
    with pytest.raises(CommandError, match="csv has no stream"):
        prices("stream")


def test_status_tells_source_sessions_and_coverage(
    ibm: Instrument, aapl: Instrument, price_file: Write, now: datetime
) -> None:
    file = price_file(closes_of(LAST_FIVE[:-1]))
    for _ in range(2):
        fetch_closes()
    old = (now - timedelta(minutes=10)).isoformat()
    file.write_text(f"{HEADER}\nIBM,,,{old},144\n")
    refresh_quotes()
    told = prices("status")
    assert "source csv; exchange open; 2026-01-30" in told
    assert "2 priced, 1 marked, 1 stale, 0 overridden; coverage 0.0%" in told
    assert "2026-01-29  pending       1  0/2       2026-01-30 11:10:00 New York" in told
    assert "Prices: 1 of 2 are stale and 1 missing" in told
    with override_settings(PRICE_COVERAGE_MIN=0):
        assert "Prices: 1 of 2 instruments have none" in prices("status")


def test_the_tasks_survive_a_source_that_is_away(
    ibm: Instrument, price_file: Write, now: datetime
) -> None:
    price_file("nothing that is known\n1\n")
    for task in (refresh_quotes, fetch_closes, recover):
        task()
    state = SourceState.objects.get(source="csv")
    assert (state.failures_in_a_row, state.last_failure_kind) == (1, "file")
    assert SourceFailure.objects.get(kind="file").count == 1
    assert "failures file: 1" in prices("status")
    assert "the source failed 1 times in a row (file)" in prices("status")


def test_the_system_page_and_metrics_tell(ibm: Instrument, price_file: Write, staff: User) -> None:
    price_file(closes_of(LAST_FIVE[:-1]))
    fetch_closes()
    client = Client()
    client.force_login(staff)
    state = client.get("/api/v1/system/").json()
    found = state["prices"]
    assert (found["priced"], found["coverage"], found["source"]["failures"]) == (1, 0.0, {})
    assert found["source"]["last_success_at"].startswith("2026-01-30T16:00:00")
    newest = found["closes"][0]
    assert (newest["session"], newest["state"], newest["missing"]) == ("2026-01-29", "pending", 1)
    metrics = client.get("/metrics").content.decode()
    assert 'eqtrade_closes_missing{session="2026-01-29"} 1.0' in metrics
    SourceFailure.objects.create(source="csv", kind="file", count=3)
    metrics = client.get("/metrics").content.decode()
    assert 'eqtrade_price_fetch_failures_total{kind="file"} 3.0' in metrics


def test_a_carried_close_is_a_problem_that_says_what_to_do(
    ibm: Instrument, price_file: Write, now: datetime
) -> None:
    CloseRun.objects.create(
        session=LAST_FIVE[-1], source="csv", state=CloseRun.State.CARRIED, settled_at=now,
        expected=1, missing=1,
    )  # fmt: skip
    CloseRun.objects.create(
        session=LAST_FIVE[-2], source="csv", expected=1, missing=1,
        next_attempt_at=datetime(2026, 1, 30, 12, 0, tzinfo=UTC),
    )  # fmt: skip
    price_file(HEADER)
    told = prices("status")
    assert "Closes of 2026-01-29: 1 of 1 are carried from before; enter them in the admin" in told
    assert "Closes of 2026-01-28 were due at 12:00 UTC: is beat up?" in told


def test_each_job_of_prices_is_in_the_schedule(db: Any) -> None:
    from django_celery_beat.models import PeriodicTask

    each_minute = PeriodicTask.objects.filter(crontab__minute="*", crontab__hour="*", enabled=True)
    assert set(each_minute.filter(queue="prices").values_list("task", flat=True)) >= {
        "prices.tasks.refresh_quotes",
        "prices.tasks.fetch_closes",
        "prices.tasks.expire_overrides",
    }
