"""Accounts and entitlements are set in the admin, and what is wrong is said in words."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from accounts.models import Account, Entitlement
from tests import factories as make

ACCOUNTS = "/admin/accounts/account/"
ENTITLEMENTS = "/admin/accounts/entitlement/"


@pytest.fixture
def client(db: None) -> Client:
    client = Client()
    client.force_login(make.make_user("boss", is_staff=True, is_superuser=True))
    return client


def account_form(**changes: Any) -> dict[str, Any]:
    return {
        "code": "Desk1", "name": "A desk", "is_active": "on", "entitlements-TOTAL_FORMS": "0",
        "entitlements-INITIAL_FORMS": "0", **changes,
    }  # fmt: skip


def problems(answer: Any) -> str:
    assert answer.status_code == 200, "it was saved"
    return str(answer.context["errors"])


def test_an_account_with_its_rights(client: Client) -> None:
    trader = make.make_user("trader")
    sent = account_form(
        **{
            "entitlements-TOTAL_FORMS": "1", "entitlements-0-user": str(trader.pk),
            "entitlements-0-can_view": "on", "entitlements-0-can_book": "on",
        }
    )  # fmt: skip
    assert client.post(f"{ACCOUNTS}add/", sent).status_code == 302
    account = Account.objects.get(code="Desk1")
    assert (account.can_short, account.is_active) == (False, True)
    assert make.client_of(trader).get("/api/v1/accounts/").json()["results"][0]["can_book"] is True


@pytest.mark.parametrize("code", ["", "a b", "-x", "ü", "a/b", "=1"])
def test_a_code_that_is_none(client: Client, code: str) -> None:
    said = problems(client.post(f"{ACCOUNTS}add/", account_form(code=code)))
    assert "required" in said if not code else "A code begins with a letter or digit" in said


def test_rights_without_viewing_and_rights_twice(client: Client) -> None:
    user, account = make.make_user("trader"), make.make_account()
    ids = {"user": user.pk, "account": account.pk}
    blind = client.post(f"{ENTITLEMENTS}add/", {**ids, "can_book": "on"})
    assert "must be able to view it" in problems(blind).replace("\\n", " ")
    assert client.post(f"{ENTITLEMENTS}add/", {**ids, "can_view": "on"}).status_code == 302
    twice = client.post(f"{ENTITLEMENTS}add/", {**ids, "can_view": "on", "can_book": "on"})
    assert "already" in problems(twice)
    assert Entitlement.objects.count() == 1


def test_an_account_with_trades_stays(client: Client) -> None:
    """It can be made inactive; what was traded in it is never deleted."""
    from datetime import date

    from tests.trades.conftest import NOW

    account = make.make_account()
    boss = User.objects.get(username="boss")
    make.make_trade(
        boss, account, make.make_instrument(), "1", "1", trade_date=date(2026, 3, 18), at=NOW
    )
    page = client.post(f"{ACCOUNTS}{account.pk}/delete/", {"post": "yes"})
    assert page.context["protected"]
    assert Account.objects.filter(pk=account.pk).exists()


def test_staff_without_the_permission_change_no_rights(client: Client) -> None:
    staff = make.make_user("staff", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_entitlement"))
    account = make.make_account()
    client.force_login(staff)
    sent = {"user": staff.pk, "account": account.pk, "can_view": "on", "can_correct": "on"}
    assert client.post(f"{ENTITLEMENTS}add/", sent).status_code == 403
    assert not Entitlement.objects.exists()


@pytest.mark.parametrize(
    "path",
    ["accounts/account", "accounts/entitlement", "prices/instrument", "prices/priceoverride",
     "prices/sessionoverride", "django_celery_beat/crontabschedule", "auth/user", "auth/group"],
)  # fmt: skip
def test_what_is_set_in_the_admin_can_be_added_there(client: Client, path: str) -> None:
    assert client.get(f"/admin/{path}/").status_code == 200
    assert client.get(f"/admin/{path}/add/").status_code == 200
