"""The worked examples of docs/concepts/pnl.md, played as they stand there."""

import re
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from eqtrade.up.postgres import PostgresServer
from kernel.clock import NEW_YORK
from positions.models import PositionSnapshot
from positions.snapshots.take import snapshots_work
from prices.models import CARRIED, SessionOverride
from prices.sessions import sessions
from tests import factories as make
from tests.pnl.conftest import Days, at, recorded, settle
from trades.models import Trade

DOCUMENT = Path(__file__).parents[2] / "docs" / "concepts" / "pnl.md"
DAYS = {name: date(2026, 3, 16 + n) for n, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri"))}
NOW = at(DAYS["Fri"])
FIGURES = {"trade": "trade_pnl", "position": "position_pnl", "total": "total_pnl",
           "correction": "correction_pnl", "held": "closing_quantity"}  # fmt: skip
TRADE = re.compile(r"(buy|sell) (\S+) @ (\S+) on (\w+)(?: recorded (\w+) (\S+))?\Z")
CANCEL = re.compile(r"cancel (\d+) recorded (\w+) (\S+)\Z")


def examples() -> list[tuple[str, list[str]]]:
    """(the sentence before it, its lines) of each block."""
    text = DOCUMENT.read_text()
    found = re.findall(r"\n([^\n:]+):[^`]*```example\n(.*?)```", text, re.S)
    return [(title, block.strip().splitlines()) for title, block in found]


def test_there_are_as_many_as_blocks() -> None:
    assert len(examples()) == DOCUMENT.read_text().count("```example") >= 7


class Play:
    """One example: what happened, in the order in which it was recorded."""

    def __init__(self) -> None:
        self.days = Days()
        self.trades: list[Trade] = []
        self.closed: set[date] = set()

    def do(self, line: str) -> None:
        if match := TRADE.match(line):
            side, quantity, price, day, on, clock = match.groups()
            self.trades.append(
                self.days.trade(
                    quantity if side == "buy" else f"-{quantity}", price, DAYS[day],
                    when=_moment(on or day, clock or "11:00"),
                )
            )  # fmt: skip
        elif match := CANCEL.match(line):
            number, on, clock = match.groups()
            self.days.cancel(self.trades[int(number) - 1], _moment(on, clock))
        else:
            word, name, *price = line.split()
            if word == "half-day":
                SessionOverride.objects.create(
                    date=DAYS[name], early_close="13:00", reason="half day"
                )
                return
            self.closed.add(DAYS[name])
            if word == "carried":
                make.make_close(self.days.ibm, DAYS[name], price[0], source=CARRIED)
            else:
                assert word == "close", line
                self.days.close(DAYS[name], price[0])

    def evenings(self, lines: list[str]) -> None:
        """Do the lines; each session that is closed is kept and its snapshot taken at its evening,
        when everything that was recorded by then, and nothing later, is there."""
        for day in DAYS.values():
            evening = at(day, 22)
            for line in [each for each in lines if _recorded_by(each) <= evening]:
                self.do(line)
                lines.remove(line)
            if day in self.closed:
                settle(day)
            self.days.keep(evening)
            with recorded(evening):
                snapshots_work(now=evening, patience=0)
        assert lines == []

    def expect(self, line: str) -> None:
        name, *words = line.removeprefix("= ").split()
        day = DAYS[name]
        if words[0] == "snapshot":
            row = PositionSnapshot.objects.filter(session=day).first()
            assert str(row and row.quantity) == ("None" if words[1] == "none" else words[1]), line
            return
        query = {"from": str(day), "to": str(day), "by": "ticker"}
        rows = self.days.pnl(NOW, **query)
        if words == ["none"]:
            assert rows == [], line
            return
        # A session that went back to nothing has no row of the ticker, but one of the account.
        found: dict[str, Any] = (rows or self.days.pnl(NOW, **{**query, "by": "account"}))[0]
        found.setdefault("closing_quantity", "0")
        self._compare(found, words, line)

    def _compare(self, found: dict[str, Any], words: list[str], line: str) -> None:
        expected = iter(words)
        restated, reason = False, None
        for word in expected:
            if word in FIGURES:
                value = next(expected)
                wanted = None if value == "none" else Decimal(value)
                had = found[FIGURES[word]]
                assert (None if had is None else Decimal(had)) == wanted, f"{line}: {found}"
            elif word == "reason":
                reason = next(expected)
            elif word in ("final", "provisional"):
                assert found["is_final"] is (word == "final"), f"{line}: {found}"
            else:
                assert word == "restated", line
                restated = True
        assert found["pnl_reason"] == reason, f"{line}: {found}"
        if restated:
            assert found["restated_at"] is not None, line


def _moment(name: str, clock: str) -> datetime:
    return datetime.combine(DAYS[name], time.fromisoformat(clock), NEW_YORK)


def _recorded_by(line: str) -> datetime:
    """When a line happened: what says no time, on its day."""
    if match := re.search(r"recorded (\w+) (\S+)", line):
        return _moment(*match.groups())
    if line.startswith("half-day"):
        return at(DAYS["Mon"], 0)
    name = next(word for word in line.split() if word in DAYS)
    return _moment(name, "11:00") if "@" in line else at(DAYS[name], 21)


@pytest.mark.parametrize(
    ("title", "lines"), examples(), ids=lambda e: e if isinstance(e, str) else ""
)
def test_each_example_of_the_document_gives_its_figures(
    committed_db: PostgresServer, title: str, lines: list[str]
) -> None:
    play = Play()
    happened = [line for line in lines if not line.startswith("=")]
    play.evenings(sorted(happened, key=_recorded_by))
    for line in lines:
        if line.startswith("="):
            play.expect(line)


def test_half_days_end_at_one(committed_db: PostgresServer) -> None:
    Play().do("half-day Tue")
    assert sessions().session_of(DAYS["Tue"]).closes == _moment("Tue", "13:00")
