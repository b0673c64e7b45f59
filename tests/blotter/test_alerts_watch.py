"""When alerts fire: each kind, once while it holds, told once whoever judges and whoever dies."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction

from accounts.models import Entitlement
from blotter.alert_rules import REST, REST_OF_TRADES
from blotter.alerts import ask, watch
from blotter.alerts.told import firings_by_id, firings_unseen, words
from blotter.alerts.watch import alerts_watch
from blotter.models import Alert, AlertFiring
from eqtrade.up.valkey import ValkeyServer
from kernel import notices
from pnl.activity.projection import ACTIVITY
from positions.projection import POSITIONS
from prices.models import Quote
from tests import factories as make
from tests.at_once import at_once
from tests.trades.conftest import NOW, Desk, make_desk, noon
from trades.ledger import mailbox
from trades.ledger.multi_shard_batch import round_read
from trades.models import LEDGER_SHARDS

__all__ = ["noon"]

ALERTS, TRADES = "/api/v1/alerts/", "/api/v1/trades/"
Heard = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """What was published, to whom."""
    said: Heard = []
    monkeypatch.setattr(notices, "publish", lambda each: said.extend(each))
    return said


@pytest.fixture
def valkey(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ValkeyServer.temporary() as server:
        settings.REDIS_URL = server.url()
        monkeypatch.setattr(mailbox, "_client", None)
        yield


@pytest.fixture
def desk(committed_db: None, noon: datetime, heard: Heard) -> Desk:
    """Test1 holds 100 IBM, bought at 120 of a previous close of 120, marked 121."""
    found = make_desk()
    make.make_close(found.ibm, date(2026, 3, 17), "120")
    make.make_quote(found.ibm, "121", NOW)
    book(found, "100")
    read()
    heard.clear()
    return found


def book(
    desk: Desk, quantity: str, side: str = "buy", who: str = "trader", account: str = "Test1"
) -> Any:
    body = {"account": account, "ticker": "IBM", "side": side, "quantity": quantity, "price": "120"}
    answer = desk.client(who).post(TRADES, body, format="json")
    assert answer.status_code == 201, answer.content
    return answer.json()


def read() -> None:
    for projection in (POSITIONS, ACTIVITY):
        assert not round_read(projection, range(LEDGER_SHARDS)).behind


def alert(desk: Desk, kind: str, who: str = "viewer", **more: Any) -> str:
    answer = desk.client(who).post(ALERTS, {"kind": kind, **more}, format="json")
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def mark(price: str, at: datetime = NOW) -> None:
    Quote.objects.update(price=price, as_of=at)


def fired() -> list[str]:
    return [words(each) for each in AlertFiring.objects.order_by("pk")]


LATER = NOW + REST


def test_pnl_of_an_account(desk: Desk) -> None:
    alert(desk, "account_pnl", account="Test1", way="above", level="100")
    assert alerts_watch(now=NOW) == 0  # it is 100 exactly
    mark("121.01")
    assert alerts_watch(now=NOW) == 1
    assert fired() == ["P&L of Test1 is 101.00, above 100"]
    assert desk.client("viewer").get(f"{ALERTS}fired/").json()["results"][0]["value"] == "101"


def test_a_loss_is_below(desk: Desk) -> None:
    alert(desk, "account_pnl", account="Test1", way="below", level="-50")
    assert alerts_watch(now=NOW) == 0
    mark("119.4999")
    assert alerts_watch(now=NOW) == 1
    assert fired() == ["P&L of Test1 is -50.01, below -50"]


def test_a_price(desk: Desk) -> None:
    alert(desk, "price", ticker="IBM", way="below", level="121")
    assert alerts_watch(now=NOW) == 0
    mark("120.99")
    assert alerts_watch(now=NOW) == 1
    assert fired() == ["IBM is at 120.99, below 121"]


def test_a_position(desk: Desk) -> None:
    alert(desk, "position", account="Test1", ticker="IBM", way="above", level="1000")
    book(desk, "900")
    read()
    assert alerts_watch(now=NOW) == 0
    book(desk, "0.5")
    read()
    assert alerts_watch(now=NOW) == 1
    assert fired() == ["Test1 holds 1,000.5 IBM, above 1,000"]


def test_a_stale_price_of_a_name_and_of_what_is_held(desk: Desk) -> None:
    make.make_instrument("GE")  # no quote, and nobody holds it
    alert(desk, "stale", ticker="IBM", level="5")
    alert(desk, "stale", account="Test1", level="6")
    alert(desk, "stale", account="Test2", level="6", who="trader")
    assert alerts_watch(now=NOW + timedelta(minutes=5)) == 0
    assert alerts_watch(now=NOW + timedelta(minutes=5, seconds=6)) == 1
    assert alerts_watch(now=NOW + timedelta(minutes=6, seconds=6)) == 1
    assert fired() == [
        "The price of IBM is 5.1 minutes old, more than 5",
        "The price of IBM in Test1 is 6.1 minutes old, more than 6",
    ]
    # A fresh price ends both. Nothing is awaited when the exchange has closed.
    later = NOW + timedelta(minutes=20)
    mark("121", later)
    assert alerts_watch(now=later) == 0
    assert not AlertFiring.objects.filter(closed_at=None).exists()
    assert alerts_watch(now=NOW + timedelta(hours=6)) == 0


def test_trades_of_others_are_told_once_each(desk: Desk) -> None:
    alert(desk, "others_trades", account="Test1")
    alert(desk, "others_trades", account="Test1", who="trader")
    alert(desk, "others_trades", account="Test2", who="trader")
    assert alerts_watch(now=NOW) == 0  # what was booked before is no news
    trade = book(desk, "7")
    # Of the trader's own trades the viewer hears, and not the trader.
    assert alerts_watch(now=NOW) == 1
    assert fired() == ["Test1: trader booked buy 7 IBM @ 120"]
    assert AlertFiring.objects.get().facts["trade"] == trade["id"]
    assert alerts_watch(now=LATER) == 0
    change = {"version": 1, "reason": "x", "note": "only words"}
    trader = desk.client("trader")
    Entitlement.objects.filter(user=desk.trader).update(can_correct=True)
    assert trader.patch(f"{TRADES}{trade['id']}/", change, format="json").status_code == 200
    book(desk, "8")
    assert alerts_watch(now=LATER) == 1
    assert fired()[-1] == "Test1: trader booked buy 8 IBM @ 120, and 1 more"
    cancel = {"version": 2, "reason": "wrong"}
    done = trader.post(f"{TRADES}{trade['id']}/cancel/", cancel, format="json")
    assert done.status_code == 200, done.content
    # Within a minute they are gathered.
    assert alerts_watch(now=LATER + REST_OF_TRADES / 2) == 0
    assert alerts_watch(now=LATER + REST_OF_TRADES) == 1
    assert fired()[-1] == "Test1: trader cancelled buy 7 IBM @ 120"


def test_a_trade_that_leaves_the_account_tells_nothing_of_the_other(desk: Desk) -> None:
    trade = book(desk, "7")
    alert(desk, "others_trades", account="Test1")
    Entitlement.objects.filter(user=desk.trader).update(can_correct=True)
    change = {"version": 1, "reason": "x", "account": "Test2", "quantity": "9"}
    moved = desk.client().patch(f"{TRADES}{trade['id']}/", change, format="json")
    assert moved.status_code == 200, moved.content
    assert alerts_watch(now=NOW) == 1
    assert fired() == ["Test1: trader moved away buy 7 IBM @ 120"]


def test_a_trade_that_commits_late_is_not_passed_over(desk: Desk) -> None:
    """Whoever writes holds the reading back to before they began, and it goes on from there."""
    alert(desk, "others_trades", account="Test1")

    def judge_meanwhile() -> None:
        (found,) = at_once(lambda: alerts_watch(now=NOW))
        assert found == 0

    with transaction.atomic():
        make.make_trade(
            desk.trader, desk.account, desk.ibm, "3", "120", trade_date=NOW.date(), at=NOW
        )
        judge_meanwhile()
    assert alerts_watch(now=NOW) == 1
    assert alerts_watch(now=LATER) == 0


def test_once_while_it_holds_and_again_after_it_has_gone_back(desk: Desk) -> None:
    alert(desk, "price", ticker="IBM", way="above", level="120")
    assert alerts_watch(now=NOW) == 1
    for minutes in range(1, 60, 7):
        assert alerts_watch(now=NOW + timedelta(minutes=minutes)) == 0
    mark("119")
    assert alerts_watch(now=LATER) == 0
    assert AlertFiring.objects.get().closed_at == LATER
    mark("121")
    assert alerts_watch(now=LATER) == 1


def test_to_and_fro_is_told_once_in_five_minutes(desk: Desk) -> None:
    alert(desk, "price", ticker="IBM", way="above", level="120")
    told = 0
    for seconds in range(0, 600, 15):
        mark("121" if seconds % 30 else "119")
        told += alerts_watch(now=NOW + timedelta(seconds=seconds)) or 0
    assert told == 2
    # One that is there to stay is told as soon as it may be.
    mark("121")
    assert alerts_watch(now=NOW + timedelta(seconds=615)) == 1


def test_once_only_is_off_after_it(desk: Desk) -> None:
    alert(desk, "price", ticker="IBM", way="above", level="120", is_once=True)
    assert alerts_watch(now=NOW) == 1
    mark("119")
    alerts_watch(now=LATER)
    mark("121")
    assert alerts_watch(now=LATER + REST) == 0
    assert desk.client("viewer").get(ALERTS).json()["results"][0]["state"] == "off"
    assert not AlertFiring.objects.filter(closed_at=None).exists()


def test_changed_it_is_armed_anew(desk: Desk) -> None:
    body = {"kind": "price", "ticker": "IBM", "way": "above", "level": "120"}
    address = f"{ALERTS}{alert(desk, **body)}/"
    assert alerts_watch(now=NOW) == 1
    changed = desk.client("viewer").put(address, {**body, "level": "120.5"}, format="json")
    assert changed.json()["state"] == "armed"
    assert alerts_watch(now=NOW + timedelta(seconds=1)) == 0  # rest is of the alert as it stands
    assert alerts_watch(now=LATER) == 1


def test_an_unknown_price_neither_fires_nor_ends(desk: Desk) -> None:
    ge = make.make_instrument("GE")
    alert(desk, "price", ticker="GE", way="below", level="10")
    assert alerts_watch(now=NOW) == 0
    make.make_quote(ge, "9", NOW)
    assert alerts_watch(now=NOW) == 1
    Quote.objects.filter(instrument=ge).delete()
    assert alerts_watch(now=NOW) == 0
    assert AlertFiring.objects.get().closed_at is None


def test_a_right_that_is_gone_silences_it(desk: Desk, heard: Heard) -> None:
    alert(desk, "others_trades", account="Test1")
    alert(desk, "position", account="Test1", ticker="IBM", way="above", level="1")
    Entitlement.objects.filter(user=desk.viewer).update(can_view=False)
    book(desk, "7")
    assert alerts_watch(now=NOW) == 0
    desk.viewer.is_active = False
    Entitlement.objects.filter(user=desk.viewer).update(can_view=True)
    desk.viewer.save()
    assert alerts_watch(now=NOW) == 0
    assert heard == [] or all(message["type"] != "alert" for _, message in heard)


def test_what_was_told_before_is_silent_too(desk: Desk) -> None:
    alert(desk, "position", account="Test1", ticker="IBM", way="above", level="1")
    assert alerts_watch(now=NOW) == 1
    firing = AlertFiring.objects.get()
    assert firings_unseen([desk.viewer.pk]) == [firing]
    Entitlement.objects.filter(user=desk.viewer).update(can_view=False)
    assert firings_unseen([desk.viewer.pk]) == []
    assert firings_by_id([str(firing.pk)]) == []
    # It ends, and does not hold on behind their back.
    alerts_watch(now=NOW)
    assert AlertFiring.objects.get().closed_at == NOW


def test_two_at_once_fire_once(desk: Desk, heard: Heard) -> None:
    for _ in range(5):
        alert(desk, "price", ticker="IBM", way="above", level="120")
    alert(desk, "others_trades", account="Test1")
    book(desk, "7")
    heard.clear()
    counts = at_once(*[lambda: alerts_watch(now=NOW)] * 4)
    assert all(count is None or isinstance(count, int) for count in counts), counts
    assert sum(count for count in counts if isinstance(count, int)) == 6
    assert AlertFiring.objects.count() == 6


def test_committed_before_it_is_told_to_its_user_alone(
    desk: Desk, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert(desk, "price", ticker="IBM", way="above", level="120")
    committed = []
    monkeypatch.setattr(
        notices,
        "publish",
        lambda each: committed.append((list(each), connection.in_atomic_block)),
    )
    assert alerts_watch(now=NOW) == 1
    firing = AlertFiring.objects.get()
    ((told, inside),) = committed
    assert not inside
    assert told == [
        (
            f"user.{desk.viewer.pk}",
            {"type": "alert", "user": desk.viewer.pk, "firing": str(firing.pk)},
        )
    ]


def test_killed_between_the_commit_and_the_telling(
    desk: Desk, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes is told; who is there is told by the next that judges."""
    alert(desk, "price", ticker="IBM", way="above", level="120")
    with monkeypatch.context() as killed:
        killed.setattr(watch, "_tell", lambda fired: None)
        assert alerts_watch(now=NOW) == 1
    assert heard == []
    (firing,) = firings_unseen([desk.viewer.pk])
    assert firings_unseen([desk.trader.pk]) == []
    assert alerts_watch(now=NOW + timedelta(minutes=1)) == 0
    assert [message["firing"] for _, message in heard] == [str(firing.pk)]
    # Not for ever: pages that come later look for themselves.
    heard.clear()
    assert alerts_watch(now=LATER) == 0
    assert heard == []


def test_it_costs_nothing_where_nobody_has_one(
    desk: Desk,
    django_assert_num_queries: Any,
    monkeypatch: pytest.MonkeyPatch,
    valkey: None,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **_: asked.append(name))
    with django_assert_num_queries(1):
        ask.alerts_ask()
    with django_assert_num_queries(2):
        assert alerts_watch(now=NOW) == 0
    assert asked == []
    alert(desk, "price", ticker="IBM", way="above", level="120")
    ask.alerts_ask()
    ask.alerts_ask()
    assert asked == [ask.TASK]
    Alert.objects.update(is_active=False)
    ask.alerts_ask()
    assert asked == [ask.TASK]
