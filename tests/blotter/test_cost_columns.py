"""Average cost, realized and unrealized P&L on position rows: live, as of then, as known then."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Account
from eqtrade.up.postgres import PostgresServer
from kernel.clock import clock_set
from pnl.activity.projection import ACTIVITY
from pnl.cost.projection import COST
from positions.projection import POSITIONS
from prices.models import Instrument
from tests import factories as make
from tests.blotter.conftest import MONDAY, NOW, TUESDAY, WEDNESDAY, Blotter
from trades.ledger.shard_batch import drain
from trades.models import LEDGER_SHARDS, Quarantine, Trade
from trades.services.correction import trade_cancel

COLUMNS = ("quantity", "average_cost", "realized_pnl", "unrealized_pnl")


def costs(blotter: Blotter, **query: Any) -> list[tuple[Decimal | None, ...]]:
    answer = make.client_of(blotter.user).get("/api/v1/positions/", query)
    assert answer.status_code == 200, answer.content
    return [
        tuple(None if row[name] is None else Decimal(row[name]) for name in COLUMNS)
        for row in answer.json()["results"]
    ]


@pytest.fixture
def traded(blotter: Blotter) -> Blotter:
    """Bought 10 @ 40 on Monday, sold 4 @ 45 on Tuesday; on Wednesday it comes out that 10 more
    had been bought on Monday, at 30."""
    blotter.trade("10", "40", MONDAY, recorded="2026-03-16 15:00Z")
    blotter.trade("-4", "45", TUESDAY, recorded="2026-03-17 15:00Z")
    blotter.trade("10", "30", MONDAY, recorded="2026-03-18 15:00Z")
    for day, close in ((MONDAY, "42"), (TUESDAY, "43")):
        make.make_close(blotter.ibm, day, close)
    return blotter


def test_every_column_is_of_the_session_asked_for(traded: Blotter) -> None:
    assert costs(traded, as_of="2026-03-16") == [(20, 35, 0, 140)]
    assert costs(traded, as_of="2026-03-17") == [(16, 35, 40, 128)]


def test_what_was_not_known_yet_is_not_counted(traded: Blotter) -> None:
    known = {"known_at": "2026-03-17T20:00:00Z"}
    assert costs(traded, as_of="2026-03-16", **known) == [(10, 40, 0, 20)]
    assert costs(traded, as_of="2026-03-17", **known) == [(6, 40, 20, 18)]


def test_without_a_mark_only_unrealized_is_unknown(traded: Blotter) -> None:
    with clock_set(NOW.replace(day=20)):
        assert costs(traded, as_of="2026-03-18") == [(16, 35, 40, None)]


def test_a_flat_row_has_realized_what_it_earned(traded: Blotter) -> None:
    traded.trade("-16", "36", WEDNESDAY, recorded="2026-03-18 15:30Z")
    known = {"known_at": "2026-03-18T15:45:00Z"}
    assert costs(traded, **known) == [(0, None, 56, 0)]


def test_a_key_whose_trades_are_all_cancelled_cost_nothing(traded: Blotter) -> None:
    root = make.make_user("root", is_superuser=True)
    for trade in Trade.objects.all():
        trade_cancel(user=root, trade_id=trade.pk, version=1, reason="never done", now=NOW)
    for query in ({"as_of": "2026-03-17"}, {"known_at": "2099-01-01T00:00:00Z"}):
        assert costs(traded, include_flat="true", **query) == [(0, None, 0, 0)]


# --- live ----------------------------------------------------------------------------------------


class Live:
    """The same for what is committed and read by the real readers."""

    def __init__(self) -> None:
        self.user = make.make_user("trader")
        self.account: Account = make.make_account("Test1")
        make.entitle(self.user, self.account, book=True)
        self.ibm: Instrument = make.make_instrument("IBM")
        make.make_close(self.ibm, TUESDAY, "50")
        make.make_quote(self.ibm, "51", NOW)

    def trade(self, quantity: str, price: str, recorded: str = "") -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('eqtrade.recorded_at', %s, true)", [recorded])
            make.make_trade(
                self.user, self.account, self.ibm, quantity, price, trade_date=WEDNESDAY, at=NOW
            )

    def read(self, *projections: Any) -> None:
        for projection in projections:
            drain(projection, self.account.pk % LEDGER_SHARDS)

    def row(self, later: int = 0) -> dict[str, Any]:
        with clock_set(NOW + timedelta(seconds=later)):
            answer = make.client_of(self.user).get("/api/v1/positions/")
        (row,) = answer.json()["results"]
        return dict(row)

    def figures(self, later: int = 0) -> tuple[Decimal | None, ...]:
        row = self.row(later)
        return tuple(None if row[name] is None else Decimal(row[name]) for name in COLUMNS)


@pytest.fixture
def live(committed_db: PostgresServer) -> Live:
    return Live()


def test_live_rows_name_the_cost(live: Live) -> None:
    live.trade("3", "40")
    live.trade("-1", "45")
    live.read(POSITIONS, ACTIVITY, COST)
    assert live.figures() == (2, 40, 5, 22)
    row = live.row()
    net_paid = 3 * 40 - 45
    assert (
        Decimal(row["realized_pnl"]) + Decimal(row["unrealized_pnl"])
        == Decimal(row["market_value"]) - net_paid
    )


def test_cost_that_lags_is_never_mixed_with_newer_quantities(live: Live) -> None:
    """A moment behind, it is of the quantity it was of; longer, it is not shown at all."""
    live.trade("2", "40", "2026-03-18 15:00Z")
    live.read(POSITIONS, ACTIVITY, COST)
    live.trade("100", "51", "2026-03-18 16:00Z")
    live.read(POSITIONS, ACTIVITY)
    assert live.figures() == (102, 40, 0, 22)
    assert live.figures(later=6) == (102, None, None, None)
    assert live.row(later=6)["pnl_valid"] is True
    live.read(COST)
    assert live.figures(later=6)[2:] == (0, 22)


def test_cost_of_a_quarantined_account_is_not_shown(live: Live) -> None:
    live.trade("2", "40")
    live.read(POSITIONS, ACTIVITY, COST)
    Quarantine.objects.create(consumer="cost", account=live.account, entry_id=1, error="x")
    assert live.figures() == (2, None, None, None)
    assert live.row()["pnl_valid"] is True
