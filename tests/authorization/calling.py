"""Calls a route as somebody, and says in one word what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.cookies import SimpleCookie
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from accounts.models import Account
from accounts.services import token_create
from blotter.models import Alert, SavedView
from kernel import clock
from prices.actions.record import action_propose
from prices.actions.terms import Terms
from prices.models import CloseDoubt, Instrument, PriceOverride
from prices.services.overrides import override_expiry
from tests import factories as make
from tests.trades.conftest import NOW, TODAY
from trades.models import Import

ACTION = "api/v1/corporate-actions/<uuid:action_id>/"
CORRECTION = {"version": 1, "reason": "wrong price"}
BOOKING = {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "1", "price": "10"}


class Desk:
    """One account with a trade of somebody else's, an import, an override, and who calls."""

    def __init__(self) -> None:
        self.account: Account = make.make_account("Test1")
        self.ibm: Instrument = make.make_instrument("IBM")
        make.make_close(self.ibm, TODAY, "10")
        owner = make.make_user("owner")
        self.trade = make.make_trade(
            owner, self.account, self.ibm, "5", "10", trade_date=TODAY, at=NOW
        )
        self.override = PriceOverride.objects.create(
            instrument=self.ibm, price=9, reason="x", user=owner,
            expires_at=override_expiry(clock.now()),
        )  # fmt: skip
        self.doubt = CloseDoubt.objects.create(
            instrument=self.ibm, session=TODAY, source="yahoo", kind="moved", price=100,
            compared_with=10, raised_at=NOW,
        )  # fmt: skip
        self.action = action_propose(
            user=owner, reason="x",
            terms=Terms("cash_dividend", "IBM", TODAY, cash=Decimal("1")),
        )  # fmt: skip
        self.users: dict[str, User | None] = {
            "nobody": None,
            "viewer": make.make_user("viewer"),
            "booker": make.make_user("booker"),
            "corrector": make.make_user("corrector"),
            "staff": make.make_user("staff", is_staff=True),
            "root": make.make_user("root", is_staff=True, is_superuser=True),
        }
        for name, rights in (
            ("viewer", {}), ("booker", {"book": True}), ("corrector", {"correct": True}),
        ):  # fmt: skip
            user = self.users[name]
            assert user is not None
            make.entitle(user, self.account, **rights)
        booker = self.client("booker")
        sent = booker.post("/api/v1/trades/imports/", {"file": _file(), "dry_run": "true"})
        assert sent.status_code == 202, sent.content
        self.job = Import.objects.get()
        owner_of_token = self.users["booker"]
        assert owner_of_token is not None
        self.view = SavedView.objects.create(
            user=owner_of_token, name="theirs", state={}, saved_at=NOW
        )
        self.alert = Alert.objects.create(
            id=uuid4(), user=owner_of_token, kind="others_trades", account=self.account, set_at=NOW
        )
        self.token = token_create(user=owner_of_token, now=clock.now()).token

    def staff_with(self, *permissions: str) -> User:
        user = make.make_user(f"holder {User.objects.count()}", is_staff=True)
        for permission in permissions:
            app, codename = permission.split(".")
            found = Permission.objects.filter(content_type__app_label=app, codename=codename)
            user.user_permissions.add(*found)
        return user

    def client(self, who: str | User) -> Client:
        client = Client(raise_request_exception=True)
        user = self.users[who] if isinstance(who, str) else who
        if user is not None:
            client.force_login(user)
        return client

    def address(self, route: str) -> str:
        for parameter, value in (
            ("<uuid:trade_id>", str(self.trade.pk)), ("<uuid:import_id>", str(self.job.pk)),
            ("<int:override_id>", str(self.override.pk)), ("<path:object_id>", "0"),
            ("<path:content_type_id>", "0"), ("<id>", str(_pk(self.users["viewer"]))),
            ("<uuid:action_id>", str(self.action.pk)), ("<int:token>", str(self.token.pk)),
            ("<anything:rest>", "nothing/here/"), ("<uuid:view_id>", str(self.view.pk)),
            ("<uuid:alert_id>", str(self.alert.pk)),
            ("<str:provider_id>", "sso"), ("<app_label>/$", "blotter/"),
            ("<url>$", "nothing-here/"), ("<str:name>", "mine"),
        ):  # fmt: skip
            route = route.replace(parameter, value)
        return f"/{route}"

    def sent(self, route: str, method: str) -> dict[str, Any]:
        """A call that is right in itself, where that decides who may."""
        body = self._body(route, method)
        if route.startswith("api/") and "file" not in body:
            return {"data": body, "content_type": "application/json"}
        return {"data": body}

    def _body(self, route: str, method: str) -> Any:
        bodies: dict[tuple[str, str], Any] = {
            ("api/v1/trades/", "POST"): BOOKING,
            ("api/v1/trades/check/", "POST"): BOOKING,
            ("api/v1/trades/bulk/", "POST"): {"trades": [BOOKING]},
            ("api/v1/trades/generate/", "POST"): {"accounts": ["Test1"], "count": 1},
            ("api/v1/trades/imports/", "POST"): {"file": _file(), "again": "true"},
            ("api/v1/trades/imports/preview/", "POST"): {"file": _file()},
            ("api/v1/trades/imports/mappings/<str:name>/", "PUT"): {"decimal": "."},
            ("api/v1/trades/imports/<uuid:import_id>/undo/", "POST"): {"reason": "wrong"},
            ("api/v1/trades/<uuid:trade_id>/", "PATCH"): {**CORRECTION, "price": "11"},
            ("api/v1/trades/<uuid:trade_id>/cancel/", "POST"): CORRECTION,
            ("api/v1/trades/<uuid:trade_id>/tags/", "POST"): {"add": ["block"]},
            ("api/v1/limits/", "PUT"): [{"account": "Test1", "kind": "gross", "amount": "1"}],
            ("api/v1/guards/", "PUT"): [{"code": "late"}],
            ("api/v1/alerts/", "POST"): {"kind": "others_trades", "account": "Test1"},
            ("api/v1/alerts/<uuid:alert_id>/", "PUT"): {
                "kind": "others_trades",
                "account": "Test1",
            },
            ("api/v1/alerts/seen/", "POST"): {"ids": [str(self.alert.pk)]},
            ("api/v1/views/", "PUT"): {"name": "mine", "state": {}},
            ("api/v1/instruments/", "POST"): {"ticker": "SPY"},
            ("api/v1/strategies/", "POST"): {"code": "ALPHA"},
            ("api/v1/fees/schedules/", "POST"): {
                "name": "SEC",
                "kind": "regulatory",
                "valid_from": "2026-01-02",
            },
            ("api/v1/counterparties/", "POST"): {"code": "BROKER"},
            ("api/v1/prices/series/", "GET"): {"ticker": "IBM"},
            ("api/v1/corporate-actions/", "POST"): {
                "kind": "cash_dividend",
                "ticker": "IBM",
                "ex_date": str(TODAY),
                "cash": "2",
                "sequence": 2,
                "reason": "x",
            },
            (f"{ACTION}", "PATCH"): {"version": 1, "cash": "3", "reason": "x"},
            (f"{ACTION}confirm/", "POST"): {"version": 1, "reason": "x"},
            (f"{ACTION}cancel/", "POST"): {"version": 1, "reason": "x"},
            ("api/v1/prices/doubts/release/", "POST"): {"ids": [self.doubt.pk], "reason": "x"},
            ("api/v1/prices/doubts/refuse/", "POST"): {"ids": [self.doubt.pk], "reason": "x"},
            ("api/v1/prices/overrides/", "POST"): {"ticker": "IBM", "price": "9", "reason": "x"},
            ("api/v1/token/", "POST"): {"username": "owner", "password": "demo"},
        }
        return bodies.get((route, method), {})

    def answer(self, client: Client, route: str, method: str) -> str:
        """One word, and nothing stays of what was done."""
        cookies = SimpleCookie(client.cookies)
        with undone():
            sent = self.sent(route, method)
            if method == "GET":
                sent.pop("content_type", None)
            call = getattr(client, method.lower())
            response = call(self.address(route), **sent)
            if response.streaming:
                b"".join(response.streaming_content)
            # Whoever logged out has their session back, and so its cookie.
            client.cookies = cookies
            return _word(response)


def _word(response: Any) -> str:
    status: int = response.status_code
    to = response.headers.get("Location", "")
    if status == 302 and ("/login/" in to):
        return "login"
    return "ok" if status < 400 else str(status)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _file() -> SimpleUploadedFile:
    text = b"ticker,account,side,quantity,price\nIBM,Test1,buy,1,10\n"
    return SimpleUploadedFile("trades.csv", text, content_type="text/csv")


def _pk(user: User | None) -> int:
    assert user is not None
    return user.pk
