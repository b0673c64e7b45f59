"""A further kind of row needs its declaration, and nothing else of boards and messages."""

import json
from typing import Any

import orjson

from blotter.live.boards import Boards
from blotter.live.composing import Composer, View
from blotter.live.found import AccountFound, Moment
from blotter.live.kind import Kind
from blotter.live.kinds import KINDS
from blotter.rows import price_age
from tests.blotter.live_world import CODES, START, TODAY

SECTORS = Kind("sectors", lambda **_: [], key="sector")
ACCOUNT = 1
VIEW = View((ACCOUNT,), 0, frozenset())


def found(**worth: int) -> AccountFound:
    """A whole reading of an account that has nothing but these."""
    made = AccountFound(ACCOUNT, is_whole=True, asked_trades=None)
    made.asked |= {"positions": None, "sectors": None}
    for sector, value in worth.items():
        row = {"account": CODES[ACCOUNT], "sector": sector, "value": value}
        made.put(SECTORS.name, SECTORS.key_of(row), orjson.dumps(row))
    return made


def test_rows_of_a_further_kind_come_and_change_and_go() -> None:
    boards = Boards((*KINDS, SECTORS))
    boards.roll(TODAY, START)
    boards.add(ACCOUNT, CODES[ACCOUNT])
    composer, at = Composer(boards, price_age), Moment(START, TODAY, "simulated")
    boards.take_over(at, [found(oil=1, steel=2)])
    first = composer.snapshot(VIEW, START)
    snapshot: dict[str, Any] = json.loads(b"{" + first.body)
    assert {row["sector"]: row["value"] for row in snapshot["sectors"]} == {"oil": 1, "steel": 2}
    boards.take_over(at, [found(oil=3, chips=4)])
    second = composer.update(VIEW, first.version, first.floor, START)
    assert second is not None
    update: dict[str, Any] = json.loads(b"{" + second.body)
    assert {row["sector"]: row["value"] for row in update["sectors"]} == {"oil": 3, "chips": 4}
    assert update["removed"]["sectors"] == [{"account": "A", "sector": "steel"}]
    assert composer.update(VIEW, second.version, second.floor, START) is None
