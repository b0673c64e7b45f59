"""A book over several sessions, traded, corrected and read for real."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from accounts.models import Account
from eqtrade.up.postgres import PostgresServer
from kernel.clock import clock_set
from pnl.activity.projection import ACTIVITY
from pnl.daily.finalize import daily_finalize
from pnl.daily.restate import Turn, restate_work
from positions.projection import POSITIONS
from prices.closes.write import closes_load
from prices.models import CloseRun, Instrument
from tests import factories as make
from trades.ledger.multi_shard_batch import round_read
from trades.models import LEDGER_SHARDS, Trade
from trades.services.correction import trade_amend, trade_cancel
from trades.terms import Amendment

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 3, day) for day in range(16, 21))
FIGURES = ("trade_pnl", "position_pnl", "total_pnl")


def at(day: date, hour: int = 15, minute: int = 0) -> datetime:
    """A time in UTC; the exchange is open from 13:30 to 20:00 in these weeks."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


@contextmanager
def recorded(moment: datetime) -> Iterator[None]:
    """What is written within is recorded at that moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('eqtrade.recorded_at', %s, false)", [str(moment)])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET eqtrade.recorded_at")


def settle(*days: date) -> None:
    """The closes of these sessions are complete."""
    for day in days:
        CloseRun.objects.create(
            session=day, source="simulated", state="complete", settled_at=at(day, 21)
        )


class Days:
    """One user, one account and one instrument to begin with; times are of recording."""

    def __init__(self, code: str = "Test1", ticker: str = "IBM") -> None:
        self.user: User = make.make_user(f"user-{code}", is_superuser=True)
        self.account: Account = make.make_account(code)
        self.ibm: Instrument = make.make_instrument(ticker)

    def trade(
        self,
        quantity: str,
        price: str,
        day: date,
        *,
        when: datetime | None = None,
        instrument: Instrument | None = None,
        account: Account | None = None,
        **more: Any,
    ) -> Trade:
        moment = when or at(day)
        with recorded(moment), transaction.atomic():
            trade = make.make_trade(
                self.user, account or self.account, instrument or self.ibm, quantity, price,
                trade_date=day, at=moment, **more,
            )  # fmt: skip
        self.read()
        return trade

    def amend(self, trade: Trade, when: datetime, **terms: Any) -> None:
        trade.refresh_from_db()
        with recorded(when):
            trade_amend(
                user=self.user, trade_id=trade.pk, version=trade.version, reason="was wrong",
                terms=Amendment(**terms), now=when,
            )  # fmt: skip
        self.read()

    def cancel(self, trade: Trade, when: datetime) -> None:
        trade.refresh_from_db()
        with recorded(when):
            trade_cancel(
                user=self.user, trade_id=trade.pk, version=trade.version, reason="a double",
                now=when,
            )  # fmt: skip
        self.read()

    def close(self, day: date, price: str, instrument: Instrument | None = None) -> None:
        """Load a close by hand, as an operator does."""
        ticker = (instrument or self.ibm).ticker
        lines = ["ticker,session,close", f"{ticker},{day},{price}"]
        closes_load(lines=lines, now=at(day, 23))

    def keep(self, now: datetime) -> None:
        """What the minute's task does: calculate what is settled, restate what was asked for."""
        daily_finalize(now=now)
        assert restate_work(now=now, seconds=60) is Turn.DONE

    def read(self) -> None:
        for projection in (POSITIONS, ACTIVITY):
            assert not round_read(projection, range(LEDGER_SHARDS)).behind

    def pnl(self, now: datetime, **query: Any) -> list[dict[str, Any]]:
        """Rows of GET pnl/ at that moment."""
        with clock_set(now):
            answer = make.client_of(self.user).get("/api/v1/pnl/", query)
        assert answer.status_code == 200, answer.content
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    def figures(self, now: datetime, **query: Any) -> list[tuple[Decimal | None, ...]]:
        """(trade, position, total) P&L of each row."""
        return [
            tuple(None if row[name] is None else Decimal(row[name]) for name in FIGURES)
            for row in self.pnl(now, **query)
        ]


@pytest.fixture
def days(committed_db: PostgresServer) -> Days:
    return Days()
