"""Exceptions of a session: each kind found and no more, by account; reviewed once and for all."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from blotter.exceptions.kinds import KINDS
from blotter.models import ExceptionReview
from kernel.clock import clock_set
from pnl.models import DailyActivity, Holding
from prices.actions.record import action_confirm, action_propose
from prices.actions.terms import Terms
from prices.models import Close, PriceOverride
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk, make_desk, noon
from trades.models import Breach, HeldRow, Import, ImportState, Limit, Trade
from trades.services.correction import trade_amend, trade_cancel
from trades.terms import Amendment

__all__ = ["noon"]
EXCEPTIONS, REVIEW = "/api/v1/exceptions/", "/api/v1/exceptions/review/"
YESTERDAY = TODAY - timedelta(days=1)


def recorded(moment: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('eqtrade.recorded_at', %s, false)", [str(moment)])


@pytest.fixture
def desk(db: None, noon: datetime) -> Iterator[Desk]:
    """The mark of IBM is 100, its close of the day before 50. The outsider sees and corrects in
    Test1 alone; `officer` reviews."""
    recorded(NOW)
    desk = make_desk()
    make.make_close(desk.ibm, YESTERDAY, "50")
    make.make_quote(desk.ibm, "100", NOW)
    make.entitle(desk.outsider, desk.account, book=True, correct=True)
    yield desk
    with connection.cursor() as cursor:
        cursor.execute("RESET eqtrade.recorded_at")


@pytest.fixture
def officer(desk: Desk) -> Any:
    from django.contrib.auth.models import Permission

    permission = Permission.objects.get(codename="review_exceptions")
    desk.outsider.user_permissions.add(permission)
    return desk.client("outsider")


def book(
    desk: Desk,
    price: str = "100",
    *,
    quantity: str = "10",
    day: date = TODAY,
    at: datetime = NOW,
    account: Account | None = None,
) -> Trade:
    recorded(at)
    where = account or desk.account
    made = make.make_trade(desk.trader, where, desk.ibm, quantity, price, trade_date=day, at=at)
    recorded(NOW)
    return made


def found(officer: Any, *kinds: str, **query: Any) -> list[dict[str, Any]]:
    answer = officer.get(EXCEPTIONS, {"kind": list(kinds or KINDS), **query})
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def trades(rows: list[dict[str, Any]]) -> list[str | None]:
    return [row["trade"] for row in rows]


def test_off_market_is_strictly_further_than_five_percent(desk: Desk, officer: Any) -> None:
    for price in ("105", "95", "100"):
        book(desk, price)
    high, low = book(desk, "105.01", quantity="-3"), book(desk, "94.99")
    old, _ = book(desk, "100", day=YESTERDAY), book(desk, "50", day=YESTERDAY)
    book(desk, "200", account=desk.other)
    rows = found(officer, "off_market")
    assert sorted(trades(rows), key=str) == sorted(str(t.pk) for t in (high, low, old))
    by_trade = {row["trade"]: row for row in rows}
    said = by_trade[str(high.pk)]
    assert said["detail"] == "Sell 3 IBM @ 105.01 is 5.010% above the mark, 100."
    assert (said["account"], said["ticker"], said["by"]) == ("Test1", "IBM", "trader")
    assert "100% above the close of 2026-03-17, 50" in by_trade[str(old.pk)]["detail"]
    # Undone, it is none any more.
    trade_cancel(user=desk.outsider, trade_id=high.pk, version=1, reason="wrong", now=NOW)
    assert str(high.pk) not in trades(found(officer, "off_market"))


def test_off_market_on_an_ex_date_is_measured_in_the_new_terms(desk: Desk, officer: Any) -> None:
    """Before the first price of the day the mark is the previous close, of shares before the
    split."""
    xom = make.make_instrument("XOM")
    make.make_close(xom, YESTERDAY, "1000")
    terms = Terms("split", "XOM", TODAY, keep_new=Decimal(10))
    user = make.make_user("root", is_superuser=True)
    action = action_propose(user=user, terms=terms, reason="announced")
    action_confirm(user=user, action_id=action.pk, version=1, reason="seen")
    new, old = (
        make.make_trade(desk.trader, desk.account, xom, "10", price, trade_date=TODAY, at=NOW)
        for price in ("101", "1000")
    )
    (row,) = found(officer, "off_market")
    assert row["trade"] == str(old.pk)
    assert new.pk != old.pk
    assert row["detail"] == "Buy 10 XOM @ 1,000 is 900% above the mark, 100."


def test_late_is_booked_after_its_date(desk: Desk, officer: Any) -> None:
    late = book(desk, "50", day=YESTERDAY)
    book(desk)
    book(desk, "50", day=YESTERDAY, at=NOW - timedelta(days=1))
    (row,) = found(officer, "late")
    assert (row["trade"], row["version"]) == (str(late.pk), 1)
    assert "dated 2026-03-17" in row["detail"]
    assert trades(found(officer, "late", session="2026-03-17")) == []


def test_each_amendment_and_cancellation(desk: Desk, officer: Any) -> None:
    trade = book(desk, at=NOW - timedelta(days=1))
    seven = Amendment(quantity=Decimal(7))
    trade_amend(
        user=desk.outsider, trade_id=trade.pk, version=1, terms=seven, reason="seven", now=NOW
    )
    trade_cancel(user=desk.outsider, trade_id=trade.pk, version=2, reason="twice", now=NOW)
    rows = found(officer, "amended")
    assert {(row["version"], row["detail"], row["by"]) for row in rows} == {
        (2, "Amended to buy 7 IBM @ 100: seven", "outsider"),
        (3, "Cancelled: buy 7 IBM @ 100: twice", "outsider"),
    }


def test_duplicates_within_minutes(desk: Desk, officer: Any) -> None:
    book(desk, quantity="5")
    again = book(desk, quantity="5", at=NOW + timedelta(minutes=5))
    book(desk, quantity="5", at=NOW + timedelta(minutes=10, seconds=1))
    book(desk, quantity="-5")
    meant = book(desk, quantity="5", at=NOW + timedelta(minutes=1))
    Trade.objects.filter(pk=meant.pk).update(client_trade_id="mine")
    (row,) = found(officer, "duplicate")
    assert row["trade"] == str(again.pk)
    assert "the same was booked at 16:00:00 UTC" in row["detail"]


def test_prices_by_hand(desk: Desk, officer: Any) -> None:
    at = NOW - timedelta(days=1)
    common = {"instrument": desk.ibm, "reason": "halted", "user": desk.trader}
    recorded(at)
    PriceOverride.objects.create(price=9, expires_at=at + timedelta(hours=1), **common)
    still = PriceOverride.objects.create(price=8, expires_at=NOW + timedelta(hours=1), **common)
    recorded(NOW)
    entered = Close.objects.create(session=YESTERDAY, source="manual", close=51, **common)
    rows = found(officer, "override")
    assert {row["id"] for row in rows} == {f"override:{still.pk}", f"override:close-{entered.pk}"}
    assert {row["by"] for row in rows} == {"trader"}
    assert "at 8 by hand: halted" in rows[0]["detail"]


def test_files_with_rows_rejected_or_held(desk: Desk, officer: Any) -> None:
    def job(**more: Any) -> Import:
        values: dict[str, Any] = {
            "id": uuid4(), "user": desk.trader, "file_name": "a.csv", "size": 1, "columns": [],
            "group_size": 100, "accepted_at": NOW, "place": 0, "line": 1, "rows_total": 3,
            "rows_done": 3, "accounts": ["Test1"], "state": ImportState.DONE, **more,
        }  # fmt: skip
        return Import.objects.create(**values)

    bad = job(rows_booked=1, rows_rejected=2)
    job(rows_booked=3)
    job(rows_booked=1, rows_rejected=2, accounts=["Test1", "Test2"])
    old = job(rows_booked=2, rows_held=1, accepted_at=NOW - timedelta(days=9))
    HeldRow.objects.create(import_job=old, row=1, line=2, terms={}, found=[])
    (row,) = found(officer, "rejected")
    assert (row["import"], row["account"]) == (str(bad.pk), "Test1")
    assert row["detail"] == "a.csv: 2 of 3 rows were rejected."
    (row,) = found(officer, "held")
    assert (row["import"], row["detail"]) == (
        str(old.pk), "a.csv: 1 rows wait to be booked or dropped.",
    )  # fmt: skip


def test_breaches_of_the_session(desk: Desk, officer: Any) -> None:
    def breach(account: Account, **more: Any) -> Breach:
        limit = Limit.objects.create(
            account=account, kind="gross", amount=100, changed_by=desk.trader
        )
        return Breach.objects.create(
            id=uuid4(), limit=limit, state="breached", value=90, worst=110, amount=100,
            opened_at=NOW - timedelta(days=2), seen_at=NOW, **more,
        )  # fmt: skip

    is_open = breach(desk.account)
    breach(desk.other)
    make.entitle(desk.outsider, desk.no_short)
    breach(desk.no_short, closed_at=NOW - timedelta(days=1))
    (row,) = found(officer, "breach")
    assert row["id"] == f"breach:{is_open.pk}:breached"
    assert row["detail"] == "gross of Test1: 110% of 100, breached."
    # One that was warned of, reviewed, and is exceeded now, is looked at again.
    review(officer, row["id"])
    Breach.objects.filter(pk=is_open.pk).update(state="warned")
    assert found(officer, "breach")[0]["reviewed_by"] is None


def test_partial_figures_of_a_session(desk: Desk, officer: Any) -> None:
    """Of the business date as it is, and of a past one as it is known: KO has no price at all."""
    assert found(officer, "partial") == []
    ko = {"account": desk.account, "instrument": make.make_instrument("KO"), "quantity": 5}
    Holding.objects.create(last_entry=1, **ko)
    DailyActivity.objects.create(trade_date=YESTERDAY, notional=300, trades=1, **ko)
    for session in (YESTERDAY, TODAY):
        rows = found(officer, "partial", session=str(session))
        assert [(r["account"], "in 1 row" in r["detail"]) for r in rows] == [("Test1", True)]


def review(officer: Any, *ids: str, comment: str = "looked at it", **more: Any) -> Any:
    return officer.post(REVIEW, {"ids": ids, "comment": comment, **more}, format="json")


def test_a_review_is_kept_with_its_comment(desk: Desk, officer: Any) -> None:
    first, second = book(desk, "110"), book(desk, "120")
    ids = [row["id"] for row in found(officer, "off_market")]
    assert officer.get(EXCEPTIONS).json()["open"] == {"off_market": 2}
    answer = review(officer, f"off_market:{first.pk}:1", comment="Block, fine")
    assert answer.status_code == 200, answer.content
    assert answer.json()[0]["comment"] == "Block, fine"
    both = {row["trade"]: row for row in found(officer, "off_market")}
    assert both[str(first.pk)]["reviewed_by"] == "outsider"
    assert both[str(second.pk)]["reviewed_by"] is None
    open_now = officer.get(EXCEPTIONS, {"reviewed": "false"}).json()
    assert open_now["open"] == {"off_market": 1}
    assert trades(open_now["results"]) == [str(second.pk)]
    assert trades(found(officer, reviewed="true")) == [str(first.pk)]
    # The last one counts, and the first stays.
    review(officer, *ids, comment="All fine")
    assert {row["comment"] for row in found(officer, "off_market")} == {"All fine"}
    assert ExceptionReview.objects.count() == 3
    # What is changed after its review is another exception.
    trade_amend(
        user=desk.outsider, trade_id=first.pk, version=1, reason="x", now=NOW,
        terms=Amendment(price=Decimal(130)),
    )  # fmt: skip
    (row,) = found(officer, "off_market", reviewed="false")
    assert (row["trade"], row["version"]) == (str(first.pk), 2)


def test_what_is_wrong_with_a_review(desk: Desk, officer: Any) -> None:
    hidden = book(desk, "200", account=desk.other)
    mine = book(desk, "200")
    for ids, comment, attr in (
        ([f"off_market:{mine.pk}:1", f"off_market:{hidden.pk}:1"], "x", "ids"),
        (["nonsense"], "x", "ids"),
        ([], "x", "ids"),
        ([f"off_market:{mine.pk}:1"], " ", "comment"),
    ):
        answer = review(officer, *ids, comment=comment)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["attr"].split(".")[0] == attr
    assert review(officer, "late:x", session="2026-03-19").status_code == 400
    assert not ExceptionReview.objects.exists()
    for method in (desk.client().get, desk.client().post):
        assert method(EXCEPTIONS if method.__name__ == "get" else REVIEW).status_code == 403


def test_the_list_is_of_the_session_whatever_the_day(desk: Desk, officer: Any) -> None:
    """On a Sunday it is that of Friday, with what was booked since; pages are of one order."""
    saturday = datetime(2026, 3, 21, 15, tzinfo=UTC)
    make.make_close(desk.ibm, date(2026, 3, 19), "100")
    for price in range(120, 125):
        book(desk, str(price), day=date(2026, 3, 20), at=saturday)
    with clock_set(saturday + timedelta(days=1)):
        rows = found(officer, "off_market")
        first = officer.get(EXCEPTIONS, {"page_size": 2, "kind": "off_market"}).json()
        second = officer.get(first["next"]).json()
    assert trades(first["results"] + second["results"]) == trades(rows)[:4]
    assert len(rows) == 5


def test_one_statement_a_kind(desk: Desk, officer: Any) -> None:
    def statements(*kinds: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            found(officer, *kinds)
        return len(seen)

    for price in ("110", "120"):
        book(desk, price, day=YESTERDAY)
    fixed = statements("rejected")
    for kind in ("off_market", "late", "amended", "duplicate", "breach", "held"):
        assert statements(kind) <= fixed + 2, kind
    few = statements()
    for whole in range(130, 150):
        book(desk, str(whole), day=YESTERDAY)
    assert statements() == few
    assert json.dumps(found(officer))
