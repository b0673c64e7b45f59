from decimal import Decimal, getcontext

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.money import (
    decimals_of,
    normalized,
    normalized_sql,
    parse_plain,
    plain,
    round_source_price,
)


@pytest.mark.parametrize(
    "text",
    ["", " 1 ", "1 ", "1_0", "1e3", "1E400", "NaN", "Infinity", "-Infinity", "+1", "0x10", "1,000",
     "１２", "٣", "1.2.3", ".", "-", "--1", "1\n", "1\x00", "9" * 41],
)  # fmt: skip
def test_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="plain"):
        parse_plain(text)


@pytest.mark.parametrize(
    ("text", "value"), [("12", "12"), ("-0.50", "-0.5"), (".5", "0.5"), ("1.", "1")]
)
def test_plain_numbers_are_read(text: str, value: str) -> None:
    assert parse_plain(text) == Decimal(value)


amounts = st.decimals(
    min_value=-(10**9), max_value=10**9, places=10, allow_nan=False, allow_infinity=False
)


@given(amounts)
def test_written_and_read_again_is_the_same(value: Decimal) -> None:
    assert parse_plain(plain(value)) == value
    assert parse_plain(normalized(value)) == value


@given(amounts)
def test_one_number_has_one_text(value: Decimal) -> None:
    assert normalized(value) == normalized(value * Decimal("1.000"))
    assert "E" not in normalized(value)


@pytest.mark.django_db
@settings(max_examples=30)
@given(st.lists(amounts, max_size=50))
def test_sql_writes_the_same_text(values: list[Decimal]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {normalized_sql('v')} FROM unnest(%s::numeric[]) v", [values])
        assert [text for (text,) in cursor.fetchall()] == [normalized(value) for value in values]


def test_zero_has_no_sign_and_hundreds_no_exponent() -> None:
    assert normalized(Decimal("-0.00")) == "0"
    assert normalized(Decimal("1E+2")) == "100"
    assert normalized(Decimal("100")) == "100"


@pytest.mark.parametrize(
    ("text", "decimals"), [("1", 0), ("1.500000", 1), ("0.0000000001", 10), ("100", 0)]
)
def test_trailing_zeros_do_not_count(text: str, decimals: int) -> None:
    assert decimals_of(Decimal(text)) == decimals


@pytest.mark.parametrize(
    ("price", "rounded"),
    [
        (192.809999, "192.81"),
        (0.1 + 0.2, "0.3000"),
        (1.005, "1.00"),  # exactly between in text: half even
        (1.015, "1.02"),
        (0.99995, "1.0000"),
        (0.12345, "0.1234"),
    ],
)
def test_source_prices_are_rounded_half_even_on_entry(price: float, rounded: str) -> None:
    assert round_source_price(price) == Decimal(rounded)


def test_every_product_of_inputs_is_exact_under_the_context() -> None:
    """10^9 shares at 10^9, with 10 decimals each, summed over 10^20 entries, keep every digit."""
    assert getcontext().prec == 60
    largest = Decimal("999999999.9999999999") * Decimal("999999999.9999999999")
    total = largest * 10**20
    assert total / 10**20 == largest
