"""The trades of a business date: which they are, the newest of them, and how many."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection

from accounts.models import Account
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk
from trades.day import newest_of_the_day, of_the_day
from trades.models import Trade
from trades.services.correction import trade_amend, trade_cancel
from trades.terms import Amendment

YESTERDAY = TODAY - timedelta(days=1)


def recorded(moment: str) -> None:
    """Move the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('eqtrade.recorded_at', %s, false)", [moment])


@pytest.fixture(autouse=True)
def _clock(desk: Desk) -> None:
    recorded("2026-03-18 16:00+00")


def booked(desk: Desk, day: date = TODAY, account: Account | None = None) -> Trade:
    return make.make_trade(
        desk.trader, account or desk.account, desk.ibm, "10", "40", trade_date=day, at=NOW
    )


def corrector(desk: Desk) -> User:
    """Who may correct in both accounts."""
    for account in (desk.account, desk.other):
        make.entitle(desk.outsider, account, book=True, correct=True)
    return desk.outsider


def of_yesterday(desk: Desk) -> Trade:
    recorded("2026-03-17 16:00+00")
    made = booked(desk, YESTERDAY)
    recorded("2026-03-18 16:00+00")
    return made


def ids(desk: Desk, newest: int = 10) -> list[str]:
    day = newest_of_the_day([desk.account.pk], TODAY, newest)[desk.account.pk]
    return [str(row.id) for row in day.rows]


def test_dated_today_or_recorded_today(desk: Desk) -> None:
    of_yesterday(desk)
    late = booked(desk, YESTERDAY)
    today = booked(desk)
    assert ids(desk) == [str(today.pk), str(late.pk)]


def test_an_old_one_that_is_corrected_today(desk: Desk) -> None:
    old = of_yesterday(desk)
    trade_cancel(user=corrector(desk), trade_id=old.pk, version=1, reason="wrong", now=NOW)
    assert ids(desk) == [str(old.pk)]
    assert [str(r.id) for r in of_the_day([desk.account.pk], TODAY, [str(old.pk)])] == [str(old.pk)]


def test_the_newest_and_how_many_there_are(desk: Desk) -> None:
    made = [booked(desk) for _ in range(5)]
    booked(desk, account=desk.other)
    day = newest_of_the_day([desk.account.pk, desk.other.pk], TODAY, 2)
    assert [row.id for row in day[desk.account.pk].rows] == [made[4].pk, made[3].pk]
    assert (day[desk.account.pk].total, day[desk.other.pk].total) == (5, 1)


def test_one_that_moved_is_of_the_day_where_it_is_now(desk: Desk) -> None:
    old = of_yesterday(desk)
    trade_amend(
        user=corrector(desk),
        trade_id=old.pk,
        version=1,
        reason="wrong book",
        terms=Amendment(account="Test2"),
        now=NOW,
    )
    day = newest_of_the_day([desk.account.pk, desk.other.pk], TODAY, 5)
    assert (day[desk.account.pk].total, day[desk.other.pk].total) == (0, 1)
    asked = [str(old.pk)]
    assert of_the_day([desk.account.pk], TODAY, asked) == []
    assert [row.account for row in of_the_day([desk.other.pk], TODAY, asked)] == ["Test2"]


def test_by_id_only_those_of_the_day(desk: Desk) -> None:
    old, late, today = of_yesterday(desk), booked(desk, YESTERDAY), booked(desk)
    asked = [str(trade.pk) for trade in (old, late, today)]
    found = {row.id for row in of_the_day([desk.account.pk], TODAY, asked)}
    assert found == {late.pk, today.pk}
    assert of_the_day([desk.account.pk], TODAY, []) == []
