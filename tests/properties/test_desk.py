"""Whatever happens at a desk, every number is that of the plain model: bookings, corrections,
ticks, closes, changed closes, other sessions, readers that die, rebuilds, late snapshots; at every
past session, as known now and as known then.
"""

import os
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.backends.utils import CursorWrapper
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from eqtrade.up.postgres import PostgresServer
from eqtrade.verify import verify
from kernel.clock import clock_set
from pnl.activity.projection import ACTIVITY
from pnl.cost.projection import COST
from pnl.daily.finalize import daily_finalize
from pnl.daily.restate import Turn, restate_work
from pnl.strategies.projection import STRATEGY
from positions.projection import POSITIONS, SETTLEMENT
from positions.snapshots.take import snapshots_work
from prices.closes.write import closes_load
from prices.models import CloseRun, SessionOverride
from prices.quotes.write import quotes_keep
from prices.sources.base import SourceQuote
from tests import factories as make
from tests.conftest import wipe
from tests.properties.desk_look import look_at_pnl, look_at_positions, look_at_snapshots
from tests.properties.desk_model import ACCOUNTS, TICKERS, Model, Terms
from trades.fee_kinds import Fee
from trades.ledger.multi_shard_batch import round_read
from trades.ledger.projection import Batch
from trades.ledger.rebuild import rebuild
from trades.ledger.shard_batch import drain
from trades.models import LEDGER_SHARDS, Trade
from trades.services import correction
from trades.services.booking import trade_book
from trades.terms import Amendment, Booking

FIRST, START = date(2026, 3, 16), datetime(2026, 3, 18, 14, tzinfo=UTC)
LAST = date(2026, 3, 31)
READERS: dict[str, Any] = {p.name: p for p in (POSITIONS, SETTLEMENT, ACTIVITY, COST, STRATEGY)}
REASON = "keyed wrong"

finest = st.integers(1, 10**11).map(lambda n: Decimal(n).scaleb(-10))
quarters = st.integers(-40, 40).filter(bool).map(lambda n: Decimal(n) / 4)
quantities = st.one_of(quarters, quarters, finest, finest.map(lambda n: -n))
prices = st.integers(1, 9000).map(lambda n: Decimal(n) / 100)
# What is paid for a trade: also fractions of a cent, and nothing.
paid = st.one_of(prices, prices, finest, st.just(Decimal(0)))
accounts, tickers = st.sampled_from(ACCOUNTS), st.sampled_from(TICKERS)
readers = st.sampled_from(list(READERS))
# Which of those there are: reduced modulo their number.
nth = st.integers(0, 1000)
days_back = st.sampled_from([0, 0, 0, 1, 2, 5])
# Those of a trade: mostly none; rebates, and to the millionth.
fees = st.none() | st.integers(-(10**8), 10**8).map(lambda n: Decimal(n).scaleb(-6))
# Account, ticker, quantity, price, sessions back, minutes since the execution, fee.
Asked = tuple[str, str, Decimal, Decimal, int, int, Decimal | None]
asked = st.tuples(accounts, tickers, quantities, paid, days_back, st.integers(0, 200), fees)


class Dies(BaseException):
    """A process that is killed: nothing of ours catches it."""


class Dying:
    """A projection whose process dies after its statements, before the commit."""

    def __init__(self, inner: Any) -> None:
        self.name, self._inner = inner.name, inner

    def apply(self, cursor: CursorWrapper, batch: Batch) -> int:
        self._inner.apply(cursor, batch)
        raise Dies


def fees_of(amount: Decimal | None) -> tuple[Fee, ...]:
    return () if amount is None else (Fee("commission", amount),)


def side_of(quantity: Decimal) -> str:
    return "buy" if quantity > 0 else "sell"


