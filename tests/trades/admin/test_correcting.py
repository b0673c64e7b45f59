"""Trades are corrected by the services and as entitlements say, and there is no way around."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests import factories as make
from tests.trades.admin.conftest import LIST, MONDAY, amendment, cancellation, listed, login, one
from tests.trades.conftest import NOW, TODAY, Desk
from trades.models import Trade, TradeVersion


def test_an_amendment_goes_through_the_service(client: Client, clerk: User, trade: Trade) -> None:
    answer = client.post(one(trade), amendment(trade, quantity="7", reason="A digit too many"))
    assert (answer.status_code, answer["Location"]) == (302, one(trade))
    first, second = TradeVersion.objects.filter(trade=trade)
    assert (first.quantity, second.quantity) == (10, 7)
    assert (second.version, second.actor, second.reason) == (2, clerk, "A digit too many")
    assert "version 2" in client.get(one(trade)).content.decode()


def test_fees_are_corrected_by_kind(desk: Desk, client: Client, clerk: User) -> None:
    """What was not touched is no change; a kind that is emptied goes."""
    trade = make.make_trade(
        desk.trader, desk.account, desk.ibm, "10", "2", trade_date=TODAY, at=NOW, commission="5.00"
    )
    assert 'value="5"' in client.get(one(trade)).content.decode()
    same = client.post(one(trade), amendment(trade, commission="5"))
    assert "These are the terms that the trade has already." in same.content.decode()
    wrong = client.post(one(trade), amendment(trade, commission="1e3"))
    assert "plain decimal" in wrong.content.decode()
    assert client.post(one(trade), amendment(trade, tax="-0.5")).status_code == 302
    trade.refresh_from_db()
    assert (trade.version, trade.fees) == (2, Decimal("-0.5"))
    page = client.get(one(trade)).content.decode()
    assert "commission 5" in page
    assert "tax -0.5" in page
    again = client.post(one(trade), amendment(trade, price="3", tax="-0.50"))
    assert again.status_code == 302
    trade.refresh_from_db()
    assert (trade.version, trade.price, trade.fees) == (3, Decimal(3), Decimal("-0.5"))


def test_terms_that_were_not_touched_are_not_checked_again(
    desk: Desk, client: Client, trade: Trade
) -> None:
    """The trade's day may have become none since: its price can be corrected all the same."""
    Trade.objects.filter(pk=trade.pk).update(trade_date=date(2026, 3, 15))
    trade.refresh_from_db()
    assert client.post(one(trade), amendment(trade, price="3")).status_code == 302


def test_a_cancellation_goes_through_the_service(client: Client, trade: Trade) -> None:
    assert client.post(one(trade), cancellation()).status_code == 302
    trade.refresh_from_db()
    assert (trade.status, trade.version) == ("cancelled", 2)
    page = client.get(one(trade)).content.decode()
    assert 'name="_amend"' not in page
    assert 'name="_cancel"' not in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": ""}, "This field is required."),
        ({"reason": "   "}, "This field is required."),
        ({"quantity": "1e3"}, "plain decimal"),
        ({"quantity": "1,000"}, "without"),
        ({"quantity": "０"}, "plain decimal"),
        ({"price": "-1"}, "greater than 0"),
        ({"price": "0.00000000001"}, "10 decimals"),
        ({"ticker": "NOPE"}, "This ticker is not known."),
        ({"account": "Nope"}, "Select a valid choice"),
        ({"trade_date": "2026-03-19"}, "future"),
        ({"trade_date": "2026-03-15"}, "no session"),
        ({"trade_date": "x"}, "Enter a valid date"),
        ({"note": "a\nb"}, "Control characters"),
        ({"quantity": "10"}, "These are the terms that the trade has already."),
        ({"account": "Test2", "quantity": "9"}, "You may not correct this trade"),
    ],
    ids=repr,
)
def test_what_is_wrong_is_said_where_it_is(
    client: Client, trade: Trade, changes: dict[str, str], said: str
) -> None:
    answer = client.post(one(trade), amendment(trade, **changes))
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert TradeVersion.objects.count() == 1


def test_no_short_is_said_beside_the_quantity(desk: Desk, client: Client) -> None:
    bought, _ = (
        make.make_trade(desk.trader, desk.no_short, desk.ibm, q, "2", trade_date=TODAY, at=NOW)
        for q in ("10", "-6")
    )
    answer = client.post(one(bought), amendment(bought, quantity="5"))
    assert answer.context["amend"].errors["quantity"][0].startswith("Test4 may not go short")
    refused = client.post(one(bought), cancellation())
    assert "Test4 may not go short" in refused.content.decode()
    assert TradeVersion.objects.count() == 2


def test_who_comes_second_is_shown_the_trade_as_it_is_now(client: Client, trade: Trade) -> None:
    client.post(one(trade), amendment(trade, quantity="7"))
    for late in (amendment(trade, quantity="8"), cancellation()):
        page = client.post(one(trade), late, follow=True)
        assert "Nothing was changed" in page.content.decode()
        assert page.context["amend"].initial["quantity"] == "7"
    assert TradeVersion.objects.count() == 2


