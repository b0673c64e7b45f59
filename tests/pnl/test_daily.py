"""Daily P&L: provisional, then kept, then restated by what reaches it; nothing is lost."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eqtrade.up.postgres import PostgresServer
from pnl.activity.projection import ACTIVITY
from pnl.daily.finalize import daily_finalize
from pnl.daily.read import DayPnl, past_rows
from pnl.daily.restate import Turn, restate_work
from pnl.models import DailyActivity, DailyPnl, RestateRequest, SessionRun
from prices.models import CARRIED, CloseRun
from prices.sessions import sessions
from tests import factories as make
from tests.pnl.conftest import (
    FRIDAY,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    Days,
    at,
    recorded,
    settle,
)  # fmt: skip
from trades.ledger.rebuild import rebuild
from trades.ledger.shard_batch import drain
from trades.models import Quarantine

D = Decimal
PAST = (MONDAY, TUESDAY, WEDNESDAY, THURSDAY)
NOW = at(FRIDAY)
WEEK = {"from": "2026-03-16", "to": "2026-03-19"}


@pytest.fixture
def week(days: Days) -> Days:
    """10 bought on Monday, 4 sold on Wednesday; all closes there, all sessions kept."""
    days.trade("10", "40", MONDAY)
    days.trade("-4", "44", WEDNESDAY)
    for day, close in zip(PAST, ("41", "42", "43", "45"), strict=True):
        days.close(day, close)
    settle(*PAST)
    days.keep(at(THURSDAY, 21))
    return days


def restated(days: Days, now: datetime = NOW, **query: Any) -> list[str]:
    """The sessions whose rows say that they were restated."""
    return [r["session"][8:] for r in days.pnl(now, **WEEK, **query) if r["restated_at"]]


def test_kept_when_closes_are_settled_and_final_when_they_are_official(days: Days) -> None:
    days.trade("10", "40", MONDAY)
    days.close(MONDAY, "41")
    days.keep(at(MONDAY, 21))
    (row,) = days.pnl(at(TUESDAY), **{"from": "2026-03-16", "to": "2026-03-16"})
    assert (row["total_pnl"], row["is_final"]) == ("10", False)
    settle(MONDAY)
    days.keep(at(MONDAY, 21))
    (row,) = days.pnl(at(TUESDAY), **{"from": "2026-03-16", "to": "2026-03-16"})
    assert (row["total_pnl"], row["is_final"], row["restated_at"]) == ("10", True, None)
    assert row["calculated_at"] == "2026-03-16T21:00:00Z"
    assert daily_finalize(now=at(MONDAY, 21)) == 0


def test_a_carried_close_is_not_final_until_the_official_one_comes(days: Days) -> None:
    days.close(MONDAY, "41")
    days.trade("10", "40", TUESDAY)
    make.make_close(days.ibm, TUESDAY, "41", source=CARRIED)
    settle(TUESDAY)
    days.keep(at(TUESDAY, 22))
    query = {"from": "2026-03-17", "to": "2026-03-17", "by": "ticker"}
    (row,) = days.pnl(NOW, **query)
    assert (row["is_final"], row["pnl_valid"], row["pnl_reason"]) == (False, False, "carried")
    days.close(TUESDAY, "43")
    days.keep(at(WEDNESDAY))
    (row,) = days.pnl(NOW, **query)
    assert (row["is_final"], row["pnl_valid"], row["total_pnl"]) == (True, True, "30")
    assert row["restated_at"] == "2026-03-18T15:00:00Z"


def test_a_late_trade_restates_its_session_and_all_later_ones(week: Days) -> None:
    assert restated(week) == []
    week.trade("2", "41", TUESDAY, when=at(FRIDAY, 14))
    assert restated(week) == []  # asked for, not done yet
    week.keep(at(FRIDAY, 14, 1))
    assert restated(week) == ["17", "18", "19"]
    found = week.figures(NOW, by="ticker", **WEEK)
    assert found == [
        (10, 0, 10),
        ((41 - 41) * 2, (42 - 41) * 12, 12),
        ((42 - 44) * -4, (43 - 42) * 8, 16),
        (0, (45 - 43) * 8, 16),
    ]


def test_a_correction_restates_from_the_earlier_of_both_dates(week: Days) -> None:
    late = week.trade("1", "44", THURSDAY, when=at(THURSDAY, 21, 30))
    week.keep(at(THURSDAY, 21, 31))
    week.amend(late, at(FRIDAY, 14), trade_date=TUESDAY)
    week.keep(at(FRIDAY, 14, 1))
    assert restated(week) == ["17", "18", "19"]
    assert week.pnl(NOW, by="ticker", **WEEK)[1]["closing_quantity"] == "11"


def test_a_changed_close_restates_its_session_and_the_next(week: Days) -> None:
    week.close(TUESDAY, "42.5")
    week.keep(at(FRIDAY, 14))
    assert restated(week) == ["17", "18"]
    rows = week.pnl(NOW, by="ticker", **WEEK)
    assert [(row["previous_close"], row["mark"]) for row in rows[1:3]] == [
        ("41", "42.5"), ("42.5", "43"),
    ]  # fmt: skip


def test_what_is_asked_for_and_changes_nothing_is_not_restated(week: Days) -> None:
    double = week.trade("2", "41", TUESDAY, when=at(FRIDAY, 14))
    week.cancel(double, at(FRIDAY, 14))
    assert RestateRequest.objects.count() == 2
    week.keep(at(FRIDAY, 14, 1))
    assert restated(week) == []


def test_a_cancelled_trade_leaves_no_row_and_its_session_says_so(days: Days) -> None:
    trade = days.trade("10", "40", MONDAY)
    days.close(MONDAY, "41")
    settle(MONDAY)
    days.keep(at(MONDAY, 21))
    days.cancel(trade, at(TUESDAY))
    days.keep(at(TUESDAY))
    query = {"from": "2026-03-16", "to": "2026-03-16"}
    assert days.pnl(NOW, by="ticker", **query) == []
    (row,) = days.pnl(NOW, **query)
    assert (row["total_pnl"], row["restated_at"]) == ("0", "2026-03-17T15:00:00Z")
    (next_day,) = days.pnl(at(TUESDAY, 16))
    assert next_day["correction_pnl"] == "-10"


def test_a_trade_before_everything_that_is_kept(week: Days) -> None:
    friday_before = date(2026, 3, 13)
    week.trade("1", "39", friday_before, when=at(FRIDAY, 14))
    week.keep(at(FRIDAY, 14, 1))
    rows = week.pnl(NOW, by="ticker", **{"from": "2026-03-13", "to": "2026-03-19"})
    assert [row["closing_quantity"] for row in rows] == ["1", "11", "11", "7", "7"]
    assert rows[0]["is_final"] is False  # it has no close


def test_reported_totals_and_corrections_are_the_restated_totals(week: Days) -> None:
    """What each session reported at its end, and what was learned since, to the last digit."""
    week.trade("2.5", "41.333333", TUESDAY, when=at(WEDNESDAY))
    wrong = week.trade("-1", "43", WEDNESDAY)
    week.amend(wrong, at(THURSDAY), price=D("43.01"), side="buy")
    week.trade("7", "40", MONDAY, when=at(THURSDAY, 19))
    week.keep(at(THURSDAY, 21))
    reported = sum(total_at_the_end(week, day) for day in PAST)
    rows = week.pnl(NOW, **WEEK)
    corrections = sum(D(row["correction_pnl"]) for row in rows)
    assert corrections != 0
    assert reported + corrections == sum(D(row["total_pnl"]) for row in rows)


def total_at_the_end(days: Days, day: date) -> Decimal:
    end = f"{day}T20:00:00Z"
    answer = make.client_of(days.user).get(
        "/api/v1/positions/", {"as_of": str(day), "known_at": end}
    )
    return sum((D(row["total_pnl"]) for row in answer.json()["results"]), D(0))


@pytest.mark.parametrize(("consumer", "reason"), [("positions", None), ("pnl", "settling")])
def test_kept_pnl_is_doubtful_only_while_its_own_reader_passes_the_account_over(
    days: Days, consumer: str, reason: str | None
) -> None:
    """Nothing of it is of positions' rows, whose rebuild would not ask for it again."""
    days.trade("10", "40", MONDAY)
    days.close(MONDAY, "41")
    settle(MONDAY)
    Quarantine.objects.create(consumer=consumer, account=days.account, entry_id=1, error="bad")
    days.keep(at(MONDAY, 21))
    (row,) = days.pnl(at(TUESDAY), by="ticker", **{"from": "2026-03-16", "to": "2026-03-16"})
    assert (row["pnl_reason"], row["is_final"]) == (reason, reason is None)


