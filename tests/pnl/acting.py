"""A book through corporate actions: defined over REST, folded for real, read over REST."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from kernel.clock import clock_set
from pnl.activity.legs import work_do
from pnl.cost.projection import COST
from tests import factories as make
from tests.pnl.conftest import MONDAY, TUESDAY, Days, at, recorded
from trades.ledger.multi_shard_batch import round_read
from trades.models import LEDGER_SHARDS

D = Decimal
URL = "/api/v1/corporate-actions/"
AMOUNTS = ("trade_pnl", "position_pnl", "action_pnl", "total_pnl")


def cents(number: Decimal | str | None) -> Decimal | None:
    return None if number is None else D(number).quantize(D("0.01"), "ROUND_HALF_UP")


class Acting:
    """Held since Monday, traded on Tuesday, which is the ex-date."""

    def __init__(self, days: Days) -> None:
        self.days = days
        self.client = make.client_of(days.user)

    def call(self, method: str, path: str, when: datetime, **body: Any) -> dict[str, Any]:
        with clock_set(when), recorded(when):
            answer = getattr(self.client, method)(f"{URL}{path}", body, format="json")
            assert answer.status_code < 300, answer.content
            work_do()
        found: dict[str, Any] = answer.json()
        return found

    def define(
        self, kind: str, *, on: date = TUESDAY, when: datetime | None = None, **terms: Any
    ) -> dict[str, Any]:
        """Proposed and confirmed."""
        moment = when or at(MONDAY, 21)
        body = {"ticker": "IBM", "kind": kind, "ex_date": str(on), "reason": "announced", **terms}
        action = self.call("post", "", moment, **body)
        return self.decide("confirm", action, moment)

    def decide(self, what: str, action: dict[str, Any], when: datetime) -> dict[str, Any]:
        return self.call(
            "post", f"{action['id']}/{what}/", when, version=action["version"], reason="seen"
        )

    def amend(self, action: dict[str, Any], when: datetime, **terms: Any) -> dict[str, Any]:
        amended = self.call(
            "patch", f"{action['id']}/", when, version=action["version"], reason="wrong", **terms
        )
        return self.decide("confirm", amended, when)

    def positions(self, now: datetime, **query: Any) -> list[dict[str, Any]]:
        for _ in range(1):
            round_read(COST, range(LEDGER_SHARDS))
        with clock_set(now):
            answer = self.client.get("/api/v1/positions/", query)
        assert answer.status_code == 200, answer.content
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    def position(self, now: datetime, ticker: str = "IBM", **query: Any) -> dict[str, Any]:
        (row,) = [r for r in self.positions(now, **query) if r["ticker"] == ticker]
        return row

    def sums(self, now: datetime, **query: Any) -> dict[str, Decimal | None]:
        """The account's row of P&L of one session, to the cent."""
        (row,) = self.days.pnl(now, by="account", **query)
        return {name: cents(row[name]) for name in AMOUNTS}


def figures(row: dict[str, Any]) -> tuple[Decimal | None, ...]:
    """(trade, position, action, total) P&L, to the cent."""
    return tuple(cents(row[name]) for name in AMOUNTS)
