"""Restating is bounded, however much is asked for at once."""

from typing import Any

from pnl.models import DailyPnl, RestateRequest
from pnl.services.restating import Turn, accounts_restate, restate_work
from tests import factories as make
from tests.pnl.conftest import FRIDAY, MONDAY, THURSDAY, TUESDAY, WEDNESDAY, Days, at, settle

NOW = at(FRIDAY)


def test_accounts_that_are_asked_for_as_a_whole_come_in_pieces(
    days: Days, monkeypatch: Any
) -> None:
    """One transaction spreads a few of them over their keys, and a key begins with its first day:
    each of them may have thousands of keys, and these thousands of sessions."""
    monkeypatch.setattr("pnl.services.restating.PIECE_ROWS", 2)
    names = [days.ibm, make.make_instrument("XOM")]
    accounts = [days.account, *(make.make_account(f"Test{n}") for n in (2, 3))]
    for account in accounts:
        for name, day in zip(names, (MONDAY, WEDNESDAY), strict=True):
            days.trade("1", "40", day, account=account, instrument=name)
    settle(MONDAY, TUESDAY, WEDNESDAY, THURSDAY)
    days.keep(NOW)
    DailyPnl.objects.update(closing_quantity=7)
    accounts_restate(accounts=[a.pk for a in accounts], first=MONDAY)
    assert restate_work(now=NOW, seconds=0) is Turn.MORE
    asked = RestateRequest.objects.order_by("id").values_list(
        "account__code", "instrument__ticker", "first_session"
    )
    assert list(asked) == [
        ("Test2", None, MONDAY), ("Test3", None, MONDAY),
        ("Test1", "IBM", MONDAY), ("Test1", "XOM", WEDNESDAY),
    ]  # fmt: skip
    days.keep(NOW)
    assert set(DailyPnl.objects.values_list("closing_quantity", flat=True)) == {1}
    assert DailyPnl.objects.count() == 3 * (4 + 2)