# --- nothing is lost ------------------------------------------------------------------------------


def test_what_a_batch_asks_for_is_committed_with_it(week: Days, monkeypatch: Any) -> None:
    """A reader that dies after its batch has lost nothing; before, it has done nothing."""
    with recorded(NOW), transaction.atomic():
        make.make_trade(week.user, week.account, week.ibm, "2", "41", trade_date=TUESDAY, at=NOW)

    def die(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr("trades.ledger.shard_batch._move_checkpoint", die)
        with pytest.raises(SystemExit):
            drain(ACTIVITY, week.account.pk % 16)
    assert not RestateRequest.objects.exists()
    drain(ACTIVITY, week.account.pk % 16)
    request = RestateRequest.objects.get()
    assert (request.account, request.instrument, request.first_session, request.last_session) == (
        week.account, week.ibm, TUESDAY, None,
    )  # fmt: skip


def test_a_calculation_that_dies_is_done_again(days: Days, monkeypatch: Any) -> None:
    days.trade("10", "40", MONDAY)
    days.close(MONDAY, "41")
    settle(MONDAY)
    with monkeypatch.context() as patched:
        patched.setattr("pnl.daily.finalize.daily_write", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            daily_finalize(now=at(MONDAY, 21))
    assert SessionRun.objects.exists()
    assert days.pnl(NOW, **WEEK)[0]["is_final"] is False
    days.trade(
        "1", "40", MONDAY, when=at(MONDAY, 22)
    )  # the run has begun: this asks, though nothing is stored yet
    days.keep(at(MONDAY, 23))
    row = days.pnl(NOW, by="ticker", **WEEK)[0]
    assert (row["closing_quantity"], row["is_final"], row["restated_at"]) == ("11", True, None)


def test_a_reader_that_is_far_behind_comes_first(days: Days) -> None:
    days.trade("10", "40", MONDAY)
    settle(MONDAY)
    with recorded(at(MONDAY, 19)), transaction.atomic():
        make.make_trade(days.user, days.account, days.ibm, "1", "40", trade_date=MONDAY, at=NOW)
    shard = days.account.pk % 16
    daily_finalize(now=at(MONDAY, 21))
    assert not SessionRun.objects.filter(shard=shard).exists()
    drain(ACTIVITY, shard)
    daily_finalize(now=at(MONDAY, 21))
    assert SessionRun.objects.filter(shard=shard, calculated_at__isnull=False).exists()


def test_a_rebuild_that_mends_asks_for_all_of_it(week: Days) -> None:
    DailyActivity.objects.filter(trade_date=MONDAY).update(notional=1)
    week.trade("1", "40", MONDAY, when=NOW)
    week.keep(NOW)
    assert week.figures(NOW, **WEEK)[0] != (11, 0, 11)
    for _ in rebuild(ACTIVITY):
        pass
    week.keep(NOW)
    assert week.figures(NOW, **WEEK)[0] == (11, 0, 11)
    assert not RestateRequest.objects.exists()


def test_one_writer_at_a_time(week: Days, committed_db: PostgresServer) -> None:
    from psycopg import connect

    from kernel.locks import Lock

    week.trade("2", "41", TUESDAY, when=NOW)
    with connect(committed_db.url("runtime")) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [Lock.DAILY_PNL_WRITE.value])
        assert restate_work(now=NOW) is Turn.BUSY
    assert restate_work(now=NOW) is Turn.DONE


def test_pieces_are_bounded_and_all_are_done(week: Days, monkeypatch: Any) -> None:
    monkeypatch.setattr("pnl.daily.restate.PIECE_ROWS", 2)
    monkeypatch.setattr("pnl.daily.finalize.PIECE_ROWS", 2)
    others = [make.make_instrument(f"T{n}") for n in range(5)]
    for name in others:
        week.trade("1", "10", MONDAY, when=NOW, instrument=name)
    DailyPnl.objects.all().delete()
    SessionRun.objects.update(calculated_at=None)
    daily_finalize(now=NOW)
    assert restate_work(now=NOW, seconds=0) is Turn.MORE
    week.keep(NOW)
    assert DailyPnl.objects.filter(session=THURSDAY).count() == 6


# --- restated = computed anew ---------------------------------------------------------------------

_names = count()
_session = st.sampled_from(PAST)
_amount = st.decimals("0.000001", "1000", places=6)
_STEP = st.one_of(
    st.tuples(st.just("trade"), _session, _amount, _amount, st.booleans()),
    st.tuples(st.just("amend"), st.integers(0, 20), _session, _amount),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
    st.tuples(st.just("close"), _session, _amount),
    st.tuples(st.just("keep")),
    st.tuples(st.just("rebuild")),
)


def play(days: Days, steps: list[tuple[Any, ...]]) -> None:
    trades: list[Any] = []

    def trade(day: date, quantity: Decimal, price: Decimal, buys: bool) -> None:
        signed = quantity if buys else -quantity
        trades.append(days.trade(str(signed), str(price), day, when=NOW))

    def amend(which: int, day: date, price: Decimal) -> None:
        if trades and (found := trades[which % len(trades)]) is not None:
            found.refresh_from_db()
            if (found.trade_date, found.price) != (day, price):
                days.amend(found, NOW, trade_date=day, price=price)

    def cancel(which: int) -> None:
        if trades and (found := trades[which % len(trades)]) is not None:
            days.cancel(found, NOW)
            trades[which % len(trades)] = None

    def mend() -> None:
        for _ in rebuild(ACTIVITY):
            pass

    acts: dict[str, Callable[..., None]] = {
        "trade": trade, "amend": amend, "cancel": cancel, "rebuild": mend,
        "close": lambda day, price: days.close(day, str(price)),
        "keep": lambda: days.keep(NOW),
    }  # fmt: skip
    for name, *arguments in steps:
        acts[name](*arguments)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEP, min_size=2, max_size=10))
