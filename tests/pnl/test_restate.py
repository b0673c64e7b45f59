"""Restating is bounded, however much is asked for at once, and follows a past day's hours."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from eqtrade.verify import verify
from kernel.clock import clock_set
from pnl.daily.restate import Turn, accounts_restate, restate_work
from pnl.models import DailyPnl, RestateRequest
from pnl.tasks import rebuild_projection
from prices.models import SessionOverride
from tests import factories as make
from tests.pnl.conftest import FRIDAY, MONDAY, THURSDAY, TUESDAY, WEDNESDAY, Days, at, settle

NOW = at(FRIDAY)


def test_accounts_that_are_asked_for_as_a_whole_come_in_pieces(
    days: Days, monkeypatch: Any
) -> None:
    """One transaction spreads a few of them over their keys, and a key begins with its first day:
    each of them may have thousands of keys, and these thousands of sessions."""
    monkeypatch.setattr("pnl.daily.restate.PIECE_ROWS", 2)
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


ADMIN = "/admin/prices/sessionoverride/"


def previous_close(day: date) -> Decimal | None:
    kept: Decimal | None = DailyPnl.objects.get(session=day).previous_close
    return kept


def test_a_day_that_turns_out_to_have_been_closed(days: Days, client: Client) -> None:
    days.trade("1", "40", MONDAY)
    for day, price in ((MONDAY, "50"), (TUESDAY, "60"), (WEDNESDAY, "70"), (THURSDAY, "80")):
        days.close(day, price)
    settle(MONDAY, TUESDAY, WEDNESDAY, THURSDAY)
    days.keep(NOW)
    assert previous_close(WEDNESDAY) == 60
    client.force_login(User.objects.create_superuser("root"))
    with clock_set(NOW):
        given = {"date": TUESDAY, "is_closed": "on", "reason": "Storm"}
        assert client.post(f"{ADMIN}add/", given).status_code == 302
    days.keep(NOW)
    assert previous_close(WEDNESDAY) == 50
    # Taken back, everything is as before.
    with clock_set(NOW):
        wrong = list(SessionOverride.objects.values_list("pk", flat=True))
        chosen = {"action": "delete_selected", "_selected_action": wrong, "post": "yes"}
        assert client.post(ADMIN, chosen).status_code == 302
    assert not SessionOverride.objects.exists()
    days.keep(NOW)
    assert previous_close(WEDNESDAY) == 60


def test_hours_of_a_day_to_come_restate_nothing(days: Days, client: Client) -> None:
    days.trade("1", "40", MONDAY)
    client.force_login(User.objects.create_superuser("root"))
    RestateRequest.objects.all().delete()
    with clock_set(NOW):
        given = {"date": "2026-03-27", "early_close": "13:00", "reason": "Moved"}
        assert client.post(f"{ADMIN}add/", given).status_code == 302
    assert SessionOverride.objects.exists()
    assert not RestateRequest.objects.exists()


def test_kept_pnl_alone_may_be_wrong_and_is_mended_by_name(days: Days) -> None:
    """What verify lists, the rebuild of that account mends: holdings and activity are right."""
    days.trade("1", "40", MONDAY)
    for day, price in ((MONDAY, "50"), (TUESDAY, "60")):
        days.close(day, price)
    settle(MONDAY, TUESDAY)
    days.keep(NOW)
    with clock_set(NOW):
        assert verify() == []
        DailyPnl.objects.filter(session=TUESDAY).update(position_pnl=1)
        assert [(b.consumer, b.what) for b in verify()] == [("pnl", "end-of-day P&L, position P&L")]
        rebuild_projection([days.account.code])
        days.keep(NOW)
        assert verify() == []
