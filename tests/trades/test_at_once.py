"""Many at once, each on a connection of its own, with real commits: who wins, who is told what,
and what is never lost or doubled."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Sum

from accounts.models import Account
from tests import factories as make
from tests.at_once import at_once
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from trades.models import ClientTradeId, LedgerEntry, Trade, TradeVersion
from trades.services.booking import Booked, trade_book
from trades.services.correction import (
    StaleVersion,
    TradeAlreadyCancelled,
    trade_amend,
    trade_cancel,
)
from trades.services.limits import ShortPosition
from trades.terms import Amendment, Booking


@pytest.fixture
def desk(committed_db: None, noon: datetime) -> Desk:
    return make_desk()


@pytest.fixture
def boss(desk: Desk) -> User:
    return make.make_user("boss", is_superuser=True)


def booker(desk: Desk, account: str = "Test1", **changes: Any) -> Callable[[], Booked]:
    terms: dict[str, Any] = {
        "account": account, "ticker": "IBM", "side": "buy", "quantity": Decimal(10),
        "price": Decimal(2), **changes,
    }  # fmt: skip
    booking = Booking(**terms, sent=frozenset(terms))
    return lambda: trade_book(user=desk.trader, booking=booking, now=NOW)


def amender(user: User, trade: Trade, version: int = 1, **terms: Any) -> Callable[[], Trade]:
    return lambda: trade_amend(
        user=user,
        trade_id=trade.pk,
        version=version,
        reason="race",
        terms=Amendment(**terms),
        now=NOW,
    )


def canceller(user: User, trade: Trade, version: int = 1) -> Callable[[], Trade]:
    return lambda: trade_cancel(
        user=user, trade_id=trade.pk, version=version, reason="race", now=NOW
    )


def made(desk: Desk, account: Account, quantity: str) -> Trade:
    with transaction.atomic():
        return make.make_trade(
            desk.trader, account, desk.ibm, quantity, "2", trade_date=TODAY, at=NOW
        )


def kinds(results: list[object]) -> Counter[str]:
    return Counter(type(result).__name__ for result in results)


def held(account: Account) -> Decimal:
    found = LedgerEntry.objects.filter(account=account).aggregate(sum=Sum("quantity"))["sum"]
    return Decimal(found or 0)


def the_ledger_agrees_with_the_trades() -> None:
    """Per account: the entries come to what the standing trades come to, in quantity and count."""
    expected: Counter[int] = Counter()
    standing: Counter[int] = Counter()
    for trade in Trade.objects.exclude(status="cancelled"):
        sign = 1 if trade.side == "buy" else -1
        expected[trade.account_id] += sign * int(trade.quantity)
        standing[trade.account_id] += 1
    rows = LedgerEntry.objects.values_list("account").annotate(Sum("quantity"), Sum("trades"))
    for account, quantity, trades in rows.order_by():
        assert (quantity, trades) == (expected[account], standing[account])


# --- idempotency ---------------------------------------------------------------------------------


def test_ten_identical_bookings_at_once_book_once(desk: Desk) -> None:
    results = at_once(*[booker(desk, client_trade_id="x")] * 10)
    assert kinds(results) == {"Booked": 10}
    booked = [r for r in results if isinstance(r, Booked)]
    assert sum(r.is_new for r in booked) == 1
    assert len({r.trade.pk for r in booked}) == 1
    assert Trade.objects.count() == TradeVersion.objects.count() == LedgerEntry.objects.count() == 1


def test_of_ten_bookings_with_one_id_and_other_terms_one_books(desk: Desk) -> None:
    results = at_once(
        *[booker(desk, client_trade_id="x", quantity=Decimal(n)) for n in range(1, 11)]
    )
    assert kinds(results) == {"Booked": 1, "ClientTradeIdTaken": 9}
    assert Trade.objects.count() == 1


def test_a_refused_booking_frees_its_id_for_those_that_wait(desk: Desk) -> None:
    """Whoever waits for the same id behind a booking that is refused books in its place."""
    sells = booker(desk, "Test4", side="sell", client_trade_id="x")
    buys = booker(desk, "Test4", client_trade_id="x")
    results = at_once(*[sells, buys] * 5)
    assert sum(isinstance(r, Booked) and r.is_new for r in results) == 1, kinds(results)
    assert Trade.objects.get().side == "buy"
    assert ClientTradeId.objects.count() == 1


def test_retries_while_the_trade_is_amended_and_moved_book_nothing(desk: Desk, boss: User) -> None:
    retry = booker(desk, client_trade_id="x")
    trade = retry().trade
    results = at_once(
        retry, retry, amender(boss, trade, account="Test2"), retry, retry, retry,
    )  # fmt: skip
    assert kinds(results) == {"Booked": 5, "Trade": 1}
    again = retry()
    assert (again.is_new, again.trade.account.code, again.trade.version) == (False, "Test2", 2)
    assert Trade.objects.count() == 1


# --- versions ------------------------------------------------------------------------------------


def test_fifty_amenders_make_versions_without_a_gap_and_one_winner_each(
    desk: Desk, boss: User
) -> None:
    """Each tries until it has won once, naming the version that it has just read."""
    trade = made(desk, desk.account, "10")
    losses: list[StaleVersion] = []

    def persist(number: int) -> int:
        while True:
            version = Trade.objects.values_list("version", flat=True).get(pk=trade.pk)
            try:
                price = Decimal(1000 + number)
                return amender(boss, trade, version, price=price)().version
            except StaleVersion as lost:
                losses.append(lost)

    won = at_once(*[partial(persist, number) for number in range(50)])
    assert set(won) == set(range(2, 52))
    rows = list(TradeVersion.objects.filter(trade=trade).order_by("version"))
    assert [r.version for r in rows] == list(range(1, 52))
    assert {r.price for r in rows[1:]} == {Decimal(1000 + n) for n in range(50)}
    assert losses, "they never met: this proves nothing"
    assert LedgerEntry.objects.count() == 1 + 2 * 50
    the_ledger_agrees_with_the_trades()


def test_of_fifty_amenders_of_one_version_one_wins(desk: Desk, boss: User) -> None:
    trade = made(desk, desk.account, "10")
    results = at_once(*[amender(boss, trade, price=Decimal(n)) for n in range(10, 60)])
    assert kinds(results) == {"Trade": 1, "StaleVersion": 49}
    assert TradeVersion.objects.count() == 2


def test_amending_and_cancelling_one_version_at_once(desk: Desk, boss: User) -> None:
    trade = made(desk, desk.account, "10")
    calls = [canceller(boss, trade), amender(boss, trade, quantity=Decimal(7))] * 4
    results = at_once(*calls)
    assert kinds(results)["Trade"] == 1
    losers = {type(r) for r in results if not isinstance(r, Trade)}
    assert losers <= {StaleVersion, TradeAlreadyCancelled}
    assert TradeVersion.objects.count() == 2
    the_ledger_agrees_with_the_trades()


def test_moves_between_two_accounts_in_both_directions_end_without_a_deadlock(
    desk: Desk, boss: User
) -> None:
    """Both accounts are locked here, in the order of their ids whatever the direction."""
    Account.objects.filter(pk=desk.account.pk).update(can_short=False)
    there = [made(desk, desk.account, "1") for _ in range(8)]
    back = [made(desk, desk.no_short, "1") for _ in range(8)]
    results = at_once(
        *[amender(boss, t, account="Test4") for t in there],
        *[amender(boss, t, account="Test1") for t in back],
    )
    assert kinds(results) == {"Trade": 16}
    assert (held(desk.account), held(desk.no_short)) == (8, 8)
    the_ledger_agrees_with_the_trades()


def test_moves_of_one_trade_to_several_accounts(desk: Desk, boss: User) -> None:
    trade = made(desk, desk.account, "5")
    results = at_once(*[amender(boss, trade, account=code) for code in ("Test2", "Test4") * 5])
    assert kinds(results) == {"Trade": 1, "StaleVersion": 9}
    assert held(desk.account) == 0
    assert held(desk.other) + held(desk.no_short) == 5
    the_ledger_agrees_with_the_trades()


# --- no short ------------------------------------------------------------------------------------


def test_of_ten_racing_sells_of_ten_from_fifty_exactly_five_are_booked(desk: Desk) -> None:
    made(desk, desk.no_short, "50")
    results = at_once(*[booker(desk, "Test4", side="sell")] * 10)
    assert kinds(results) == {"Booked": 5, "ShortPosition": 5}
    assert held(desk.no_short) == 0


@pytest.mark.parametrize("take_away", ["cancel", "move", "less"])
def test_taking_the_buy_away_races_a_sell(desk: Desk, boss: User, take_away: str) -> None:
    """Either the buy goes or the sell is booked, never both; over and over."""
    outcomes: Counter[str] = Counter()
    for _ in range(6):
        bought = made(desk, desk.no_short, "10")
        take = {
            "cancel": canceller(boss, bought),
            "move": amender(boss, bought, account="Test1"),
            "less": amender(boss, bought, quantity=Decimal(9)),
        }[take_away]
        results = at_once(take, booker(desk, "Test4", side="sell"))
        assert sorted(isinstance(r, ShortPosition) for r in results) == [False, True], results
        outcomes[type(results[0]).__name__] += 1
        rest = held(desk.no_short)
        assert rest >= 0
        if rest:  # level it for the next round
            booker(desk, "Test4", side="sell", quantity=rest)()
    the_ledger_agrees_with_the_trades()


def test_sells_that_are_amended_upwards_at_once_cannot_pass_together(
    desk: Desk, boss: User
) -> None:
    made(desk, desk.no_short, "50")
    sells = [made(desk, desk.no_short, "-5") for _ in range(6)]
    results = at_once(*[amender(boss, t, quantity=Decimal(10)) for t in sells])
    assert kinds(results) == {"Trade": 4, "ShortPosition": 2}
    assert held(desk.no_short) == 0


def test_sells_that_move_in_at_once_cannot_pass_together(desk: Desk, boss: User) -> None:
    made(desk, desk.no_short, "30")
    sells = [made(desk, desk.account, "-10") for _ in range(6)]
    results = at_once(*[amender(boss, t, account="Test4") for t in sells])
    assert kinds(results) == {"Trade": 3, "ShortPosition": 3}
    assert held(desk.no_short) == 0
    the_ledger_agrees_with_the_trades()
