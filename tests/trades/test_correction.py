"""Amending and cancelling at service level: versions, entries, rights, limits."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Sum

from accounts.models import Entitlement
from kernel.errors import Invalid, NotEntitled, NotThere
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk
from trades.models import LedgerEntry, Trade
from trades.services.correction import (
    StaleVersion,
    TradeAlreadyCancelled,
    trade_amend,
    trade_cancel,
)
from trades.terms import Amendment

MONDAY = date(2026, 3, 16)


@pytest.fixture
def trade(desk: Desk) -> Trade:
    return make.make_trade(desk.trader, desk.account, desk.ibm, "10", "2", trade_date=TODAY, at=NOW)


def amend(trade: Trade, user: User, version: int = 1, **terms: Any) -> Trade:
    return trade_amend(
        user=user,
        trade_id=trade.pk,
        version=version,
        reason="typo",
        terms=Amendment(**terms),
        now=NOW,
    )


def cancel(trade: Trade, user: User, version: int = 1) -> Trade:
    return trade_cancel(user=user, trade_id=trade.pk, version=version, reason="typo", now=NOW)


def sums() -> dict[tuple[str, str, date], tuple[Decimal, Decimal, int]]:
    """What stands in the ledger, per key and date, flat keys left out."""
    rows = LedgerEntry.objects.values_list(
        "account__code", "instrument__ticker", "trade_date"
    ).annotate(Sum("quantity"), Sum("notional"), Sum("trades"))
    return {row[:3]: row[3:] for row in rows.order_by() if row[5]}


def test_an_amendment_takes_the_old_terms_back_and_adds_the_new(desk: Desk, trade: Trade) -> None:
    amended = amend(trade, desk.trader, quantity=Decimal(7), side="sell")
    assert (amended.version, amended.status) == (2, "amended")
    assert sums() == {("Test1", "IBM", TODAY): (-7, -14, 1)}
    first, second = trade.versions.all()
    assert (first.quantity, second.quantity, second.reason) == (10, 7, "typo")
    assert LedgerEntry.objects.count() == 3


def test_a_move_between_accounts_dates_and_tickers(desk: Desk, trade: Trade) -> None:
    make.make_instrument("XOM")
    amend(trade, desk.trader, account="Test2", trade_date=MONDAY, ticker="XOM")
    assert sums() == {("Test2", "XOM", MONDAY): (10, 20, 1)}
    shards = set(LedgerEntry.objects.values_list("shard", flat=True))
    assert shards == {desk.account.pk % 16, desk.other.pk % 16}


def test_a_cancellation_leaves_nothing_standing(desk: Desk, trade: Trade) -> None:
    assert cancel(trade, desk.trader).status == "cancelled"
    assert sums() == {}
    with pytest.raises(TradeAlreadyCancelled):
        amend(trade, desk.trader, version=2, quantity=Decimal(1))
    with pytest.raises(TradeAlreadyCancelled):
        cancel(trade, desk.trader, version=2)


def test_who_comes_second_looks_again(desk: Desk, trade: Trade) -> None:
    amend(trade, desk.trader, quantity=Decimal(7))
    with pytest.raises(StaleVersion, match="version 2"):
        amend(trade, desk.trader, quantity=Decimal(8))
    with pytest.raises(StaleVersion):
        cancel(trade, desk.trader)
    amend(trade, desk.trader, version=2, quantity=Decimal(8))
    assert [v.version for v in trade.versions.all()] == [1, 2, 3]


def test_a_note_alone_is_a_version_whose_entries_come_to_nothing(desk: Desk, trade: Trade) -> None:
    amend(trade, desk.trader, note="seen")
    assert sums() == {("Test1", "IBM", TODAY): (10, 20, 1)}
    assert LedgerEntry.objects.count() == 3
    with pytest.raises(Invalid, match="These are the terms"):
        amend(trade, desk.trader, version=2, note="seen")


@pytest.mark.parametrize(
    ("terms", "attr"),
    [({"ticker": "NOPE"}, "ticker"), ({"account": "Nope"}, "account"),
     ({"trade_date": date(2026, 3, 15)}, "trade_date"),
     ({"trade_date": date(2026, 3, 19)}, "trade_date")],
    ids=repr,
)  # fmt: skip
def test_terms_that_are_refused(desk: Desk, trade: Trade, terms: dict[str, Any], attr: str) -> None:
    with pytest.raises(Invalid) as refused:
        amend(trade, desk.trader, **terms)
    assert [e.attr for e in refused.value.errors] == [attr]


# --- who may -------------------------------------------------------------------------------------


def test_ones_own_trade_of_the_day_needs_only_the_right_to_book(desk: Desk) -> None:
    old = make.make_trade(desk.trader, desk.account, desk.ibm, "1", "2", trade_date=MONDAY, at=NOW)
    with pytest.raises(NotEntitled):
        cancel(old, desk.trader)
    colleague = make.make_user("colleague")
    make.entitle(colleague, desk.account, book=True)
    mine = make.make_trade(desk.trader, desk.account, desk.ibm, "1", "2", trade_date=TODAY, at=NOW)
    with pytest.raises(NotEntitled):
        cancel(mine, colleague)
    Entitlement.objects.filter(user=colleague).update(can_correct=True)
    assert cancel(mine, colleague).status == "cancelled"


def test_a_move_needs_the_right_in_both_accounts(desk: Desk, trade: Trade) -> None:
    clerk = make.make_user("clerk")
    make.entitle(clerk, desk.account, correct=True)
    make.entitle(clerk, desk.other)
    with pytest.raises(NotEntitled):
        amend(trade, clerk, account="Test2")
    with pytest.raises(NotThere):
        amend(trade, desk.outsider, quantity=Decimal(1))


# --- limits --------------------------------------------------------------------------------------


def test_no_short_by_cancelling_or_amending_either(desk: Desk) -> None:
    def trade(quantity: str) -> Trade:
        return make.make_trade(
            desk.trader, desk.no_short, desk.ibm, quantity, "2", trade_date=TODAY, at=NOW
        )

    bought, _ = trade("10"), trade("-6")
    with pytest.raises(Invalid, match="short"):
        cancel(bought, desk.trader)
    with pytest.raises(Invalid, match="short"):
        amend(bought, desk.trader, quantity=Decimal(5))
    with pytest.raises(Invalid, match="short"):
        amend(bought, desk.trader, account="Test1")
    assert amend(bought, desk.trader, quantity=Decimal(6)).quantity == 6


def test_cancelling_stays_possible_in_what_is_inactive(desk: Desk) -> None:
    make.make_trade(desk.trader, desk.account, desk.ibm, "100", "2", trade_date=TODAY, at=NOW)
    wrong = make.make_trade(
        desk.trader, desk.account, desk.ibm, "-100", "2", trade_date=TODAY, at=NOW
    )
    desk.ibm.is_active = False
    desk.ibm.save()
    with pytest.raises(Invalid, match="closed out"):
        amend(wrong, desk.trader, quantity=Decimal(300))
    assert amend(wrong, desk.trader, price=Decimal(3)).version == 2
    assert cancel(wrong, desk.trader, version=2).status == "cancelled"
