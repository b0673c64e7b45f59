"""Who sets guards, how they are kept, and what they cost."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from tests import factories as make
from tests.trades.conftest import Desk
from tests.trades.guarding import GUARDS, TRADES, book, booking, confirmed, guard, marked, put
from trades.models import Guard, GuardVersion, LedgerEntry, TradeVersion


@pytest.fixture
def desk(desk: Desk) -> Desk:
    return marked(desk)


def test_who_may_set_them(desk: Desk) -> None:
    rows = [{"account": "Test1", "code": "late"}]
    assert put(rows, desk.trader).status_code == 403
    assert put(rows).status_code == 200


def test_each_change_is_a_version(desk: Desk) -> None:
    guard("off_mark", warn="3", refuse="50")
    guard("off_mark", warn="3.0", refuse="50")
    guard("off_mark", warn="5", refuse="50")
    found = desk.client().get(GUARDS).json()["results"]
    assert [(g["account"], g["code"], g["warn"], g["version"]) for g in found] == [
        ("Test1", "off_mark", "5", 2)
    ]
    assert [v.warn for v in GuardVersion.objects.order_by("version")] == [3, 5]


WRONG: dict[str, tuple[Any, str, str]] = {
    "unknown account": ({"account": "No", "code": "late"}, "unknown_account", "0.account"),
    "unknown code": ({"code": "x"}, "invalid_choice", "0.code"),
    "negative": ({"code": "off_mark", "warn": "-1"}, "negative", "0.warn"),
    "no number": ({"code": "off_mark", "warn": "NaN"}, "not_decimal", "0.warn"),
    "refuse first": ({"code": "off_mark", "warn": "5", "refuse": "3"}, "below_warn", "0.refuse"),
    "minutes": ({"code": "late", "minutes": 5}, "no_minutes", "0.minutes"),
    "unknown field": ({"code": "late", "x": 1}, "unknown_field", "0.x"),
}


@pytest.mark.parametrize(("row", "code", "attr"), WRONG.values(), ids=WRONG)
def test_what_is_no_guard_is_refused(desk: Desk, row: Any, code: str, attr: str) -> None:
    answer = put([row])
    problems = [(e["code"], e["attr"]) for e in answer.json()["errors"]]
    assert (answer.status_code, problems) == (400, [(code, attr)])
    assert not Guard.objects.exists()


def test_an_account_knows_whether_guards_hold(desk: Desk) -> None:
    def version() -> int:
        return Account.objects.get(code="Test1").guards_version

    assert version() == 0
    guard("late")
    first = version()
    assert first > 0
    guard("flips", account=None)
    assert version() > first
    # Whoever saves the account, from before or after: the database says.
    desk.account.name = "Renamed"
    desk.account.save()
    assert version() > 0
    guard("late", is_active=False)
    guard("flips", account=None, is_active=False)
    assert version() == 0
    guard("flips", account=None)
    make.make_account("New")
    assert Account.objects.get(code="New").guards_version > 0


# --- what they cost ------------------------------------------------------------------------------


def statements(desk: Desk, **changes: Any) -> list[str]:
    client = desk.client()
    with CaptureQueriesContext(connection) as found:
        assert client.post(TRADES, booking(**changes), format="json").status_code == 201
    return [q["sql"] for q in found]


def test_one_more_statement_and_none_without_guards(desk: Desk) -> None:
    book(desk)
    before = statements(desk)
    for code, level in (("off_mark", "3"), ("of_position", "9"), ("large_notional", "1000000")):
        guard(code, account="Test2", warn=level)
    assert len(statements(desk)) == len(before)
    for code, level in (("off_mark", "3"), ("of_position", "9"), ("large_notional", "1000000")):
        guard(code, account="Test1", warn=level)
    assert len(statements(desk)) == len(before) + 1


def test_what_no_guard_looks_at_is_not_read(desk: Desk) -> None:
    """This process knows the guards by then, and a change of them."""
    book(desk)
    before = len(statements(desk))
    guard("large_quantity", warn="1000")
    assert len(statements(desk)) == before + 1
    assert len(statements(desk)) == before
    guard("large_quantity", warn="5")
    assert book(desk).status_code == 409
    guard("large_quantity", warn="1000")
    guard("flips")
    assert len(statements(desk)) == before + 1
    (asked,) = [sql for sql in statements(desk) if "SELECT 'held'" in sql]
    assert "prices_quote" not in asked
    assert "trades_guard" not in asked


def test_guards_change_no_number(desk: Desk) -> None:
    def rows() -> list[tuple[Any, ...]]:
        return list(
            LedgerEntry.objects.order_by("id").values_list("quantity", "notional", "trades")
        ) + list(TradeVersion.objects.order_by("trade_id").values_list("quantity", "price", "note"))

    sent = [("198.60", "10"), ("192.81", "7.5"), ("100", "3")]
    for price, quantity in sent:
        assert book(desk, price, quantity=quantity).status_code == 201
    without = rows()
    guard("off_mark", warn="1")
    for price, quantity in sent:
        answer = book(desk, price, quantity=quantity)
        if answer.status_code == 409:
            answer = confirmed(desk, answer, price, quantity=quantity)
        assert answer.status_code == 201
    both = rows()
    entries = len(sent)
    assert both[:entries] == both[entries : 2 * entries] == without[:entries]


def test_a_free_share_is_not_off_its_mark(desk: Desk) -> None:
    guard("off_mark", warn="3", refuse="50")
    assert book(desk, "0", price_zero=True, note="spin-off").status_code == 201
