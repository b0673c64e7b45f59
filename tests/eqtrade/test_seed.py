"""Seeding the local stack."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import Count

from accounts.models import Account, Entitlement
from accounts.selectors import account_rights
from eqtrade.seed import SeedRefused, seed
from eqtrade.seed_trades import BOOKS
from prices.models import Close, Instrument, Quote
from prices.services.instruments import Listed
from trades.guards.read import unguarded
from trades.models import Guard, LedgerEntry, Trade, TradeVersion

pytestmark = pytest.mark.django_db

SUNDAY = datetime(2026, 2, 1, 15, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.LOCAL_STACK = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def few_instruments(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole index takes seconds; one test (marked by its name) has it."""
    if "whole_index" not in request.node.name:
        names = sorted({ticker for _, book in BOOKS.values() for ticker in book})
        listed = [Listed(ticker, ticker) for ticker in names]
        monkeypatch.setattr("prices.services.instruments.listed_members", lambda: listed)


def run(*, with_trades: bool = True, password: str = "demo", now: datetime = SUNDAY) -> list[str]:  # noqa: S107
    said: list[str] = []
    seed(with_trades=with_trades, password=password, now=now, say=said.append)
    return said


def counts() -> dict[str, int]:
    models = (
        Account,
        Entitlement,
        User,
        Instrument,
        Close,
        Quote,
        Trade,
        TradeVersion,
        LedgerEntry,
    )
    return {model.__name__: model._default_manager.count() for model in models}


def test_it_is_refused_outside_the_local_stack(settings: Any) -> None:
    settings.LOCAL_STACK = False
    with pytest.raises(SeedRefused):
        run()
    with pytest.raises(CommandError):
        call_command("seed", "--demo")
    assert not User.objects.exists()


def test_the_whole_index_is_there_and_a_second_time_changes_nothing() -> None:
    run()
    first = counts()
    assert first["Account"] == 4
    assert first["Instrument"] == first["Quote"] > 490
    assert first["Close"] == 11 * first["Instrument"]
    assert first["Trade"] == first["TradeVersion"] == first["LedgerEntry"] == 300
    sessions = Close.objects.values_list("session", flat=True).distinct().order_by("session")
    assert (str(sessions[0]), str(sessions[10])) == ("2026-01-15", "2026-01-30")
    ids = set(Trade.objects.values_list("pk", flat=True))
    run()
    assert counts() == first
    assert set(Trade.objects.values_list("pk", flat=True)) == ids


def test_empty_has_all_but_trades_and_demo_can_follow() -> None:
    run(with_trades=False)
    assert counts()["Trade"] == 0
    assert counts()["Close"] > 0
    run()
    assert counts()["Trade"] == 300


def test_demo_accounts_are_warned_of_and_the_last_is_not() -> None:
    run(with_trades=False)
    assert not Guard.objects.exists()
    run()
    assert unguarded() == ["Test4"]
    assert not Guard.objects.exclude(refuse=None).exists()
    assert {g.account.code for g in Guard.objects.all() if g.account} == {"Test1", "Test2", "Test3"}
    # What a person has switched off stays so.
    Guard.objects.filter(code="late").update(is_active=False)
    run()
    assert Guard.objects.filter(code="late", is_active=False).count() == 3
    assert User.objects.get(username="middleoffice").has_perm("trades.manage_guards")
    assert not User.objects.get(username="ops").has_perm("trades.manage_guards")


def test_missing_prices_are_filled_each_time() -> None:
    run()
    before = counts()
    run(now=SUNDAY + timedelta(days=2))  # Monday has closed
    assert counts()["Close"] == before["Close"] + before["Instrument"]
    assert counts()["Trade"] == before["Trade"]
    assert Quote.objects.filter(as_of__lt=SUNDAY + timedelta(days=1)).count() == 0


def test_seeded_users_have_the_rights_of_the_readme() -> None:
    run()

    def rights(name: str) -> list[tuple[str, bool, bool]]:
        found = account_rights(User.objects.get(username=name))
        return [(r.account.code, r.can_book, r.can_correct) for r in found]

    every = ["Test1", "Test2", "Test3", "Test4"]
    assert rights("trader") == [("Test1", True, False), ("Test2", True, False)]
    assert rights("viewer") == [("Test1", False, False)]
    assert rights("middleoffice") == [(code, True, True) for code in every]
    assert rights("ops") == [(code, False, False) for code in every]
    assert rights("admin") == [(code, True, True) for code in every]
    staff = User.objects.filter(is_staff=True).values_list("username", flat=True)
    assert set(staff) == {"admin", "middleoffice", "ops"}
    assert list(User.objects.filter(is_superuser=True).values_list("username", flat=True)) == [
        "admin"
    ]
    assert not Account.objects.get(code="Test4").can_short
    assert Account.objects.filter(can_short=True).count() == 3