def test_what_was_restated_is_what_would_be_computed_now(
    committed_db: PostgresServer, steps: list[tuple[Any, ...]]
) -> None:
    name = f"R{next(_names)}"
    days = Days(name, name)
    if not CloseRun.objects.exists():
        settle(*PAST)
    first = ("trade", TUESDAY, D(1), D(1), True)
    play(days, [first, ("keep",), *steps, ("keep",)])
    kept = shown(days)
    with transaction.atomic():
        SessionRun.objects.all().delete()
        assert shown(days) == kept
        transaction.set_rollback(True)


def shown(days: Days) -> list[tuple[Any, ...]]:
    rows: list[DayPnl] = past_rows(accounts=[days.account.pk], days=PAST, now=NOW, known=sessions())
    return [
        (
            r.session, r.opening, r.closing, r.trades, r.previous_close, r.mark, r.figures,
            r.pnl_reason,
        )
        for r in rows
    ]  # fmt: skip


def test_a_flip_through_zero(days: Days) -> None:
    days.close(MONDAY, "50")
    days.trade("100", "48", MONDAY)
    days.trade("-150", "52", TUESDAY)
    days.close(TUESDAY, "51")
    settle(MONDAY, TUESDAY)
    days.keep(at(TUESDAY, 21))
    assert days.figures(NOW, **{"from": "2026-03-17", "to": "2026-03-17"}) == [(300, -50, 250)]
