"""The intraday series: at most a point a minute for each account, and nothing rewrites it."""

from datetime import timedelta
from typing import Any

import pytest

from kernel.clock import clock_set
from pnl.intraday.record import intraday_record
from tests import factories as make
from tests.pnl.conftest import TUESDAY, WEDNESDAY, Days, at

NOW = at(WEDNESDAY, 15, 30) + timedelta(seconds=7)


@pytest.fixture
def priced(days: Days) -> Days:
    days.trade("10", "40", TUESDAY)
    days.close(TUESDAY, "50")
    make.make_quote(days.ibm, "51", NOW)
    return days


def get(days: Days, **query: Any) -> Any:
    with clock_set(NOW + timedelta(hours=2)):
        return make.client_of(days.user).get("/api/v1/pnl/intraday/", query)


def test_the_second_in_a_minute_adds_nothing_and_changes_nothing(priced: Days) -> None:
    make.make_account("Idle")
    assert intraday_record(now=NOW) == 1
    priced.ibm.quotes.update(price=52)
    assert intraday_record(now=NOW + timedelta(seconds=50)) == 0
    assert intraday_record(now=NOW + timedelta(seconds=55)) == 1
    rows = get(priced, account="Test1").json()["results"]
    assert rows[0] == {
        "account": "Test1",
        "session": "2026-03-18",
        "at": "2026-03-18T15:30:00Z",
        "currency": "USD",
        "trade_pnl": "0",
        "position_pnl": "10",
        "action_pnl": "0",
        "total_pnl": "10",
        "pnl_valid": True,
    }
    assert [(row["at"][11:16], row["total_pnl"]) for row in rows] == [
        ("15:30", "10"), ("15:31", "20"),
    ]  # fmt: skip
    assert get(priced, session="2026-03-17").json()["results"] == []


def test_what_is_not_known_is_said(priced: Days) -> None:
    xom = make.make_instrument("XOM")
    priced.trade("1", "1", TUESDAY, instrument=xom)
    intraday_record(now=NOW)
    (row,) = get(priced).json()["results"]
    assert (row["total_pnl"], row["pnl_valid"]) == ("10", False)


def test_a_real_source_has_points_only_while_the_exchange_is_open(
    priced: Days, settings: Any
) -> None:
    settings.PRICE_SOURCE = "csv"
    settings.PRICE_FILE = "/dev/null"
    assert intraday_record(now=at(WEDNESDAY, 13, 29)) == 0
    assert intraday_record(now=at(WEDNESDAY, 13, 30)) == 1
    assert intraday_record(now=at(WEDNESDAY, 20)) == 0


def test_intraday_points_are_paged_and_only_of_accounts_in_sight(priced: Days) -> None:
    other = make.make_account("Test2")
    priced.trade("1", "40", TUESDAY, account=other)
    for minute in range(3):
        assert intraday_record(now=NOW + timedelta(minutes=minute)) == 2
    everything = get(priced).json()["results"]
    assert [row["account"] for row in everything] == ["Test1"] * 3 + ["Test2"] * 3
    page = get(priced, page_size=4).json()
    with clock_set(NOW + timedelta(hours=2)):
        following = make.client_of(priced.user).get(page["next"]).json()
        back = make.client_of(priced.user).get(following["previous"]).json()
    assert page["results"] + following["results"] == everything
    assert back["results"] == page["results"]
    mine = make.make_user("mine")
    make.entitle(mine, other)
    with clock_set(NOW):
        rows = make.client_of(mine).get("/api/v1/pnl/intraday/").json()["results"]
    assert {row["account"] for row in rows} == {"Test2"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"session": "2026-03-15"}, "no_session"),
        ({"session": "2026-03-19"}, "in_future"),
        ({"after": "WyJUZXN0MSJd"}, "invalid"),
        ({"after": "WyJUZXN0MSIsICJub29uIl0="}, "invalid"),
        # A time that no clock of ours can say: 0001-01-01T00:00:00+23:59.
        ({"after": "WyJUZXN0MSIsICIwMDAxLTAxLTAxVDAwOjAwOjAwKzIzOjU5Il0="}, "invalid"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(days: Days, query: dict[str, str], code: str) -> None:
    answer = get(days, **query)
    assert answer.status_code == 400
    assert [e["code"] for e in answer.json()["errors"]] == [code]
