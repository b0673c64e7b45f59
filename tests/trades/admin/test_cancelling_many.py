"""A selection is cancelled trade by trade, by the service: those that were shown, with a reason."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests import factories as make
from tests.trades.admin.conftest import LIST, amendment, one
from tests.trades.conftest import NOW, TODAY, Desk
from trades.models import Trade, TradeVersion


def choose(client: Client, *trades: Trade, **more: str) -> Any:
    ids = [str(t.pk) for t in trades]
    return client.post(LIST, {"action": "cancel_selected", "_selected_action": ids, **more})


def confirm(client: Client, versions: str, reason: str = "Wrong file") -> Any:
    sent = {
        "action": "cancel_selected", "_selected_action": str(uuid4()), "confirm": "1",
        "versions": versions, "reason": reason,
    }  # fmt: skip
    return client.post(LIST, sent)


def test_a_selection_is_cancelled_with_a_reason_and_a_result_for_each(
    desk: Desk, client: Client, trade: Trade
) -> None:
    other = make.make_trade(desk.trader, desk.account, desk.ibm, "5", "2", trade_date=TODAY, at=NOW)
    not_mine = make.make_trade(
        desk.trader, desk.other, desk.ibm, "5", "2", trade_date=TODAY, at=NOW
    )
    asked = choose(client, trade, other, not_mine)
    assert "Cancel 3 trades" in asked.content.decode()
    assert TradeVersion.objects.count() == 3
    versions = asked.context["versions"]
    assert "This field is required." in confirm(client, versions, reason="").content.decode()
    # Somebody amends one of them while the reason is being typed.
    client.post(one(other), amendment(other, quantity="6"))
    done = confirm(client, versions).content.decode()
    assert "1 of 3 trades are cancelled" in done
    assert "The trade is at version 2" in done
    assert "You may not correct this trade in Test2" in done
    statuses = {t.pk: t.status for t in Trade.objects.all()}
    assert statuses == {trade.pk: "cancelled", other.pk: "amended", not_mine.pk: "booked"}
    assert TradeVersion.objects.get(trade=trade, version=2).reason == "Wrong file"


def test_only_the_trades_that_were_shown_are_cancelled(
    desk: Desk, client: Client, trade: Trade
) -> None:
    asked = choose(client, trade, select_across="1")
    make.make_trade(desk.trader, desk.account, desk.ibm, "5", "2", trade_date=TODAY, at=NOW)
    confirm(client, asked.context["versions"])
    assert Trade.objects.filter(status="cancelled").count() == 1


def test_a_buy_and_its_sell_go_together_where_no_short_is_allowed(
    desk: Desk, client: Client
) -> None:
    both = [
        make.make_trade(desk.trader, desk.no_short, desk.ibm, q, "2", trade_date=TODAY, at=NOW)
        for q in ("10", "-10")
    ]
    asked = choose(client, *both)
    assert (
        "2 of 2 trades are cancelled" in confirm(client, asked.context["versions"]).content.decode()
    )


NO_TRADE = "01a20994-7003-72b3-adae-4f3ac809a58f"


@pytest.mark.parametrize("versions", ["", "x", "x:1", f"{NO_TRADE}:1", f"{NO_TRADE}:x", ":"])
def test_a_confirmation_that_names_nothing_cancels_nothing(
    client: Client, trade: Trade, versions: str
) -> None:
    assert confirm(client, versions).status_code == 200
    assert not Trade.objects.filter(status="cancelled").exists()


def test_what_guards_ask_about_is_confirmed_together(
    desk: Desk, client: Client, trade: Trade
) -> None:
    """The others are cancelled at once; those are shown with what was said, and go by one press,
    for the same reason."""
    from trades.models import AskedVersion, Guard

    Guard.objects.create(code="large_quantity", warn=50, changed_by=desk.trader)
    big = [
        make.make_trade(desk.trader, desk.account, desk.ibm, q, "2", trade_date=TODAY, at=NOW)
        for q in ("60", "70")
    ]
    asked = confirm(client, choose(client, trade, *big).context["versions"])
    page = asked.content.decode()
    assert "1 of 3 trades are cancelled" in page
    assert "Asked: The quantity is 60." in page
    assert "Cancel the 2 asked about all the same" in page
    assert set(asked.context["versions"].split(",")) == {f"{t.pk}:1" for t in big}
    sent = {
        "action": "cancel_selected", "_selected_action": str(uuid4()), "confirm": "1",
        "versions": asked.context["versions"], "tokens": asked.context["tokens"],
    }  # fmt: skip
    # For another reason it is another question.
    other = client.post(LIST, {**sent, "reason": "Another"})
    assert "0 of 2 trades are cancelled" in other.content.decode()
    done = client.post(LIST, {**sent, "reason": "Wrong file"})
    assert "2 of 2 trades are cancelled" in done.content.decode()
    kept = AskedVersion.objects.filter(trade__in=big)
    assert {(each.version, each.confirmed_by) for each in kept} == {(2, _clerk())}
    assert not Trade.objects.exclude(status="cancelled").exists()


def _clerk() -> User:
    return User.objects.get(username="clerk")
