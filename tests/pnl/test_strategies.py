"""Positions and P&L by strategy: the worked example, what moves, and that strategies always add up
to their account."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import Strategy
from eqtrade.verify import verify
from kernel.clock import clock_set
from pnl.cost.projection import COST
from pnl.models import StrategyActivity, StrategyHolding
from pnl.strategies.projection import STRATEGY
from positions.projection import SETTLEMENT
from tests import factories as make
from tests.pnl.acting import Acting
from tests.pnl.conftest import FRIDAY, MONDAY, THURSDAY, TUESDAY, WEDNESDAY, Days, at, recorded
from trades.ledger.multi_shard_batch import round_read
from trades.ledger.rebuild import rebuild
from trades.models import LEDGER_SHARDS, Trade

D = Decimal
ZERO = D(0)
SUMMED = ("trade_pnl", "position_pnl", "action_pnl", "total_pnl", "correction_pnl")


class Book:
    """Trades booked, changed and read over REST, by strategy."""

    def __init__(self, days: Days) -> None:
        self.days = days
        self.client = make.client_of(days.user)

    def call(self, method: str, path: str, when: datetime, **body: Any) -> dict[str, Any]:
        with clock_set(when), recorded(when):
            answer = getattr(self.client, method)(f"/api/v1/{path}", body, format="json")
        assert answer.status_code < 300, answer.content
        self.read()
        found: dict[str, Any] = answer.json()
        return found

    def read(self) -> None:
        self.days.read()
        for projection in (COST, STRATEGY, SETTLEMENT):
            assert not round_read(projection, range(LEDGER_SHARDS)).behind

    def book(
        self, quantity: str, price: str, when: datetime, *, strategy: str | None = None, **more: Any
    ) -> dict[str, Any]:
        signed = D(quantity)
        body = {
            "account": self.days.account.code, "ticker": self.days.ibm.ticker,
            "side": "buy" if signed > 0 else "sell", "quantity": str(abs(signed)), "price": price,
            **({} if strategy is None else {"strategy": strategy}), **more,
        }  # fmt: skip
        return self.call("post", "trades/", when, **body)

    def change(self, trade: Mapping[str, Any], when: datetime, **terms: Any) -> dict[str, Any]:
        body = {"version": trade["version"], "reason": "was wrong", **terms}
        return self.call("patch", f"trades/{trade['id']}/", when, **body)

    def rows(self, path: str, now: datetime, **query: Any) -> list[dict[str, Any]]:
        with clock_set(now):
            answer = self.client.get(f"/api/v1/{path}", query)
        assert answer.status_code == 200, answer.content
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    def by_strategy(self, now: datetime, name: str = "total_pnl", **query: str) -> dict[Any, Any]:
        rows = self.rows("pnl/", now, by="strategy", **query)
        return {row["strategy"]: D(row[name]) for row in rows}


@pytest.fixture
def book(days: Days) -> Book:
    for code in ("ALPHA", "BETA"):
        Strategy.objects.create(code=code)
    return Book(days)


def test_the_worked_example(book: Book) -> None:
    days, now = book.days, at(WEDNESDAY)
    days.close(TUESDAY, "10.10")
    book.book("300", "10.00", now, strategy="ALPHA", fees=[{"kind": "tax", "amount": "1.25"}])
    book.book("-50", "10.30", now, strategy="ALPHA")
    book.book("-100", "10.40", now, strategy="BETA")
    make.make_quote(days.ibm, "10.50", now)
    assert book.by_strategy(now) == {"ALPHA": D("140.00"), "BETA": D("-10.00")}
    (account,) = days.pnl(now, by="account")
    assert D(account["total_pnl"]) == 130
    (held,) = book.rows("positions/", now)
    assert D(held["quantity"]) == 150
    rows = book.rows("positions/", now, by="strategy")
    assert [(r["strategy"], D(r["quantity"]), D(r["total_pnl"])) for r in rows] == [
        ("ALPHA", 250, 140), ("BETA", -100, -10),
    ]  # fmt: skip
    if "fees" in rows[0]:
        assert book.by_strategy(now, "fees") == {"ALPHA": D("1.25"), "BETA": 0}
        assert book.by_strategy(now, "net_pnl") == {"ALPHA": D("138.75"), "BETA": -10}


def test_by_counterparty_is_not_kept(book: Book) -> None:
    for path in ("pnl/", "positions/"):
        answer = book.client.get(f"/api/v1/{path}", {"by": "counterparty"})
        assert answer.status_code == 400
        assert [(e["code"], e["attr"]) for e in answer.json()["errors"]] == [("not_kept", "by")]


def test_a_trade_that_moves_to_another_strategy_corrects_both(book: Book) -> None:
    """As known before, it stays where it was."""
    days = book.days
    for day, price in ((MONDAY, "100"), (TUESDAY, "103"), (WEDNESDAY, "104")):
        days.close(day, price)
    trade = book.book("10", "101", at(TUESDAY), strategy="ALPHA")
    book.book("4", "102", at(TUESDAY))
    before = at(TUESDAY, 21)
    book.change(trade, at(WEDNESDAY, 16), strategy="BETA")
    now = at(WEDNESDAY, 17)
    tuesday = {"from": str(TUESDAY), "to": str(TUESDAY)}
    assert book.by_strategy(now, **tuesday) == {None: 4, "BETA": 20}
    assert book.by_strategy(now, "correction_pnl") == {None: 0, "ALPHA": -20, "BETA": 20}
    (account,) = days.pnl(now, by="account")
    assert D(account["correction_pnl"]) == 0
    then = {"by": "strategy", "as_of": TUESDAY, "known_at": before.isoformat()}
    assert [(r["strategy"], r["quantity"]) for r in book.rows("positions/", now, **then)] == [
        (None, "4"), ("ALPHA", "10"),
    ]  # fmt: skip
    del then["known_at"]
    assert [(r["strategy"], r["quantity"]) for r in book.rows("positions/", now, **then)] == [
        (None, "4"), ("BETA", "10"),
    ]  # fmt: skip


def test_whose_account_one_may_not_view_does_not_exist(book: Book) -> None:
    book.days.close(TUESDAY, "10")
    book.book("300", "10.00", at(WEDNESDAY), strategy="ALPHA")
    stranger = make.client_of(make.make_user("stranger"))
    for path in ("pnl/", "positions/"):
        answer = stranger.get(f"/api/v1/{path}", {"by": "strategy"})
        assert (answer.status_code, answer.json()["results"]) == (200, [])
        answer = stranger.get(
            f"/api/v1/{path}", {"by": "strategy", "account": book.days.account.code}
        )
        assert answer.status_code in (200, 404)
        assert b"ALPHA" not in answer.content


numbers = count()
WEEK = [MONDAY, TUESDAY, WEDNESDAY, THURSDAY]
STRATEGIES = st.sampled_from([None, "ALPHA", "BETA"])
SHARES = st.integers(-300, 300).filter(bool)
CENTS = st.integers(1, 9000).map(lambda n: D(n) / 100)
TRADE = st.tuples(st.just("trade"), st.booleans(), STRATEGIES, SHARES, CENTS, st.sampled_from(WEEK))
STEPS = st.lists(
    st.one_of(
        TRADE, TRADE,
        st.tuples(st.just("move"), st.integers(0, 20), STRATEGIES),
        st.tuples(st.just("amend"), st.integers(0, 20), SHARES, st.sampled_from(WEEK)),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("act"), st.sampled_from(["split", "cash", "spin"]),
                  st.sampled_from([("3", "2"), ("1", "4"), ("2", "1")]),
                  st.sampled_from(WEEK[1:])),
    ),
    min_size=5, max_size=12,
)  # fmt: skip


class History:
    def __init__(self, book: Book) -> None:
        self.book, number = book, next(numbers)
        days = book.days
        days.account = self.account = make.make_account(f"S{number}")
        self.parent, self.child = (
            make.make_instrument(f"P{number}"),
            make.make_instrument(f"C{number}"),
        )
        for day in (date(2026, 3, 13), *WEEK, FRIDAY):
            days.close(day, str(40 + day.day), self.parent)
            days.close(day, str(90 - day.day), self.child)
        self.now = at(FRIDAY, 14)
        self.moments: list[datetime] = []
        self.acts = 0

    def do(self, step: tuple[Any, ...]) -> None:
        kind, *how = step
        self.now += timedelta(minutes=1)
        getattr(self, kind)(*how)
        self.moments.append(self.now)

    def trade(
        self, is_parent: bool, strategy: str | None, shares: int, price: Decimal, day: date
    ) -> None:
        name = self.parent if is_parent else self.child
        self.book.book(
            str(shares), str(price), self.now, strategy=strategy, ticker=name.ticker,
            trade_date=str(day), fees=[{"kind": "commission", "amount": f"{shares % 7}.01"}],
        )  # fmt: skip

    def _standing(self, number: int) -> Trade | None:
        found = list(
            Trade.objects.filter(account=self.account).exclude(status="cancelled").order_by("id")
        )
        return found[number % len(found)] if found else None

    def _change(self, number: int, **terms: Any) -> None:
        if (trade := self._standing(number)) is None:
            return
        with clock_set(self.now), recorded(self.now):
            body = {"version": trade.version, "reason": "was wrong", **terms}
            self.book.client.patch(f"/api/v1/trades/{trade.pk}/", body, format="json")
        self.book.read()

    def move(self, number: int, strategy: str | None) -> None:
        self._change(number, strategy=strategy or "")

    def amend(self, number: int, shares: int, day: date) -> None:
        self._change(
            number, side="buy" if shares > 0 else "sell", quantity=str(abs(shares)),
            trade_date=str(day),
        )  # fmt: skip

    def cancel(self, number: int) -> None:
        if (trade := self._standing(number)) is not None:
            self.book.days.cancel(trade, self.now)
            self.book.read()

    def act(self, kind: str, ratio: tuple[str, str], day: date) -> None:
        new, old = ratio
        self.acts += 1
        terms: dict[str, Any] = {"sequence": self.acts}
        if kind == "split":
            name = "split" if int(new) > int(old) else "reverse_split"
            fractions = ["cash", "down", "up", "keep"][self.acts % 4]
            terms |= {"keep_new": new, "keep_old": old, "fractions": fractions}
        elif kind == "cash":
            name = "cash_dividend"
            terms["cash"] = "0.31"
        else:
            name = "spin_off"
            leg = {"ticker": self.child.ticker, "new": "1", "old": "16", "cost_share": "0.1"}
            terms["legs"] = [leg]
        Acting(self.book.days).define(
            name, on=day, when=self.now, ticker=self.parent.ticker, **terms
        )
        self.book.read()

    def hold(self) -> None:
        """Strategies add up to the account: each session, as known now and as known then."""
        now = self.now + timedelta(minutes=1)
        for day in (TUESDAY, THURSDAY, FRIDAY):
            for known_at in (None, self.moments[len(self.moments) // 2]):
                then = {} if known_at is None else {"known_at": known_at.isoformat()}
                query = {"account": self.account.code, "as_of": str(day), **then}
                whole = self._by_ticker(now, **query)
                parts = self._by_ticker(now, by="strategy", **query)
                assert parts == whole, (day, known_at)
        span = {"account": self.account.code, "from": str(MONDAY), "to": str(FRIDAY)}
        for by in ("account", "strategy"):
            sums: dict[str, dict[str, Decimal]] = {}
            for row in self.book.rows("pnl/", now, by=by, **span):
                into = sums.setdefault(row["session"], dict.fromkeys(SUMMED, ZERO))
                for name in SUMMED:
                    into[name] += D(row[name])
            found = {day: of for day, of in sums.items() if any(of.values())}
            if by == "account":
                right = found
        assert found == right
        realized = self.book.rows("pnl/realized/", now, **span)
        held = self.book.rows("positions/", now, account=self.account.code, include_flat="true")
        for ticker in (self.parent.ticker, self.child.ticker):
            sums_of = [
                sum((D(r["realized_pnl"]) for r in rows if r["ticker"] == ticker), ZERO)
                for rows in (realized, held)
            ]
            assert sums_of[0] == sums_of[1], ticker

    def _by_ticker(self, now: datetime, **query: Any) -> dict[str, dict[str, Decimal]]:
        names = [
            n for n in ("quantity", "fees", "net_pnl", "income", *SUMMED) if n != "correction_pnl"
        ]
        sums: dict[str, dict[str, Decimal]] = {}
        for row in self.book.rows("positions/", now, **query):
            into = sums.setdefault(row["ticker"], dict.fromkeys(names, ZERO))
            for name in names:
                into[name] += D(row.get(name) or 0)
        return {ticker: of for ticker, of in sums.items() if any(of.values())}


@given(STEPS)
@settings(
    max_examples=8,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_strategies_add_up_to_their_account(book: Book, steps: list[tuple[Any, ...]]) -> None:
    history = History(book)
    for step in steps:
        history.do(step)
    history.hold()
    kept = [
        list(table.objects.order_by("pk").values()) for table in (StrategyHolding, StrategyActivity)
    ]
    assert not verify()
    assert sum(done.result.written for done in rebuild(STRATEGY)) == 0
    assert kept == [
        list(table.objects.order_by("pk").values()) for table in (StrategyHolding, StrategyActivity)
    ]


def test_a_rebuild_mends_what_differs(book: Book) -> None:
    book.days.close(TUESDAY, "10")
    book.book("300", "10.00", at(WEDNESDAY), strategy="ALPHA")
    book.book("20", "10.00", at(WEDNESDAY))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pnl_strategyholding SET quantity = quantity + 1")
        cursor.execute("UPDATE pnl_strategyactivity SET strategy_id = 77 WHERE strategy_id = 0")
    assert {b.what for b in verify() if b.consumer == "strategy"} >= {
        "strategyholding, quantity", "strategyactivity, notional",
    }  # fmt: skip
    for _ in rebuild(STRATEGY):
        pass
    assert not [b for b in verify() if b.consumer == "strategy"]
