"""Only where somebody said when a trade was executed, or it was just now, is that time known."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Entitlement
from kernel.clock import clock_set
from tests import factories as make
from tests.trades.admin.conftest import login, one
from tests.trades.conftest import NOW, TODAY, Desk
from tests.trades.importing import HEADER, ROW, imported, lines
from tests.trades.test_booking import URL, book
from trades.models import Trade

YESTERDAY = "2026-03-17"


def known(answer: dict[str, Any]) -> tuple[bool, str]:
    return answer["executed_at_known"], answer["executed_at"]


def versions(desk: Desk, trade: dict[str, Any]) -> list[tuple[bool, str]]:
    answer = desk.client().get(f"{URL}{trade['id']}/versions/").json()
    return [known(version) for version in answer["results"]]


@pytest.mark.parametrize(
    ("terms", "is_known"),
    [
        ({}, True),
        ({"trade_date": TODAY.isoformat()}, True),
        ({"trade_date": YESTERDAY}, False),
        ({"trade_date": YESTERDAY, "executed_at": "2026-03-17T10:15:00-04:00"}, True),
        ({"executed_at": "2026-03-17T10:15:00-04:00"}, True),
        ({"trade_date": "2026-03-16", "executed_at": "2026-03-17T10:15:00-04:00"}, True),
    ],
    ids=repr,
)
def test_a_day_alone_tells_no_time(desk: Desk, terms: dict[str, str], is_known: bool) -> None:
    booked = book(desk, **terms).json()
    assert booked["executed_at_known"] is is_known
    # It sorts all the same.
    assert is_known or booked["executed_at"] == booked["booked_at"]
    assert desk.client().get(URL).json()["results"] == [booked]
    assert versions(desk, booked) == [known(booked)]


@pytest.mark.parametrize(
    ("now", "day", "is_known"),
    [
        (datetime(2026, 3, 18, 1, 30, tzinfo=UTC), "2026-03-17", True),  # 21:30 in New York
        (datetime(2026, 3, 18, 4, 30, tzinfo=UTC), "2026-03-18", True),
        (datetime(2026, 3, 21, 15, 0, tzinfo=UTC), "2026-03-20", False),  # on a Saturday
    ],
)
def test_the_day_is_new_yorks(desk: Desk, now: datetime, day: str, is_known: bool) -> None:
    with clock_set(now):
        booked = book(desk).json()
    assert (booked["trade_date"], booked["executed_at_known"]) == (day, is_known)


def test_bulk_and_files_tell_alike(desk: Desk) -> None:
    rows = [
        {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "1", "price": "2", **more}
        for more in ({}, {"trade_date": YESTERDAY})
    ]
    desk.client().post(f"{URL}bulk/", {"trades": rows}, format="json")
    imported(
        desk,
        lines(
            f"{ROW},{YESTERDAY},", f"{ROW},{YESTERDAY},2026-03-17 10:15", f"{ROW},,",
            header=f"{HEADER},trade_date,executed_at",
        ),
    )  # fmt: skip
    answer = desk.client().get(URL).json()["results"]
    assert [t["executed_at_known"] for t in reversed(answer)] == [True, False, False, True, True]


def test_a_correction_of_the_day_tells_anew(desk: Desk) -> None:
    Entitlement.objects.update(can_correct=True)
    trade = book(desk).json()
    for version, terms in enumerate(
        ({"trade_date": YESTERDAY}, {"quantity": "7"}, {"trade_date": TODAY.isoformat()}), 1
    ):
        body = {"version": version, "reason": "typo", **terms}
        answer = desk.client().patch(
            f"{URL}{trade['id']}/", json.dumps(body), content_type="application/json"
        )
        assert answer.status_code == 200, answer.content
    assert [is_known for is_known, _ in versions(desk, trade)] == [True, False, False, True]
    assert {at for _, at in versions(desk, trade)} == {trade["executed_at"]}
    assert desk.client().get(f"{URL}{trade['id']}/").json()["executed_at_known"] is True


def old(desk: Desk, day: date, at: datetime) -> Trade:
    """As it was stored before anybody asked: without a time, that of booking stands there."""
    trade = make.make_trade(desk.trader, desk.account, desk.ibm, "10", "2", trade_date=day, at=at)
    Trade.objects.filter(pk=trade.pk).update(booked_at=NOW)
    return trade


def test_trades_of_before_are_told_by_what_is_stored(desk: Desk) -> None:
    day = date(2026, 3, 17)
    without, with_time = old(desk, day, NOW), old(desk, day, NOW - timedelta(days=1))
    answer = desk.client().get(URL).json()["results"]
    assert {t["id"]: t["executed_at_known"] for t in answer} == {
        str(without.pk): False, str(with_time.pk): True,
    }  # fmt: skip
    boss = login(make.make_user("boss", is_staff=True, is_superuser=True))
    assert "no time" in boss.get(one(without)).content.decode()
    assert "no time" not in boss.get(one(with_time)).content.decode()
    export = boss.get("/admin/trades/trade/export/csv/")
    text = b"".join(export.streaming_content).decode()  # type: ignore[attr-defined]
    header, *cells = [line.split(",") for line in text.strip().splitlines()]
    at = header.index("executed_at_known")
    assert sorted(row[at] for row in cells) == ["false", "true"]
