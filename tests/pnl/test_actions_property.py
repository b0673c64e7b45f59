"""Random histories through chains of corporate actions, booked, read and decided for real: in
whatever order, what is kept is what the trades and the actions make, and no money is lost."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from eqtrade.verify import verify
from kernel.actions import fold
from pnl.activity.legs import work_do
from pnl.activity.projection import ACTIVITY
from pnl.models import ActionLeg
from prices.actions.read import action_id, actions_counting
from prices.actions.record import action_amend, action_cancel, action_confirm, action_propose
from prices.actions.terms import LegTerms, Terms
from tests import factories as make
from tests.pnl.acting import AMOUNTS, Acting
from tests.pnl.conftest import FRIDAY, MONDAY, THURSDAY, TUESDAY, WEDNESDAY, Days, at
from trades.ledger.rebuild import rebuild
from trades.models import Trade
from trades.services.correction import NothingChanged

D = Decimal
ZERO = D(0)
WEEK = [MONDAY, TUESDAY, WEDNESDAY, THURSDAY]
NOW = at(FRIDAY, 14)
SHOWN = ("opening_quantity", "closing_quantity", *AMOUNTS)
SINCE = ("realized_pnl", "unrealized_pnl", "income")
numbers = count()

SHARES = st.integers(-300, 300).filter(bool).map(D)
DAY = st.sampled_from(WEEK)
TRADE = st.tuples(st.just("trade"), st.booleans(), SHARES, DAY)
CHANGE = st.tuples(st.sampled_from(["amend", "cancel"]), st.integers(0, 20), SHARES, DAY)
RATIO = st.sampled_from([("2", "1"), ("3", "2"), ("1", "4"), ("10", "1")])
ACTION = st.tuples(
    st.just("act"), st.sampled_from(["split", "cash", "spin"]), RATIO,
    st.sampled_from(WEEK[1:]),
)  # fmt: skip
UNDO = st.tuples(st.just("undo"), st.integers(0, 20))
STEPS = st.lists(st.one_of(TRADE, TRADE, CHANGE, ACTION, ACTION, UNDO), min_size=6, max_size=14)


class History:
    """One account, a parent and a child, and whatever steps do to them."""

    def __init__(self, days: Days) -> None:
        self.days = days
        number = next(numbers)
        self.account = make.make_account(f"P{number}")
        self.parent = make.make_instrument(f"P{number}")
        self.child = make.make_instrument(f"C{number}")
        self.actions: list[Any] = []
        for day in (*WEEK, FRIDAY):
            days.close(day, str(40 + day.day), self.parent)
            days.close(day, str(90 - day.day), self.child)

    def do(self, step: tuple[Any, ...]) -> None:
        kind, *how = step
        getattr(self, kind)(*how)

    def trade(self, is_parent: bool, shares: Decimal, day: date) -> None:
        self.days.trade(
            str(shares), "50", day, account=self.account, when=NOW,
            instrument=self.parent if is_parent else self.child,
        )  # fmt: skip

    def _standing(self, number: int) -> Trade | None:
        found = list(
            Trade.objects.filter(account=self.account).exclude(status="cancelled").order_by("id")
        )
        return found[number % len(found)] if found else None

    def amend(self, number: int, shares: Decimal, day: date) -> None:
        # What is as it was already is refused.
        if trade := self._standing(number):
            with suppress(NothingChanged):
                self.days.amend(trade, NOW, quantity=abs(shares), trade_date=day)

    def cancel(self, number: int, shares: Decimal, day: date) -> None:
        if trade := self._standing(number):
            self.days.cancel(trade, NOW)

    def act(self, kind: str, ratio: tuple[str, str], day: date) -> None:
        new, old = map(D, ratio)
        ticker, sequence = self.parent.ticker, len(self.actions) + 1
        if kind == "split":
            name = "split" if new > old else "reverse_split"
            terms = Terms(name, ticker, day, sequence, keep_new=new, keep_old=old,
                          fractions=["cash", "down", "up", "keep"][sequence % 4])  # fmt: skip
        elif kind == "cash":
            terms = Terms("cash_dividend", ticker, day, sequence, cash=D("0.25"))
        else:
            legs = (LegTerms(self.child.ticker, D(1), D(16), D("0.1")),)
            terms = Terms("spin_off", ticker, day, sequence, legs=legs)
        action = action_propose(user=self.days.user, terms=terms, reason="x")
        self._decide(action_confirm, action)
        self.actions.append(action)
        if sequence % 3 == 0:
            amended = action_amend(
                user=self.days.user, action_id=action.pk, version=1, reason="x",
                changed={"ex_date": WEDNESDAY},
            )  # fmt: skip
            self._decide(action_confirm, amended)

    def undo(self, number: int) -> None:
        if self.actions:
            action = self.actions[number % len(self.actions)]
            action.refresh_from_db()
            self._decide(action_cancel, action)

    def booked_anew(self, sign: int) -> Account:
        """A fresh account in which the standing trades are booked as they are, or turned round."""
        account = make.make_account(f"P{next(numbers)}")
        for trade in Trade.objects.filter(account=self.account).exclude(status="cancelled"):
            shares = trade.quantity if trade.side == "buy" else -trade.quantity
            self.days.trade(
                str(sign * shares), str(trade.price), trade.trade_date, account=account, when=NOW,
                instrument=trade.instrument,
            )  # fmt: skip
        return account

    def figures(self, account: Account) -> dict[tuple[str, str], list[Decimal]]:
        """By session and ticker: quantities, and the figures of P&L. What was booked and taken back
        in one session has a row of zeros there."""
        rows = self.days.pnl(NOW, by="ticker", account=account.code, **{"from": str(MONDAY)})
        found = {(row["session"], row["ticker"]): [D(row[name]) for name in SHOWN] for row in rows}
        return {key: numbers for key, numbers in found.items() if any(numbers)}

    def held(self, **query: str) -> dict[int, Decimal]:
        """What is held by instrument, of all that was ever traded."""
        rows = Acting(self.days).positions(
            NOW, account=self.account.code, include_flat="true", **query
        )
        traded = Trade.objects.filter(account=self.account).exclude(status="cancelled")
        mine = set(traded.values_list("instrument_id", flat=True))
        found = {id_of(self, row["ticker"]): D(row["quantity"]) for row in rows}
        assert all(q == 0 for pk, q in found.items() if pk not in mine)
        return {pk: q for pk, q in found.items() if pk in mine}

    def _decide(self, how: Any, action: Any) -> None:
        how(user=self.days.user, action_id=action.pk, version=action.version, reason="x")
        work_do()


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(STEPS)
def test_whatever_the_order(days: Days, steps: list[tuple[Any, ...]]) -> None:
    history = History(days)
    for step in steps:
        history.do(step)
    # Kept = brute over the standing trades = a rebuild, which finds nothing to mend.
    assert verify() == []
    assert sum(shard.result.written for shard in rebuild(ACTIVITY, dry_run=True)) == 0
    mine = {action.pk for action in history.actions}
    counting = [a for a in actions_counting() if action_id(a) in mine]
    traded: dict[int, dict[date, Decimal]] = {}
    paid = ZERO
    for trade in Trade.objects.filter(account=history.account).exclude(status="cancelled"):
        signed = trade.quantity if trade.side == "buy" else -trade.quantity
        by_day = traded.setdefault(trade.instrument_id, {})
        by_day[trade.trade_date] = by_day.get(trade.trade_date, ZERO) + signed
        paid += signed * trade.price
    effects = fold(traded, counting)
    legs = ActionLeg.objects.filter(account=history.account)
    assert {(leg.action_id, leg.instrument_id, leg.quantity, leg.cash) for leg in legs} == {
        (action_id(e.action), e.instrument, e.quantity, e.cash) for e in effects
    }
    # Sessions' totals = value − net paid + cash; and so are realized + unrealized + income.
    acting = Acting(days)
    rows = days.pnl(NOW, by="ticker", account=history.account.code, **{"from": str(MONDAY)})
    total = sum((D(row["total_pnl"]) for row in rows), ZERO)
    held = acting.positions(NOW, account=history.account.code, include_flat="true")
    worth = sum((D(row["market_value"] or 0) for row in held), ZERO)
    cash = sum((e.cash for e in effects), ZERO)
    unpaid = sum((e.unpaid * reference(history, rows, e) for e in effects if e.unpaid), ZERO)
    assert abs(total - (worth - paid + cash + unpaid)) < D("1e-6")
    since = sum(
        (
            D(row[name] or 0)
            for row in held
            for name in ("realized_pnl", "unrealized_pnl", "income")
        ),
        ZERO,
    )
    assert abs(since - (worth - paid + cash + unpaid)) < D("1e-6")
    for row in held:
        moved = sum((e.quantity for e in effects if ticker_of(history, e) == row["ticker"]), ZERO)
        mine_traded = traded.get(id_of(history, row["ticker"]), {})
        assert D(row["quantity"]) == sum(mine_traded.values(), ZERO) + moved
    # What was amended is as if it had been booked so at first, and short mirrors long.
    again, mirror = (
        history.figures(history.booked_anew(1)),
        history.figures(history.booked_anew(-1)),
    )
    assert again == history.figures(history.account)
    assert mirror == {key: [-n for n in numbers] for key, numbers in again.items()}
    # Before anything was decided nothing of it was known; and all undone, nothing of it is left.
    plain = {i: sum((q for q in days.values()), ZERO) for i, days in traded.items()}
    assert history.held(as_of=str(FRIDAY), known_at=NOW.isoformat()) == plain
    for number in range(len(history.actions)):
        history.undo(number)
    assert history.held() == plain
    assert not ActionLeg.objects.exclude(quantity=0, cash=0, unpaid=0).exists()
    assert verify() == []


def reference(history: History, rows: list[dict[str, Any]], effect: Any) -> Decimal:
    """The previous close of the ex-date's row."""
    (found,) = (
        row["previous_close"]
        for row in rows
        if row["ticker"] == ticker_of(history, effect)
        and row["session"] == str(effect.action.ex_date)
    )
    return D(found)


def ticker_of(history: History, effect: Any) -> str:
    is_parent = effect.instrument == history.parent.pk
    return history.parent.ticker if is_parent else history.child.ticker


def id_of(history: History, ticker: str) -> int:
    return history.parent.pk if ticker == history.parent.ticker else history.child.pk
