"""The worked examples through the public interfaces only, to the cent."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.stack.client import Row
from tests.stack.eventually import eventually
from tests.stack.examples import Example, examples
from tests.stack.running import RunningStack

FIGURES = ("trade_pnl", "position_pnl", "total_pnl")
COST = ("average_cost", "realized_pnl", "unrealized_pnl")
EXAMPLES = examples()


class Case:
    """An example that was booked in an account of its own."""

    def __init__(self, stack: RunningStack, example: Example) -> None:
        self.stack, self.example = stack, example
        self.account = stack.desk()
        self.api = stack.client("trader")
        self.booked: list[Row] = []


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda example: example.name)
def case(stack: RunningStack, request: pytest.FixtureRequest) -> Iterator[Case]:
    made = Case(stack, request.param)
    with made.example.priced(stack):
        made.booked = made.example.book(stack, made.account)
        yield made


def figures(row: Row, *names: str) -> dict[str, Any]:
    """The named decimals by value, since trailing zeros may differ."""
    return {name: None if row[name] is None else Decimal(row[name]) for name in names}


def test_booked_examples_give_the_positions_of_the_reference(case: Case) -> None:
    expected = {
        row["ticker"]: {
            **figures(row, "quantity", *FIGURES, *COST),
            "price": Decimal(case.example.live[row["ticker"]]),
            "previous_close": Decimal(case.example.closes[row["ticker"]]),
            "mark_source": "override",
            "pnl_valid": True,
        }
        for row in case.example.positions
    }

    def look() -> None:
        found = {
            row["ticker"]: {
                **figures(row, "quantity", *FIGURES, *COST, "price", "previous_close"),
                "mark_source": row["mark_source"],
                "pnl_valid": row["pnl_valid"],
            }
            for row in case.api.rows("positions/", account=case.account)
        }
        assert found == expected

    eventually(look)


def test_booked_examples_give_the_pnl_by_ticker_of_the_reference(case: Case) -> None:
    expected = {
        row["ticker"]: {
            **figures(row, *FIGURES),
            "opening_quantity": Decimal(row["opening"]),
            "closing_quantity": Decimal(row["quantity"]),
        }
        for row in case.example.positions
    }

    def look() -> None:
        names = (*FIGURES, "opening_quantity", "closing_quantity")
        rows = case.api.rows("pnl/", account=case.account, by="ticker")
        assert {row["ticker"]: figures(row, *names) for row in rows} == expected

    eventually(look)


def test_booked_examples_give_the_account_total_of_the_reference(case: Case) -> None:
    def look() -> None:
        (row,) = case.api.rows("pnl/", account=case.account, by="account")
        assert figures(row, *FIGURES) == figures(case.example.total, *FIGURES)
        assert row["pnl_valid"]

    eventually(look)


def test_booked_trades_are_read_back_with_their_trade_pnl(case: Case) -> None:
    expected = [figures(t, "quantity", "price", "trade_pnl") for t in case.example.trades]
    assert [figures(t, "quantity", "price", "trade_pnl") for t in case.booked] == expected
    for trade in case.booked:
        assert case.api.get(f"trades/{trade['id']}/").json() == trade


def test_rows_of_the_websocket_equal_those_of_rest(case: Case) -> None:
    """The websocket's rows are those of REST, field for field."""
    with case.stack.live("trader", [case.account]) as live:

        def look() -> None:
            # Trades of an earlier date that were booked today are live rows, too.
            for kind, path in (("positions", "positions"), ("trades", "trades"), ("totals", "pnl")):
                rows = case.api.rows(f"{path}/", account=case.account)
                for row in rows:
                    row.pop("calculated_at", None)
                assert _sorted(live.rows(kind)) == _sorted(rows)
            (total,) = live.rows("totals")
            assert figures(total, *FIGURES) == figures(case.example.total, *FIGURES)

        eventually(look)


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: sorted(map(str, row.values())))
