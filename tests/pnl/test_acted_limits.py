"""Exposures, guards, checks and prices through corporate actions: the day before the ex-date, on it
and the day after, what is measured is what is held, at marks in the terms of the day."""

from decimal import Decimal
from typing import Any

import pytest

from kernel.clock import clock_set
from pnl.live.exposure import Exposure, exposures, held_of
from pnl.live.totals import live_totals
from prices.models import Instrument
from tests import factories as make
from tests.pnl.acting import Acting, cents
from tests.pnl.conftest import MONDAY, TUESDAY, WEDNESDAY, Days, at
from tests.trades.guarding import guard

D = Decimal
NOW = at(TUESDAY, 18)
CHECK, TRADES = "/api/v1/trades/check/", "/api/v1/trades/"


@pytest.fixture
def acting(days: Days) -> Acting:
    """100 IBM and 10 KD held since Monday, and 40 IBM bought on Tuesday; short 5 HPE."""
    found = Acting(days)
    for ticker, quantity, close in (("KD", "10", "40"), ("HPE", "-5", "60")):
        other = make.make_instrument(ticker)
        days.trade(quantity, close, MONDAY, instrument=other)
        days.close(MONDAY, close, other)
        make.make_quote(other, close, NOW)
    days.trade("100", "90", MONDAY)
    days.close(MONDAY, "100")
    return found


LEGS = [{"ticker": "KD", "new": "1", "old": "2", "cost_share": "0.2"}]
# Kind, terms, mark of IBM: quantity of IBM and of KD with 40 bought on the ex-date.
KINDS: dict[str, tuple[str, dict[str, Any], str | None, str, str]] = {
    "split": ("split", {"keep_new": "3", "keep_old": "2"}, "70", "190", "10"),
    "reverse": ("reverse_split", {"keep_new": "1", "keep_old": "3"}, "310", "73", "10"),
    "dividend": ("cash_dividend", {"cash": "1.5"}, "98", "140", "10"),
    "spin-off": ("spin_off", {"legs": LEGS}, "81", "140", "60"),
    "merger": ("merger", {"cash": "3", "legs": LEGS}, None, "0", "60"),
    "worthless": ("worthless", {}, None, "0", "10"),
}


@pytest.mark.parametrize(("kind", "terms", "mark", "ibm", "kd"), KINDS.values(), ids=KINDS)
def test_what_is_measured_is_what_is_shown(
    acting: Acting, kind: str, terms: dict[str, Any], mark: str | None, ibm: str, kd: str
) -> None:
    days = acting.days
    if mark is not None:
        days.trade("40", "95", TUESDAY)
        make.make_quote(days.ibm, mark, NOW)
    acting.define(kind, **terms)
    compare(acting, NOW)
    held = {pk: q for pk, (q, _) in held_of(days.account.pk, NOW).items()}
    assert held.get(days.ibm.pk, 0) == D(ibm)
    assert {D(kd), D(-5)} <= set(held.values())
    before = at(MONDAY, 18)
    assert held_of(days.account.pk, before)[days.ibm.pk][0] == (140 if mark else 100)
    for ticker, close in (("IBM", mark), ("KD", "41"), ("HPE", "59")):
        if close is not None:
            days.close(TUESDAY, close, Instrument.objects.get(ticker=ticker))
    compare(acting, at(WEDNESDAY, 18))


def compare(acting: Acting, now: Any) -> None:
    """The exposure, alone and in a group of two, is that of the rows and totals that are shown."""
    account = acting.days.account.pk
    other = make.make_account(f"other-{now.day}").pk
    rows = acting.positions(now)
    values = [D(row["market_value"]) for row in rows if row["market_value"] is not None]
    (total,) = live_totals(accounts=[account], now=now)
    assert total.pnl_reason in (None, "stale")
    right = Exposure(
        long=sum((v for v in values if v > 0), D(0)),
        short=sum((v for v in values if v < 0), D(0)),
        name=max(map(abs, values)),
        position=max(abs(D(row["quantity"])) for row in rows),
        pnl=total.total_pnl,
    )
    assert exposures({0: [account], 1: [account, other]}, now) == {0: right, 1: right}
    shown = {row["ticker"]: D(row["quantity"]) for row in rows if D(row["quantity"])}
    tickers = dict(Instrument.objects.values_list("pk", "ticker"))
    assert {tickers[pk]: q for pk, (q, _) in held_of(account, now).items()} == shown


def test_a_check_counts_a_late_trade_in_the_shares_of_now(acting: Acting) -> None:
    acting.define("split", keep_new="10")
    make.make_quote(acting.days.ibm, "11", NOW)
    body = {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "10", "price": "95"}
    late = {**body, "trade_date": str(MONDAY)}
    with clock_set(NOW):
        now = acting.client.post(CHECK, body, format="json").json()
        then = acting.client.post(CHECK, late, format="json").json()
    assert (D(now["position_before"]), D(now["position_after"])) == (1000, 1010)
    assert D(now["pnl_at_once"]) == (11 - 95) * 10
    assert (D(then["position_before"]), D(then["position_after"])) == (1000, 1100)
    assert D(then["pnl_at_once"]) == 11 * 100 - 95 * 10
    worth = D(then["exposure"]["after"]["long"]) - D(then["exposure"]["before"]["long"])
    assert worth == 1100


def test_guards_look_at_the_shares_and_prices_of_the_day(acting: Acting) -> None:
    """Sold are the 1,000 of after a 10:1 split, at a tenth of the price, before any quote."""
    acting.define("split", keep_new="10")
    for code, levels in (
        ("flips", {}),
        ("of_position", {"warn": "1"}),
        ("off_mark", {"warn": "3"}),
    ):
        guard(code, **levels)
    sale = {"account": "Test1", "ticker": "IBM", "side": "sell", "price": "10.1"}

    def asked(quantity: str, **more: Any) -> list[str]:
        body = {**sale, "quantity": quantity, **more}
        with clock_set(at(TUESDAY, 14)):
            answer = acting.client.post(TRADES, body, format="json")
        return [] if answer.status_code == 201 else [e["code"] for e in answer.json()["errors"]]

    assert asked("1001") == ["of_position", "flips"]
    assert asked("200", price="100") == ["off_mark"]
    # 30 of before are 300 of now: with 701 of the day too many, with 700 of the day not.
    assert asked("30", trade_date=str(MONDAY), price="100") == []
    assert asked("701") == ["of_position", "flips"]
    assert asked("700") == []


def test_prices_of_an_ex_date_are_in_its_terms(acting: Acting) -> None:
    acting.define("split", keep_new="10")

    def price(now: Any) -> tuple[Any, ...]:
        with clock_set(now):
            (row,) = acting.client.get("/api/v1/prices/", {"ticker": "IBM"}).json()["results"]
            series = acting.client.get("/api/v1/prices/series/", {"ticker": "IBM"}).json()
        return D(row["previous_close"]), cents(row["price"]), D(series["previous_close"])

    assert price(at(TUESDAY, 14)) == (10, 10, 10)
    make.make_quote(acting.days.ibm, "11", NOW)
    assert price(NOW) == (10, 11, 10)
    acting.days.close(TUESDAY, "12")
    assert price(at(WEDNESDAY, 14)) == (12, 12, 12)
