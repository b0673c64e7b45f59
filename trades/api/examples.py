"""Requests and answers about trades, for the API's documentation."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

TRADE: dict[str, Any] = {
    "id": "019c0f3e-7a52-7c31-9b7e-2f0d5c1a8e44",
    "account": "Test2",
    "ticker": "IBM",
    "side": "buy",
    "quantity": "10",
    "price": "143.5",
    "trade_date": "2026-01-30",
    "executed_at": "2026-01-30T15:04:05.123456Z",
    "executed_at_known": True,
    "booked_at": "2026-01-30T15:04:05.123456Z",
    "booked_by": "trader",
    "version": 1,
    "status": "booked",
    "request_group": None,
    "client_trade_id": "desk-1-000017",
    "note": "",
    "settlement_date": "2026-02-02",
    "strategy": "ALPHA",
    "counterparty": None,
    "order_id": None,
    "fees": [{"kind": "commission", "amount": "1"}],
    "net_amount": "1436",
    "tags": [],
    "trade_pnl": "-1.7",
    "pnl_valid": True,
}
AMENDED_TRADE = {
    **TRADE, "version": 2, "status": "amended", "quantity": "100", "net_amount": "14351",
    "trade_pnl": "-17",
}  # fmt: skip
VERSION: dict[str, Any] = {
    "version": 2,
    "status": "amended",
    "account": "Test2",
    "ticker": "IBM",
    "side": "buy",
    "quantity": "100",
    "price": "143.5",
    "trade_date": "2026-01-30",
    "executed_at": "2026-01-30T15:04:05.123456Z",
    "note": "",
    "settlement_date": "2026-02-02",
    "strategy": "ALPHA",
    "counterparty": None,
    "order_id": None,
    "fees": [{"kind": "commission", "amount": "1", "source": "entered"}],
    "executed_at_known": True,
    "actor": "middleoffice",
    "reason": "A zero was missing",
    "recorded_at": "2026-01-30T15:09:11.402113Z",
    "asked": [],
    "confirmed_by": None,
}

BOOKING = OpenApiExample(
    "Buy 10 IBM",
    value={
        "account": "Test2",
        "ticker": "IBM",
        "side": "buy",
        "quantity": "10",
        "price": "143.50",
        "client_trade_id": "desk-1-000017",
    },
    request_only=True,
)
BOOKING_IN_FULL = OpenApiExample(
    "With every field",
    value={
        "account": "Test2",
        "ticker": "IBM",
        "side": "sell",
        "quantity": "2.5",
        "price": "143.505",
        "trade_date": "2026-01-29",
        "executed_at": "2026-01-29T10:15:00-05:00",
        "client_trade_id": "desk-1-000018",
        "note": "By telephone, booked late",
        "settlement_date": "2026-01-30",
        "strategy": "ALPHA",
        "counterparty": "BROKER1",
        "order_id": "O-7",
        "fees": [{"kind": "commission", "amount": "1.25"}],
    },
    request_only=True,
)
BOOKED = OpenApiExample("A trade", value=TRADE, response_only=True, status_codes=["200", "201"])
AMENDMENT = OpenApiExample(
    "Another quantity",
    value={"version": 1, "reason": "A zero was missing", "quantity": "100"},
    request_only=True,
)
MOVE = OpenApiExample(
    "Into another account",
    value={"version": 1, "reason": "Booked in the wrong account", "account": "Test1"},
    request_only=True,
)
AMENDED = OpenApiExample(
    "As it is now", value=AMENDED_TRADE, response_only=True, status_codes=["200"]
)
CANCELLATION = OpenApiExample(
    "Never happened", value={"version": 2, "reason": "Booked twice"}, request_only=True
)
CANCELLED = OpenApiExample(
    "As it is now",
    value={**AMENDED_TRADE, "version": 3, "status": "cancelled", "trade_pnl": "0"},
    response_only=True,
    status_codes=["200"],
)
VERSION_MADE = OpenApiExample(
    "An amendment", value=VERSION, response_only=True, status_codes=["200"]
)
STALE = OpenApiExample(
    "Somebody else was first",
    value={
        "type": "client_error",
        "errors": [
            {
                "code": "stale_version",
                "detail": "The trade is at version 2: read it again.",
                "attr": None,
            }
        ],
    },
    response_only=True,
    status_codes=["409"],
)
