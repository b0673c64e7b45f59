"""A desk that a Yahoo on loopback tells wrong prices. 10 CCI are held since before; a dollar is
10.00."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from eqtrade.system import system_state
from kernel.clock import clock_set
from pnl.models import DailyPnl
from prices.closes.fetch import closes_work
from prices.doubts.decide import doubts_decide
from prices.models import Close, CloseDoubt
from prices.quotes.refresh import quotes_refresh
from prices.sessions.calendar import published_calendar
from tests import factories as make
from tests.pnl.conftest import Days
from tests.yahoo.market import Market
from tests.yahoo.server import YahooServer

# 2026-11-26 is Thanksgiving. The exchange is open from 14:30 to 21:00 UTC.
THURSDAY, FRIDAY, MONDAY, TUESDAY, WEDNESDAY = (date(2026, 11, day) for day in (19, 20, 23, 24, 25))
OPEN, LAST_MINUTE, END = (15, 0), (20, 59), (21, 1)
MORNING = (13, 1)  # 08:01 in New York
LATE = 4, 51  # 23:51 in New York, by UTC's clock on the next day


class Story(Days):
    """Closes 1185, 1190, 1190 and 1200 are recorded, the last of them Monday's; it is Monday
    evening. Prices are as Yahoo has them at `level`."""

    def __init__(self, server: YahooServer) -> None:
        super().__init__("Test3", "CCI")
        self.now = datetime(2026, 11, 18, 21, 1, tzinfo=UTC)
        self.level = 1185.0
        calendar = published_calendar()
        days = {d: calendar.get(d) for d in calendar.between(date(2026, 11, 2), date(2026, 12, 8))}
        self.market = Market(
            ["CCI"], {d: s for d, s in days.items() if s}, lambda: self.now, lambda *_: self.level
        )
        server.market = self.market
        self.ibm.indices = ["S&P 500"]
        self.ibm.save()
        for number, close in ((18, 1185), (19, 1190), (20, 1190), (23, 1200)):
            self.market.closes["CCI", date(2026, 11, number)] = close
        for day in days:
            if day < date(2026, 11, 18):
                self.market.closes["CCI", day] = 1185
        self.end_of(date(2026, 11, 18))
        self.to(THURSDAY, OPEN)
        self.trade("10", "1180", THURSDAY)
        for day in (THURSDAY, FRIDAY, MONDAY):
            self.level = self.market.closes["CCI", day]
            self.end_of(day)

    def to(self, day: date, time: tuple[int, int]) -> None:
        self.now = datetime(day.year, day.month, day.day, *time, tzinfo=UTC)

    def quote(self, level: float, day: date, time: tuple[int, int] = OPEN) -> None:
        """Yahoo quotes this level, and the minute's refresh asks."""
        self.level = level
        self.to(day, time)
        quotes_refresh(now=self.now)

    def end_of(self, day: date, close: float | None = None) -> None:
        """The session ends; beat asks for its closes, and keeps P&L."""
        if close is not None:
            self.market.closes["CCI", day] = close
        self.to(day, END)
        self.work()

    def work(self) -> None:
        closes_work(now=self.now)
        self.keep(self.now)

    def late(self, day: date) -> None:
        """23:51 New York: the last retry."""
        for minutes in range(0, 60, 10):
            self.to(day, (21, minutes + 1))
            self.work()
        self.to(day + timedelta(days=1), LATE)
        self.work()

    def row(self) -> tuple[Decimal | None, Decimal, bool, str | None]:
        """Mark, position P&L, validity and reason of the business date."""
        with clock_set(self.now):
            answer = make.client_of(self.user).get("/api/v1/positions/", {"account": "Test3"})
        (row,) = answer.json()["results"]
        with clock_set(self.now):
            (total,) = self.pnl(self.now, account="Test3")
        assert (total["pnl_valid"], total["pnl_reason"]) == (row["pnl_valid"], row["pnl_reason"])
        assert total["invalid_rows"] == (not row["pnl_valid"])
        assert Decimal(total["total_pnl"]) == Decimal(row["total_pnl"])
        mark = None if row["price"] is None else Decimal(row["price"])
        return mark, Decimal(row["position_pnl"]), row["pnl_valid"], row["pnl_reason"]

    def stored(self, day: date) -> tuple[Decimal | None, bool, str | None, bool]:
        """Total P&L of a past session, whether it is final, why not, and whether restated."""
        row = DailyPnl.objects.get(session=day)
        total = None if row.position_pnl is None else (row.trade_pnl or 0) + row.position_pnl
        return total, row.is_final, row.pnl_reason, row.restated_at is not None

    def problems(self) -> list[str]:
        with clock_set(self.now):
            return [p for p in system_state()["problems"] if "Held back" in p or "left out" in p]

    def decide(self, *, release: bool, reason: str = "looked at") -> None:
        """A person selects all that is held, and decides."""
        held = list(CloseDoubt.objects.filter(state="held").values_list("pk", flat=True))
        doubts_decide(
            user=self.user, ids=held, release=release, reason=reason,
            now=self.now,
        )  # fmt: skip
        self.keep(self.now)

    def closes(self, day: date) -> list[Decimal]:
        """Everything that was ever recorded for a session."""
        found = Close.objects.filter(session=day, source="yahoo").order_by("id")
        return list(found.values_list("close", flat=True))

    def doubts(self) -> list[tuple[str, Decimal, Decimal, str]]:
        found = CloseDoubt.objects.order_by("id")
        return [(d.kind, d.price, d.compared_with, d.state) for d in found]


@pytest.fixture
def story(committed_db: object, yahoo_server: YahooServer, settings: Any) -> Iterator[Story]:
    settings.PRICE_SOURCE = "yahoo"
    settings.YAHOO_REQUESTS_PER_SECOND = 10_000
    yield Story(yahoo_server)
    yahoo_server.reset()


def divided(story: Story) -> None:
    """Yahoo divides history by ten, and says nothing of a split."""
    for key, close in list(story.market.closes.items()):
        story.market.closes[key] = close / 10