def test_staff_can_use_the_admin() -> None:
    run(with_trades=False)
    middle_office = User.objects.get(username="middleoffice")
    ops = User.objects.get(username="ops")
    for user in (middle_office, ops):
        assert user.has_perms(["trades.view_trade", "prices.view_close", "accounts.view_account"])
    assert middle_office.has_perm("prices.override")
    assert not ops.has_perm("prices.override")
    assert ops.has_perm("kernel.schedules")
    assert not middle_office.has_perm("auth.change_user")


def test_seeding_again_leaves_a_changed_password_alone() -> None:
    run(with_trades=False)
    viewer = User.objects.get(username="viewer")
    assert viewer.check_password("demo")
    viewer.set_password("their own")
    viewer.save()
    run(with_trades=False)
    assert User.objects.get(username="viewer").check_password("their own")
    run(with_trades=False, password="not the known one")
    for user in User.objects.all():
        assert user.check_password("not the known one")


def test_what_people_took_away_stays_away() -> None:
    run(with_trades=False)
    trader = User.objects.get(username="trader")
    Entitlement.objects.filter(user=trader, account__code="Test2").update(
        can_view=False, can_book=False
    )
    User.objects.get(username="ops").groups.clear()
    run(with_trades=False)
    assert [r.account.code for r in account_rights(trader)] == ["Test1"]
    assert not User.objects.get(username="ops").groups.exists()


def test_seeded_trades_lie_near_their_closes() -> None:
    run()
    closes = {(c.instrument_id, c.session): c.close for c in Close.objects.all()}
    for trade in Trade.objects.all():
        close = closes[trade.instrument_id, trade.trade_date]
        assert abs(trade.price / close - 1) < Decimal("0.03")
        assert trade.executed_at < SUNDAY
    days = Trade.objects.values("trade_date").annotate(n=Count("id")).order_by("trade_date")
    assert [d["n"] for d in days] == [30] * 10
    assert str(days[0]["trade_date"]) == "2026-01-16"
    assert {t.account.code for t in Trade.objects.select_related("account")} == {
        "Test1", "Test2", "Test3", "Test4",
    }  # fmt: skip
    assert {t.booked_by.username for t in Trade.objects.filter(account__code="Test1")} == {"trader"}


def test_the_account_that_may_not_short_never_does() -> None:
    run()
    held: defaultdict[int, Decimal] = defaultdict(Decimal)
    sells = 0
    entries = LedgerEntry.objects.filter(account__code="Test4").select_related("trade")
    for entry in sorted(entries, key=lambda e: e.trade.executed_at):
        held[entry.instrument_id] += entry.quantity
        sells += entry.quantity < 0
        assert held[entry.instrument_id] >= 0
    assert sells > 5


def test_the_same_seed_gives_the_same_trades() -> None:
    run()

    def terms() -> list[Any]:
        fields = ("account__code", "instrument__ticker", "side", "quantity", "price", "executed_at")
        return list(Trade.objects.order_by("id").values_list(*fields))

    from django.conf import settings

    from eqtrade.seed_trades import demo_trades
    from prices.sessions import sessions

    days = sessions().completed_sessions(SUNDAY, 10)
    again = demo_trades(days=days, seed=settings.PRICE_SEED)
    assert terms() == [
        (t.account.code, t.instrument.ticker, t.side, t.quantity, t.price, t.executed_at)
        for t in again
    ]
    other = demo_trades(days=days, seed=settings.PRICE_SEED + 1)
    assert [t.price for t in other] != [t.price for t in again]


def test_a_source_that_is_away_does_not_stop_the_start(settings: Any, tmp_path: Any) -> None:
    settings.PRICE_SOURCE, settings.PRICE_FILE = "csv", str(tmp_path / "none.csv")
    said = run()
    assert any("no prices yet" in line for line in said)
    assert counts()["Trade"] == 0
    assert counts()["User"] == 5
