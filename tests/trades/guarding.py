"""Guards, set and met as users do."""

from datetime import date
from typing import Any

from django.contrib.auth.models import User

from tests import factories as make
from tests.trades.conftest import NOW, Desk

GUARDS, TRADES, BULK = "/api/v1/guards/", "/api/v1/trades/", "/api/v1/trades/bulk/"
YESTERDAY = date(2026, 3, 17)


def marked(desk: Desk) -> Desk:
    """The mark of IBM is 192.81."""
    make.make_close(desk.ibm, YESTERDAY, "195.61")
    make.make_quote(desk.ibm, "192.81", NOW)
    return desk


def put(rows: Any, who: Any = None) -> Any:
    boss = who or make.make_user(f"boss{User.objects.count()}", is_superuser=True)
    return make.client_of(boss).put(GUARDS, rows, format="json")


def guard(code: str, account: str | None = "Test1", **levels: Any) -> None:
    answer = put([{"account": account, "code": code, **levels}])
    assert answer.status_code == 200, answer.content


def booking(price: str = "192.81", **changes: Any) -> dict[str, Any]:
    terms = {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "10", "price": price}
    return {**terms, **changes}


def book(desk: Desk, price: str = "192.81", **changes: Any) -> Any:
    return desk.client().post(TRADES, booking(price, **changes), format="json")


def said(answer: Any) -> list[str]:
    return [e["code"] for e in answer.json()["errors"]]


def confirmed(desk: Desk, answer: Any, price: str = "192.81", **changes: Any) -> Any:
    assert answer.status_code == 409, answer.content
    return book(desk, price, confirm=answer.json()["confirm"], **changes)


def amend(desk: Desk, trade: str, version: int = 1, **terms: Any) -> Any:
    body = {"version": version, "reason": "x", **terms}
    return desk.client().patch(f"{TRADES}{trade}/", body, format="json")


def cancel(desk: Desk, trade: str, version: int = 1, **more: Any) -> Any:
    body = {"version": version, "reason": "x", **more}
    return desk.client().post(f"{TRADES}{trade}/cancel/", body, format="json")
