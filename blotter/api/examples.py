"""Rows that the API's documentation shows."""

from drf_spectacular.utils import OpenApiExample

_FIGURES = {
    "trade_pnl": "300",
    "position_pnl": "-50",
    "total_pnl": "250",
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
    value={"session": "2026-03-18", "account": "Test2", **_FIGURES},
    response_only=True,
)

EXAMPLE_BY_TICKER = OpenApiExample(
    "By ticker: 100 held at the open, 150 sold at 52",
    value={
        "session": "2026-03-18",
        "account": "Test2",
        "ticker": "IBM",
        "opening_quantity": "100",
        "closing_quantity": "-50",
        "previous_close": "50",
        "mark": "51",
        **_FIGURES,
    },
    response_only=True,
)