class Desk(RuleBasedStateMachine):
    cluster: PostgresServer

    @initialize(bookings=st.lists(asked, min_size=2, max_size=6), is_settled=st.booleans())
    def open(self, bookings: list[Asked], is_settled: bool) -> None:
        connection.close()
        wipe(self.cluster)
        self.user = User.objects.create_superuser("root")
        self.accounts = {code: make.make_account(code) for code in ACCOUNTS}
        self.instruments = {ticker: make.make_instrument(ticker) for ticker in TICKERS}
        self.model = Model(FIRST)
        self.now = START
        self._record()
        for number, day in enumerate([self.model.before(FIRST), *self.model.sessions(FIRST)]):
            self._enter_closes(day, Decimal(10 + number))
        self._pass()
        self.book(bookings)
        if is_settled:
            self.settle()

    def _record(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('eqtrade.recorded_at', %s, false)", [str(self.now)])

    def _pass(self, seconds: int = 1) -> None:
        """Let time pass. A new business date finds the closes of all sessions before it."""
        self.now += timedelta(seconds=seconds)
        self._record()
        for day in self.model.sessions(self.model.before(self.today), FIRST):
            if any((ticker, day) not in self.model.closes for ticker in TICKERS):
                self._enter_closes(day, Decimal(day.day))

    @property
    def today(self) -> date:
        return self.model.business_date(self.now)

    def _enter_closes(self, day: date, price: Decimal) -> None:
        self._load_closes({t: price + 20 * n for n, t in enumerate(TICKERS)}, day)
        CloseRun.objects.create(
            session=day, source="simulated", state="complete", settled_at=self.now
        )

    def _load_closes(self, closes: dict[str, Decimal], day: date) -> None:
        lines = [f"{ticker},{day},{price}" for ticker, price in closes.items()]
        closes_load(lines=["ticker,session,close", *lines], now=self.now)
        self.model.closes |= {(ticker, day): price for ticker, price in closes.items()}

    def _day(self, back: int) -> date:
        days = self.model.sessions(self.today)
        return days[-1 - min(back, len(days) - 1)]

    def _trade(self, number: int) -> Trade:
        return Trade.objects.order_by("id")[number % len(self.model.trades)]

    # --- what people do -------------------------------------------------------------------------

    @rule(bookings=st.lists(asked, min_size=1, max_size=4))
    def book(self, bookings: list[Asked]) -> None:
        for account, ticker, quantity, price, back, ago, fee in bookings:
            self._pass()
            day, executed = self._day(back), self.now - timedelta(minutes=ago)
            booking = Booking(
                account, ticker, side_of(quantity), abs(quantity), price, day, executed,
                note="" if price else "Given away", price_zero=not price, fees=fees_of(fee),
            )  # fmt: skip
            trade = trade_book(user=self.user, booking=booking, now=self.now).trade
            terms = Terms(account, ticker, quantity, price, day, executed, fee or Decimal(0))
            self.model.trades[trade.pk] = [(self.now, terms)]

    @rule(
        n=nth, a=st.none() | accounts, t=st.none() | tickers, q=st.none() | quantities,
        p=st.none() | paid, back=st.none() | days_back, f=fees,
    )  # fmt: skip
    def amend(
        self, n: int, a: str | None, t: str | None, q: Decimal | None, p: Decimal | None,
        back: int | None, f: Decimal | None,
    ) -> None:  # fmt: skip
        self._pass()
        trade = self._trade(n)
        old = self.model.trades[trade.pk][-1][1]
        if old is None:
            return
        day = None if back is None else self._day(back)
        new = Terms(
            a or old.account, t or old.ticker, q or old.quantity, old.price if p is None else p,
            day or old.trade_date, old.executed_at, old.fee if f is None else f,
        )  # fmt: skip
        correction.trade_amend(
            user=self.user, trade_id=trade.pk, version=trade.version, reason=REASON, now=self.now,
            terms=Amendment(
                account=a, ticker=t, side=None if q is None else side_of(q),
                quantity=q and abs(q), price=p, trade_date=day, note=f"at {self.now}",
                price_zero=p == 0, fees=None if f is None else fees_of(f),
            ),
        )  # fmt: skip
        self.model.trades[trade.pk].append((self.now, new))

    @rule(n=nth)
    def cancel(self, n: int) -> None:
        self._pass()
        trade = self._trade(n)
        if self.model.trades[trade.pk][-1][1] is None:
            return
        correction.trade_cancel(
            user=self.user, trade_id=trade.pk, version=trade.version, reason=REASON, now=self.now
        )
        self.model.trades[trade.pk].append((self.now, None))

    @rule(t=tickers, p=prices)
    def tick(self, t: str, p: Decimal) -> None:
        self._pass()
        quotes_keep("simulated", [self.instruments[t]], [SourceQuote(t, p, self.now)])
        self.model.quotes[t] = p, self.now

    # --- what time does -------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 3, 7, 16, 24, 40]))
    def wait(self, hours: int) -> None:
        if (self.now + timedelta(hours=hours)).date() < LAST:
            self._pass(hours * 3600)

    @rule(p=prices)
    def close(self, p: Decimal) -> None:
        self._pass()
        if self.now >= self.model.end(self.today) and ("IBM", self.today) not in self.model.closes:
            self._enter_closes(self.today, p)

    @rule(t=tickers, back=st.sampled_from([0, 1, 1, 2, 2, 3]), p=prices)
    def change_a_close(self, t: str, back: int, p: Decimal) -> None:
        self._pass()
        if (t, day := self._day(back)) in self.model.closes:
            self._load_closes({t: p}, day)

    @rule(is_closed=st.booleans())
    def change_the_next_session(self, is_closed: bool) -> None:
        day = self.today + timedelta(days=1)
        if self.model.is_session(day) and day not in self.model.early and self.now.date() < day:
            how: dict[str, Any] = {"is_closed": True} if is_closed else {"early_close": time(13)}
            SessionOverride.objects.create(date=day, reason="told so", **how)
            (self.model.closed if is_closed else self.model.early).add(day)

    # --- what the machinery does ----------------------------------------------------------------

    def _drain(self, projection: Any, **how: Any) -> None:
        for shard in self._shards():
            drain(projection, shard, patience=0, **how)

    def _shards(self) -> list[int]:
        return sorted({a.pk % LEDGER_SHARDS for a in self.accounts.values()})

    @rule(reader=readers)
    def read_a_round(self, reader: str) -> None:
        assert not round_read(READERS[reader], self._shards()).behind
        assert verify() == []

    @rule(turns=st.lists(st.tuples(readers, st.integers(1, 3)), min_size=2, max_size=6))
    def read_a_little(self, turns: list[tuple[str, int]]) -> None:
        for reader, size in turns:
            self._drain(READERS[reader], batch_entries=size, max_batches=1)
        assert verify() == []

    @rule(reader=readers, in_a_round=st.booleans())
    def die_while_reading(self, reader: str, in_a_round: bool) -> None:
        dying = Dying(READERS[reader])
        try:
            if in_a_round:
                round_read(dying, self._shards())
            else:
                self._drain(dying)
        except Dies:
            connection.close()
            self._record()

    @rule(reader=readers)
    def compute_anew(self, reader: str) -> None:
        done = rebuild(READERS[reader])
        assert sum(s.result.written + s.result.removed for s in done) == 0

    @rule()
    def settle(self) -> None:
        """The work of the minute: snapshots, P&L kept and restated, whenever it gets its turn."""
        self._drain(ACTIVITY)
        snapshots_work(now=self.now, patience=0)
        daily_finalize(now=self.now)
        assert restate_work(now=self.now, seconds=60) is Turn.DONE
        self.model.take_snapshots(self.now)

    # --- what is seen ---------------------------------------------------------------------------

    @rule(n=nth)
    def look(self, n: int) -> None:
        for projection in READERS.values():
            self._drain(projection)
        assert restate_work(now=self.now, seconds=60) is Turn.DONE
        assert verify() == []
        moments = sorted(at for trade in self.model.trades.values() for at, _ in trade)
        codes = {account.pk: code for code, account in self.accounts.items()}
        with clock_set(self.now):
            look_at_positions(self.model, codes, self.now, known=moments[n % len(moments)])
            look_at_pnl(self.model, codes, self.now)
        look_at_snapshots(self.model)

    def teardown(self) -> None:
        if hasattr(self, "model"):
            self.settle()
            self.look(0)
        connection.close()


@pytest.mark.timeout(900)  # a failure is made small first
def test_every_number_is_that_of_the_plain_model(committed_db: PostgresServer) -> None:
    Desk.cluster = committed_db
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=int(os.environ.get("DESK_EXAMPLES", "12")),
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
        ),
    )
