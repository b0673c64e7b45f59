"""What the hub reads and sends is what the REST API answers, field for field."""

import json
from decimal import Decimal
from typing import Any

import pytest

from blotter.live import board_rows
from blotter.live.boards import Boards
from blotter.live.composing import Composer, View
from blotter.live.kinds import KINDS
from blotter.live.pulse import read_pulse
from blotter.live.unread import Unread
from blotter.rows import price_age
from kernel import clock
from pnl.models import DailyActivity, Holding
from positions.models import Position
from tests import factories as make
from tests.blotter.conftest import NOW, TUESDAY, WEDNESDAY, Blotter

Rows = list[dict[str, Any]]


def rest(blotter: Blotter, path: str) -> Rows:
    found: Rows = make.client_of(blotter.user).get(f"/api/v1/{path}").json()["results"]
    return found


def read(boards: Boards) -> None:
    """Read what is unread of every board, and prices."""
    wanted = []
    for board in boards.by_account.values():
        taken, board.unread = board.unread, Unread()
        wanted.append(board_rows.Wanted(board.account, board.code, board.depth, taken))
    found = board_rows.read_accounts(wanted, boards.names)
    boards.take_over(found.moment, found.accounts)
    if boards.prices.unread:
        taken, boards.prices.unread = boards.prices.unread, Unread()
        found = board_rows.read_prices(taken)
        boards.take_over(found.moment, found.accounts, found.prices)


def held(blotter: Blotter, quantity: str) -> None:
    """As the ledger's readers leave it: bought today at 41."""
    key: dict[str, Any] = {"account": blotter.account, "instrument": blotter.ibm}
    amount = Decimal(quantity)
    Position.objects.update_or_create(
        **key, defaults={"quantity": amount, "last_entry": 1, "updated_at": NOW}
    )
    Holding.objects.update_or_create(**key, defaults={"quantity": amount, "last_entry": 1})
    traded = {"quantity": amount, "notional": amount * 41, "trades": 1}
    DailyActivity.objects.update_or_create(**key, trade_date=WEDNESDAY, defaults=traded)


@pytest.fixture
def boards(blotter: Blotter) -> Boards:
    for day, close in ((TUESDAY, "43"), (WEDNESDAY.replace(day=16), "42.5")):
        make.make_close(blotter.ibm, day, close)
    make.make_quote(blotter.ibm, "44.25", NOW)
    blotter.trade("10", "41", WEDNESDAY)
    held(blotter, "10")
    made = Boards(KINDS)
    pulse = read_pulse()
    made.named(pulse.names())
    made.roll(pulse.today.business_date, pulse.today.now)
    made.price_source = pulse.today.price_source
    made.add(blotter.account.pk, blotter.account.code)
    return made


def snapshot(boards: Boards, blotter: Blotter) -> dict[str, Any]:
    view = View((blotter.account.pk,), 100, None)
    boards.prices.watch(1)
    read(boards)
    composer = Composer(boards, price_age)
    assert composer.ready(view)
    found: dict[str, Any] = json.loads(b"{" + composer.snapshot(view, clock.now()).body)
    return found


def test_a_snapshot_is_what_rest_answers(blotter: Blotter, boards: Boards) -> None:
    told = snapshot(boards, blotter)
    assert told["business_date"] == "2026-03-18"
    assert told["positions"] == rest(blotter, "positions/")
    assert [row["quantity"] for row in told["positions"]] == ["10"]
    assert told["trades"] == rest(blotter, "trades/")
    assert told["prices"] == rest(blotter, "prices/")
    assert told["totals"] == rest(blotter, "pnl/?by=account")
    assert told["trades_total"] == {"Test1": 1}


def test_an_update_is_what_rest_answers(blotter: Blotter, boards: Boards) -> None:
    snapshot(boards, blotter)
    before = boards.version
    blotter.trade("5", "41", WEDNESDAY)
    held(blotter, "15")
    newest = rest(blotter, "trades/")[0]
    board = boards.by_account[blotter.account.pk]
    board.unread.keys({blotter.ibm.pk}, {newest["id"]})
    read(boards)
    view = View((blotter.account.pk,), 100, None)
    text = Composer(boards, price_age).update(view, before, "", clock.now())
    assert text is not None
    told = json.loads(b"{" + text.body)
    assert told["trades"] == [newest]
    assert told["trades_total"] == {"Test1": 2}
    assert told["positions"] == rest(blotter, "positions/")
    assert told["totals"] == rest(blotter, "pnl/?by=account")


def test_a_key_and_a_trade_that_are_no_more_are_asked_for(blotter: Blotter, boards: Boards) -> None:
    snapshot(boards, blotter)
    board = boards.by_account[blotter.account.pk]
    (trade,) = rest(blotter, "trades/")
    board.unread.keys({blotter.xom.pk}, {"019cfb3c-1000-7000-8000-000000000001"})
    taken, board.unread = board.unread, Unread()
    found = board_rows.read_accounts(
        [board_rows.Wanted(board.account, board.code, board.depth, taken)], boards.names
    )
    (one,) = found.accounts
    assert one.asked["positions"] == {"XOM"}
    assert "positions" not in one.rows
    assert one.trades == {}
    assert one.asked_trades == {"019cfb3c-1000-7000-8000-000000000001"}
    assert trade["id"] in board.trades
