"""The REST API as a program uses it."""

from decimal import Decimal
from typing import Any, Self
from uuid import uuid4

import requests

Row = dict[str, Any]

TIMEOUT = 60
"""Seconds; far beyond what any answer takes, so that it decides no test."""


class Client:
    """One user's session, with a token."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self.token = token
        self.session = requests.Session()
        if token:
            self.session.headers["Authorization"] = f"Token {token}"

    @classmethod
    def logged_in(cls, url: str, user: str, password: str) -> Self:
        """Get a token with the password."""
        answer = cls(url).post("token/", username=user, password=password)
        assert answer.status_code == 200, answer.text
        return cls(url, answer.json()["token"])

    def another(self) -> "Client":
        """The same user with connections of its own, for another thread."""
        return Client(self.url, self.token)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.session.get(f"{self.url}/api/v1/{path}", params=query, timeout=TIMEOUT)

    def post(self, path: str, **body: Any) -> requests.Response:
        return self.session.post(f"{self.url}/api/v1/{path}", json=body, timeout=TIMEOUT)

    def rows(self, path: str, **query: Any) -> list[Row]:
        """All rows of a list, page by page."""
        found: list[Row] = []
        answer = self.get(path, **query)
        while True:
            assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
            page = answer.json()
            found += page["results"]
            if not page["next"]:
                return found
            answer = self.session.get(page["next"], timeout=TIMEOUT)

    def book(
        self, account: str, ticker: str, side: str, quantity: object, price: object, **more: str
    ) -> Row:
        """Book one trade, whatever guards ask; it must be booked."""
        given = {
            "account": account,
            "ticker": ticker,
            "side": side,
            "quantity": str(quantity),
            "price": str(price),
            "client_trade_id": str(uuid4()),
            **more,
        }
        answer = self.post("trades/", **given)
        if answer.status_code == 409 and "confirm" in answer.json():
            answer = self.post("trades/", **given, confirm=answer.json()["confirm"])
        assert answer.status_code == 201, f"{answer.status_code} {answer.text}"
        row: Row = answer.json()
        return row

    def override(self, ticker: str, price: str) -> int:
        """Set a price by hand (staff), far off or not; its id."""
        given = {"ticker": ticker, "price": price, "reason": "a test"}
        answer = self.post("prices/overrides/", **given)
        if answer.status_code == 409:
            answer = self.post("prices/overrides/", **given, confirm=answer.json()["confirm"])
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def end_override(self, override: int) -> None:
        answer = self.post(f"prices/overrides/{override}/end/")
        assert answer.status_code == 200, answer.text

    def quantities(self, account: str) -> dict[str, Decimal]:
        """Position quantities by ticker, flat ones left out."""
        rows = self.rows("positions/", account=account)
        found = {r["ticker"]: Decimal(r["quantity"]) for r in rows}
        return {ticker: quantity for ticker, quantity in found.items() if quantity}