def test_versions_beneath_with_what_changed_marked(
    desk: Desk, client: Client, trade: Trade
) -> None:
    client.post(one(trade), amendment(trade, quantity="7", price="3"))
    client.post(one(trade), cancellation(2))
    steps = client.get(one(trade)).context["steps"]
    assert [(s.version.version, set(s.changed)) for s in steps] == [
        (3, set()), (2, {"quantity", "price"}), (1, set()),
    ]  # fmt: skip
    page = client.get(one(trade)).content.decode()
    assert len(re.findall(r'class="[a-z ]*changed"', page)) == 2


def test_versions_out_of_sight_are_left_out_and_said_to_be(
    desk: Desk, client: Client, trade: Trade
) -> None:
    boss = login(make.make_user("boss", is_staff=True, is_superuser=True))
    hidden = make.make_account("Hidden")
    boss.post(one(trade), amendment(trade, account="Hidden"))
    assert client.get(one(trade)).status_code == 302  # as if there were none
    Trade.objects.get(pk=trade.pk, account=hidden)
    trade.version, trade.account = 2, hidden
    boss.post(one(trade), amendment(trade, account="Test1"))
    page = client.get(one(trade))
    assert [(s.version.version, s.skipped) for s in page.context["steps"]] == [(3, 1), (1, 0)]
    assert "Hidden" not in page.content.decode()


# --- who may -------------------------------------------------------------------------------------


def test_only_accounts_that_one_may_view_and_only_where_one_may_correct(
    desk: Desk, client: Client, clerk: User, trade: Trade
) -> None:
    elsewhere = make.make_trade(
        desk.trader, desk.other, desk.ibm, "1", "2", trade_date=TODAY, at=NOW
    )
    hidden = make.make_trade(
        desk.trader, make.make_account("Hidden"), desk.ibm, "1", "2", trade_date=TODAY, at=NOW
    )
    assert listed(client) == {str(trade.pk), str(elsewhere.pk)}
    assert listed(client, q=str(hidden.pk)) == set()
    assert client.get(one(hidden)).status_code == 302
    assert client.post(one(hidden), cancellation()).status_code == 302
    page = client.get(one(elsewhere))
    assert page.context["amend"] is None
    assert "not correct it" in page.content.decode()
    client.post(one(elsewhere), cancellation())
    assert TradeVersion.objects.count() == 3
    assert "Hidden" not in client.get(LIST).content.decode()


def test_without_the_permission_to_view_trades_there_is_nothing(desk: Desk, trade: Trade) -> None:
    staff = make.make_user("staff", is_staff=True)
    make.entitle(staff, desk.account, correct=True)
    client = login(staff)
    for path in (LIST, one(trade), f"{LIST}export/csv/", f"{LIST}export/xlsx/"):
        assert client.get(path).status_code == 403
    assert client.post(one(trade), cancellation()).status_code == 403


def test_who_is_no_staff_is_sent_to_the_login(desk: Desk, trade: Trade) -> None:
    client = login(desk.trader)
    for path in (LIST, one(trade), f"{LIST}export/csv/"):
        assert "/admin/login/" in client.get(path)["Location"]


def test_ones_own_trade_of_the_day(desk: Desk) -> None:
    """The right to book is enough for it, in the admin as over REST."""
    desk.trader.is_staff = True
    desk.trader.save()
    desk.trader.user_permissions.add(Permission.objects.get(codename="view_trade"))
    client = login(desk.trader)
    today, old = (
        make.make_trade(desk.trader, desk.account, desk.ibm, "1", "2", trade_date=day, at=NOW)
        for day in (TODAY, MONDAY)
    )
    assert client.get(one(today)).context["amend"] is not None
    assert client.get(one(old)).context["amend"] is None
    assert client.post(one(today), cancellation()).status_code == 302


def test_there_is_no_way_around_the_services(client: Client, trade: Trade) -> None:
    boss = login(make.make_user("boss", is_staff=True, is_superuser=True))
    for who in (client, boss):
        assert who.get(f"{LIST}add/").status_code == 403
        assert who.post(f"{LIST}add/", {"quantity": "1"}).status_code == 403
        assert who.post(f"{LIST}{trade.pk}/delete/", {"post": "yes"}).status_code == 403
        assert who.get("/admin/trades/tradeversion/").status_code == 404
        assert who.get("/admin/trades/ledgerentry/").status_code == 404
        who.post(one(trade), {"quantity": "99", "status": "cancelled", "_save": "Save"})
        who.post(
            LIST, {"action": "delete_selected", "_selected_action": str(trade.pk), "post": "yes"}
        )
        who.post(LIST, {"form-TOTAL_FORMS": "1", "form-0-quantity": "99", "_save": "Save"})
    trade.refresh_from_db()
    assert (trade.quantity, trade.version) == (10, 1)
    assert TradeVersion.objects.count() == 1
