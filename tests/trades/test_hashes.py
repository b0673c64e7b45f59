"""Hashes of what was sent stand in the database: those of earlier bookings stay what they were."""

from typing import Any

import pytest

from trades.bookings import batch_hash, booking_of, terms_hash
from trades.terms import Booking

# Written down before quantities and prices had 10 decimals.
WRITTEN: list[tuple[dict[str, Any], str]] = [
    (
        {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "10", "price": "143.50"},
        "fa6cf034e6733ed1ca00486a9a7a3143d395116f4c0356b482fe23c7df186adf",
    ),
    (
        {
            "account": "Test1", "ticker": "IBM", "side": "buy", "quantity": 10, "price": "143.5",
            "note": "",
        },
        "3ca2de6b062408f1de750348763ace9269aac344722db9502c560ae51f2f3790",
    ),
    (
        {
            "account": "Test2", "ticker": "AAPL", "side": "sell", "quantity": "2.500000",
            "price": "0.000001", "trade_date": "2026-03-16",
            "executed_at": "2026-03-16T15:00:00+01:00", "client_trade_id": "desk-1",
            "note": "By telephone ä",
        },
        "19906baad2715dc63f786106b2b78e413fafbd4951fd0c59c88726a898da2c1a",
    ),
    (
        {
            "account": "Test4", "ticker": "BRK.B", "side": "sell", "quantity": "1000000000",
            "price": "1000000000", "trade_date": None,
        },
        "92043d837faa4ad825c2c1d18c0118b68019117ca21b6465a2bfa4bebf395e35",
    ),
]  # fmt: skip
ALL_OF_THEM = "f22e545e2a6668ad4f85f8bee51392076eb3b730ed7f1175863f05774806ac7f"
FROM_TEXT = "20f0de981a8c36c20ecf63bfb23e65a1664cdfe04eba511d2e01401bb7738fdf"


def read(given: dict[str, Any], *, is_text: bool = False) -> Booking:
    found = booking_of(given, is_text=is_text)
    assert isinstance(found, Booking)
    return found


@pytest.mark.parametrize(("given", "was"), WRITTEN)
def test_a_booking_has_the_hash_that_it_had(given: dict[str, Any], was: str) -> None:
    assert terms_hash(read(given)) == was


def test_so_has_a_batch_and_a_row_of_a_file() -> None:
    assert batch_hash(read(given) for given, _ in WRITTEN) == ALL_OF_THEM
    row = {
        "account": "Test1", "ticker": "IBM", "side": "BUY", "quantity": "10", "price": "1",
        "executed_at": "2026-03-16 15:00",
    }  # fmt: skip
    assert terms_hash(read(row, is_text=True)) == FROM_TEXT
