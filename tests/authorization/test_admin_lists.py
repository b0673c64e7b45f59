"""The admin's lists, filters, forms and files show only accounts that one may view."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from accounts.models import Account, Entitlement
from kernel import clock
from kernel.clock import clock_set
from pnl.models import DailyPnl, RestateRequest
from positions.models import PositionSnapshot, Settling
from tests import factories as make
from tests.trades.conftest import NOW, TODAY
from trades.models import Quarantine, Verification, VerificationBreak

MINE, THEIRS = "Mine1", "Theirs1"
LISTS = (
    "accounts/account", "accounts/entitlement", "trades/trade", "trades/verificationbreak",
    "trades/quarantine", "positions/positionsnapshot", "positions/settling", "pnl/dailypnl",
    "pnl/restaterequest", "blotter/pnlday",
)  # fmt: skip


@pytest.fixture
def clerk(db: None) -> Iterator[User]:
    """All permissions, and one of two accounts, both with a row in every list."""
    with clock_set(NOW):
        clerk = make.make_user("clerk", is_staff=True)
        clerk.user_permissions.add(*Permission.objects.all())
        ibm, trader = make.make_instrument(), make.make_user("trader")
        run = Verification.objects.create(started_at=NOW, finished_at=NOW, breaks=2)
        for code in (MINE, THEIRS):
            account = make.make_account(code)
            make.entitle(trader, account)
            make.make_trade(trader, account, ibm, "5", "10", trade_date=TODAY, at=NOW)
            VerificationBreak.objects.create(
                verification=run, what="positions", key=code, account=account
            )
            Quarantine.objects.create(
                consumer="pnl", account=account, entry_id=1, since=NOW, error=code
            )
            PositionSnapshot.objects.create(
                session=TODAY, account=account, instrument=ibm, quantity=5, close=1
            )
            Settling.objects.create(
                account=account, instrument=ibm, settlement_date=TODAY + timedelta(days=1),
                quantity=5, amount=50,
            )  # fmt: skip
            DailyPnl.objects.create(
                session=TODAY, account=account, instrument=ibm, opening_quantity=0,
                closing_quantity=5, calculated_at=datetime(2026, 3, 18, tzinfo=UTC),
            )  # fmt: skip
            RestateRequest.objects.create(
                account=account, instrument=ibm, first_session=TODAY, reason="trade"
            )
        make.entitle(clerk, Account.objects.get(code=MINE))
        yield clerk


def page(user: User, path: str) -> str:
    client = Client()
    client.force_login(user)
    answer: Any = client.get(f"/admin/{path}")
    assert answer.status_code == 200, path
    return str(answer.content.decode())


@pytest.mark.parametrize("path", LISTS)
def test_lists_and_their_filters(clerk: User, path: str) -> None:
    shown = page(clerk, f"{path}/")
    assert MINE in shown
    assert THEIRS not in shown
    boss = make.make_user("boss", is_staff=True, is_superuser=True)
    assert THEIRS in page(boss, f"{path}/"), "the test can fail"


def test_a_page_of_a_row_of_another_account(clerk: User) -> None:
    client = Client()
    client.force_login(clerk)
    for path, row in (
        ("accounts/account", Account.objects.get(code=THEIRS)),
        ("accounts/entitlement", Entitlement.objects.get(account__code=THEIRS)),
        ("trades/quarantine", Quarantine.objects.get(account__code=THEIRS)),
        ("pnl/dailypnl", DailyPnl.objects.get(account__code=THEIRS)),
    ):
        there = client.get(f"/admin/{path}/{row.pk}/change/")
        nowhere = client.get(f"/admin/{path}/987654321/change/")
        assert (there.status_code, there["Location"]) == (302, nowhere["Location"]), path


def test_rights_are_given_only_where_one_may_view(clerk: User) -> None:
    client = Client()
    client.force_login(clerk)
    theirs = Account.objects.get(code=THEIRS)
    sent = {"user": clerk.pk, "account": theirs.pk, "can_view": "on", "can_book": "on"}
    answer = client.post("/admin/accounts/entitlement/add/", sent)
    assert answer.status_code == 200
    assert "account" in answer.context["adminform"].form.errors
    assert not Entitlement.objects.filter(user=clerk, account=theirs).exists()
    found = client.get(
        "/admin/autocomplete/?app_label=accounts&model_name=entitlement&field_name=account"
    )
    assert [each["text"] for each in found.json()["results"]] == [MINE]


def test_who_is_no_superuser_makes_none(clerk: User) -> None:
    client = Client()
    client.force_login(clerk)
    trader = User.objects.get(username="trader")
    boss = make.make_user("boss", is_staff=True, is_superuser=True)
    sent = {
        "username": "trader", "is_active": "on", "is_superuser": "on", "is_staff": "on",
        "date_joined_0": f"{clock.now():%Y-%m-%d}", "date_joined_1": "00:00:00",
    }  # fmt: skip
    client.post(f"/admin/auth/user/{trader.pk}/change/", sent)
    trader.refresh_from_db()
    assert (trader.is_superuser, trader.is_staff) == (False, False)
    assert client.post(f"/admin/auth/user/{boss.pk}/change/", sent).status_code == 403
    assert client.get(f"/admin/auth/user/{boss.pk}/password/").status_code == 403
