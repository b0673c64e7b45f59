"""Fills on their way out of the database: whole numbers of 8 bytes, and those that need more."""

from decimal import Decimal

import pytest
from django.db import connection

from pnl.cost.fills import MissingVersion, folded, numbers

FAR_AND_NEAR = [
    "0.0000000001", "-0.0000000001", "1", "-123456.789", "899999999.9999999999", "900000000",
    "-900000000", "900000000.0000000001", "-900000000.0000000001", "922337203.6854775808",
    "-922337203.6854775808", "1000000000", "-1000000000", "5000000000.0000000001",
]  # fmt: skip


@pytest.mark.parametrize("price", ["0", "0.0000000001", "70.32", "999999999.9999999999", None])
def test_numbers_near_and_far_from_zero_come_as_they_are(db: None, price: str | None) -> None:
    rows = ", ".join(
        f"(1, 1, date '2026-03-18', now(), {n}, {price or 'NULL'}::numeric, {quantity}, {n} - 3)"
        for n, quantity in enumerate(FAR_AND_NEAR)
    )
    names = "account_id, instrument_id, trade_date, executed_at, trade_id, price, quantity, fees"
    with connection.cursor() as cursor:
        cursor.execute(folded(f"SELECT * FROM (VALUES {rows}) r ({names})"))
        *_, count, fills = cursor.fetchone()
    if price is None:
        with pytest.raises(MissingVersion):
            numbers(fills, count)
        return
    found = [Decimal(n).scaleb(-10) for n in numbers(fills, count)]
    assert found == [
        number
        for n, q in enumerate(FAR_AND_NEAR)
        for number in (Decimal(q), Decimal(price), Decimal(n - 3))
    ]


def test_a_missing_price_shows_although_a_far_number_takes_its_room(db: None) -> None:
    """Seven words for the one beside three for the other: more than two fills have."""
    with connection.cursor() as cursor:
        cursor.execute(
            folded(
                "SELECT * FROM (VALUES (1, 1, date '2026-03-18', now(), 1, 7::numeric, 1000000000,"
                " 2e9), (1, 1, date '2026-03-18', now(), 2, NULL, 1, 0)) r (account_id,"
                " instrument_id, trade_date, executed_at, trade_id, price, quantity, fees)"
            )
        )
        *_, count, fills = cursor.fetchone()
    assert (count, len(fills)) == (2, 56)
    with pytest.raises(MissingVersion, match="2 fills, 1"):
        numbers(fills, count)
