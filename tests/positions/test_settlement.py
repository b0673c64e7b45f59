"""What has settled and what has not, over REST; and the reader that keeps it."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from psycopg import connect

from eqtrade.up.postgres import PostgresServer
from eqtrade.verify import verify
from kernel.clock import clock_set
from pnl.models import Holding
from positions.models import Settling
from positions.projection import SETTLEMENT
from prices.models import SettlementOverride
from tests import factories as make
from tests.pnl.conftest import FRIDAY, MONDAY, THURSDAY, TUESDAY, WEDNESDAY, Days, at, days
from tests.pnl.test_strategies import Book
from trades.ledger.rebuild import rebuild

D = Decimal
__all__ = ["days"]


@pytest.fixture
def book(days: Days) -> Book:
    return Book(days)


def row(book: Book, day: date, **query: Any) -> dict[str, Any]:
    (found,) = book.rows("positions/settlement/", at(day), **query)
    return found


def told(found: dict[str, Any]) -> tuple[Any, ...]:
    unsettled = [
        (u["settlement_date"], D(u["quantity"]), D(u["amount"])) for u in found["unsettled"]
    ]
    return D(found["traded"]), D(found["settled"]), unsettled


def test_a_trade_settles_on_the_next_settlement_day(book: Book) -> None:
    fee = [{"kind": "commission", "amount": "1.50"}]
    book.book("100", "10", at(MONDAY), fees=fee)
    assert told(row(book, MONDAY)) == (100, 0, [("2026-03-17", 100, D("1001.5"))])
    book.book("-40", "11", at(TUESDAY), fees=fee)
    found = row(book, TUESDAY)
    assert told(found) == (60, 100, [("2026-03-18", -40, D("-438.5"))])
    assert {n: found[n] for n in ("account", "ticker", "session", "currency", "overdue")} == {
        "account": "Test1", "ticker": "IBM", "session": "2026-03-17", "currency": "USD",
        "overdue": [],
    }  # fmt: skip
    assert told(row(book, WEDNESDAY)) == (60, 60, [])
    # As of then, as known now, straight from the ledger.
    then = row(book, WEDNESDAY, as_of=str(MONDAY))
    assert told(then) == (100, 0, [("2026-03-17", 100, D("1001.5"))])


def overdue_in_the_admin(day: date) -> int:
    """How many rows of the list of what is unsettled say so."""
    boss = make.make_user(f"boss{day}", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(boss)
    with clock_set(at(day)):
        answer: Any = client.get("/admin/positions/settling/")
    page = str(answer.content.decode())
    assert "2026-03-20" in page.replace("March 20, 2026", "2026-03-20")
    return page.count('class="overdue"')


def test_one_that_failed_is_overdue_until_it_settles(book: Book) -> None:
    trade = book.book("100", "10", at(MONDAY))
    late = book.book("5", "10", at(MONDAY), settlement_date="2026-03-20")
    trade = book.change(trade, at(TUESDAY), settlement_date="2026-03-19")
    found = row(book, TUESDAY)
    assert told(found) == (105, 0, [("2026-03-19", 100, 1000), ("2026-03-20", 5, 50)])
    # One that was agreed to settle later is not overdue, and nor is it after a change of its price.
    assert found["overdue"] == ["2026-03-19"]
    book.change(late, at(TUESDAY), price="11")
    assert row(book, TUESDAY)["overdue"] == ["2026-03-19"]
    assert overdue_in_the_admin(TUESDAY) == 1
    assert row(book, THURSDAY)["overdue"] == []
    assert overdue_in_the_admin(THURSDAY) == 0
    assert told(row(book, THURSDAY)) == (105, 100, [("2026-03-20", 5, 55)])


def test_bought_and_sold_on_a_day_leaves_cash_to_settle(book: Book) -> None:
    book.book("100", "10", at(MONDAY))
    book.book("-100", "12", at(MONDAY))
    assert told(row(book, MONDAY)) == (0, 0, [("2026-03-17", 0, -200)])
    assert book.rows("positions/settlement/", at(TUESDAY)) == []


def test_an_override_counts_from_the_next_booking_on(book: Book) -> None:
    first = book.book("10", "10", at(MONDAY))
    SettlementOverride.objects.create(date=TUESDAY, settles=False, reason="A strike")
    second = book.book("10", "10", at(MONDAY))
    assert [t["settlement_date"] for t in (first, second)] == ["2026-03-17", "2026-03-18"]
    assert told(row(book, TUESDAY)) == (20, 10, [("2026-03-18", 10, 100)])


def test_an_entry_that_says_no_date_settles_by_the_published_calendars(
    book: Book, committed_db: PostgresServer
) -> None:
    """As those do that were written before there was one; whatever was overridden since."""
    book.book("10", "10", at(MONDAY))
    SettlementOverride.objects.create(date=TUESDAY, settles=False, reason="A strike")
    with connect(committed_db.url("owner", "eqtrade"), autocommit=True) as owner:
        owner.execute("ALTER TABLE trades_ledgerentry DISABLE TRIGGER USER")
        owner.execute("UPDATE trades_ledgerentry SET settlement_date = NULL")
        owner.execute("ALTER TABLE trades_ledgerentry ENABLE TRIGGER USER")
    Settling.objects.all().delete()
    for _ in rebuild(SETTLEMENT):
        pass
    assert Settling.objects.get().settlement_date == TUESDAY


def test_it_adds_up_to_what_is_held_and_a_rebuild_mends_it(book: Book) -> None:
    trade = book.book("10", "10", at(MONDAY))
    book.book("-4", "10", at(TUESDAY))
    book.change(trade, at(TUESDAY), quantity="12", settlement_date="2026-03-20")
    assert sum(s.quantity for s in Settling.objects.all()) == Holding.objects.get().quantity == 8
    assert not [b for b in verify() if b.consumer == "settlement"]
    Settling.objects.filter(settlement_date=FRIDAY).update(amount=1)
    assert [b.what for b in verify()] == ["settling, amount"]
    assert sum(done.result.written for done in rebuild(SETTLEMENT)) == 1
    assert not verify()


def test_whose_account_one_may_not_view_does_not_exist(book: Book) -> None:
    book.book("10", "10", at(MONDAY))
    stranger = make.client_of(make.make_user("stranger"))
    assert stranger.get("/api/v1/positions/settlement/").json()["results"] == []


def test_the_future_is_not_known(book: Book) -> None:
    with clock_set(at(MONDAY)):
        answer = book.client.get("/api/v1/positions/settlement/", {"as_of": "2026-03-17"})
    assert [(e["code"], e["attr"]) for e in answer.json()["errors"]] == [("in_future", "as_of")]
