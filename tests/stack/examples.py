"""The worked examples: expected values as data, set up on a running stack."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.stack.client import Row
from tests.stack.running import RunningStack

FILE = Path(__file__).parents[1] / "worked_examples" / "examples.json"


@dataclass(frozen=True)
class Example:
    """Prices, trades, and every figure that they must come to."""

    name: str
    source: str
    closes: dict[str, str]
    live: dict[str, str]
    held: list[Row]
    trades: list[Row]
    positions: list[Row]
    total: Row

    def book(self, stack: RunningStack, account: str) -> list[Row]:
        """Book what is held from before and the trades of the session; these as answered."""
        trader = stack.client("trader")
        day, before = business_date(stack), previous_session(stack)
        for trade in self.held:
            trader.book(account, **_terms(trade), trade_date=before)
        return [trader.book(account, **_terms(t), trade_date=day) for t in self.trades]

    @contextmanager
    def priced(self, stack: RunningStack) -> Iterator[None]:
        """Previous closes by hand, and live prices that beat the ticks until the end."""
        staff = stack.client("middleoffice")
        load_closes(stack, self.closes, previous_session(stack))
        overrides = [staff.override(ticker, price) for ticker, price in self.live.items()]
        try:
            yield
        finally:
            for override in overrides:
                staff.end_override(override)


def examples() -> list[Example]:
    return [Example(**one) for one in json.loads(FILE.read_text())]


def business_date(stack: RunningStack) -> str:
    rows = stack.client("ops").rows("pnl/", by="account")
    return str(rows[0]["session"])


def previous_session(stack: RunningStack) -> str:
    """The session before the business date, as the closes show it."""
    day = business_date(stack)
    closes = stack.client("ops").rows("prices/closes/", ticker="MSFT")
    return str(max(close["session"] for close in closes if close["session"] < day))


def load_closes(stack: RunningStack, closes: dict[str, str], session: str) -> None:
    with TemporaryDirectory() as place:
        file = Path(place) / "closes.csv"
        lines = [f"{ticker},{session},{close}" for ticker, close in closes.items()]
        file.write_text("\n".join(["ticker,session,close", *lines]))
        stack.manage("load_closes", str(file))


def _terms(trade: Row) -> dict[str, str]:
    return {name: trade[name] for name in ("ticker", "side", "quantity", "price")}
