"""Rows that the API's documentation shows."""

from decimal import Decimal

from drf_spectacular.utils import OpenApiExample

from blotter.rows.figures import figure_texts
from kernel.pnl import Figures

_FIGURES = {
    **figure_texts(Figures(Decimal(300), Decimal(-50), Decimal(0), Decimal("1.5"))),
    "correction_pnl": "0",
    "is_final": True,
    "pnl_valid": True,
    "pnl_reason": None,
    "invalid_rows": 0,
    "calculated_at": "2026-03-18T20:17:04Z",
    "restated_at": None,
}

EXAMPLE_BY_ACCOUNT = OpenApiExample(
    "By account",
    value={"session": "2026-03-18", "account": "Test2", "currency": "USD", **_FIGURES},
    response_only=True,
)

EXAMPLE_BY_TICKER = OpenApiExample(
    "By ticker: 100 held at the open, 150 sold at 52",
    value={
        "session": "2026-03-18",
        "account": "Test2",
        "ticker": "IBM",
        "currency": "USD",
        "opening_quantity": "100",
        "closing_quantity": "-50",
        "previous_close": "50",
        "previous_close_as_traded": "50",
        "mark": "51",
        "actions": [],
        **_FIGURES,
    },
    response_only=True,
)

EXAMPLE_POSITION = OpenApiExample(
    "Bought 10 and 90 at 10.00 today",
    value={
        "account": "Test2",
        "ticker": "IBM",
        "session": "2026-03-18",
        "currency": "USD",
        "quantity": "100",
        "average_cost": "10",
        "price": "144.07",
        "price_as_of": "2026-03-18T15:04:05Z",
        "mark_source": "quote",
        "price_source": "simulated",
        "previous_close": "143.33",
        "previous_close_as_traded": "143.33",
        "market_value": "14407",
        **figure_texts(Figures(Decimal(13333), Decimal(74), Decimal(0), Decimal(2))),
        "realized_pnl": "0",
        "unrealized_pnl": "13407",
        "income": "0",
        "actions": [],
        "pnl_valid": True,
        "pnl_reason": None,
        "updated_at": "2026-03-18T15:03:58.120000Z",
    },
    response_only=True,
)
