"""The admin's pages of trades, as a clerk of the middle office has them."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk
from trades.models import RequestGroup, Trade

LIST = "/admin/trades/trade/"
MONDAY = date(2026, 3, 16)


@pytest.fixture
def clerk(desk: Desk) -> User:
    """Middle office, not a superuser: corrects in Test1 and Test4, looks at Test2."""
    user = make.make_user("clerk", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_trade"))
    make.entitle(user, desk.account, correct=True)
    make.entitle(user, desk.no_short, correct=True)
    make.entitle(user, desk.other)
    return user


@pytest.fixture
def client(clerk: User) -> Client:
    return login(clerk)


def login(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def trade(desk: Desk) -> Trade:
    return make.make_trade(desk.trader, desk.account, desk.ibm, "10", "2", trade_date=TODAY, at=NOW)


def one(trade: Trade) -> str:
    return f"{LIST}{trade.pk}/change/"


def amendment(trade: Trade, **changes: Any) -> dict[str, Any]:
    terms = {
        "version": trade.version, "account": trade.account.code, "ticker": "IBM",
        "side": trade.side, "quantity": "10", "price": "2", "trade_date": str(trade.trade_date),
        "note": "", "reason": "typo", **changes,
    }  # fmt: skip
    return {"_amend": "Amend", **{f"amend-{name}": value for name, value in terms.items()}}


def cancellation(version: int = 1, reason: str = "twice") -> dict[str, Any]:
    return {"_cancel": "1", "cancel-version": version, "cancel-reason": reason}


def listed(client: Client, **query: str) -> set[str]:
    page = client.get(LIST, query)
    assert page.status_code == 200
    return {str(t.pk) for t in page.context["cl"].result_list}


@pytest.fixture
def many(desk: Desk, clerk: User) -> dict[str, Trade]:
    xom = make.make_instrument("XOM")
    group = RequestGroup.objects.create(id=uuid4(), user=desk.trader, terms_hash="")

    def made(user: User, account: Any, instrument: Any, day: date, **fields: Any) -> Trade:
        trade = make.make_trade(user, account, instrument, "1", "2", trade_date=day, at=NOW)
        Trade.objects.filter(pk=trade.pk).update(**fields)
        return trade

    return {
        "a": made(desk.trader, desk.account, desk.ibm, TODAY),
        "b": made(desk.trader, desk.account, xom, MONDAY),
        "c": made(clerk, desk.other, desk.ibm, MONDAY),
        "d": made(clerk, desk.account, desk.ibm, TODAY, request_group=group),
        "e": made(desk.trader, desk.no_short, xom, TODAY, status="cancelled", version=2),
    }
