"""Whether a price is plausible beside another one, in Python and in SQL alike."""

from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prices.plausible import (
    far_from,
    far_off_sql,
    is_borne_out,
    is_far_off,
    is_jump,
    is_rewritten,
    is_same,
    split_like,
)

D = Decimal


@pytest.mark.parametrize(
    ("price", "recorded", "rewritten"),
    [
        ("119.99", "100", False), ("120", "100", True), ("80.01", "99", False),
        # 20% down exactly, and 5:4 give or take half a percent.
        ("80", "100", True), ("80.39", "100", True), ("80.41", "100", False),
        ("124.80", "499.23", True), ("100", "100", False), ("0.0001", "100", True),
    ],
)  # fmt: skip
def test_history_is_rewritten_by_a_fifth_or_a_split(
    price: str, recorded: str, rewritten: bool
) -> None:
    assert is_rewritten(D(price), D(recorded)) is rewritten


@pytest.mark.parametrize(
    ("price", "before", "split"),
    [
        ("120", "1200", "10:1"), ("124.8075", "499.23", "4:1"), ("1200", "120", "1:10"),
        ("80", "100", "5:4"), ("66.67", "100", "3:2"), ("125", "100", "4:5"),
        ("50.2", "100", "2:1"), ("50.4", "100", None), ("95", "100", None),
        ("4700", "100", "1:47"), ("10000", "100", None),  # pence, not a split
    ],
)  # fmt: skip
def test_the_split_that_would_explain_it(price: str, before: str, split: str | None) -> None:
    assert split_like(D(price), D(before)) == split


def test_a_jump_and_what_bears_it_out() -> None:
    assert [is_jump(D(p), D(100)) for p in ("80", "80.01", "119.99", "120")] == [
        True, False, False, True,
    ]  # fmt: skip
    quotes = ("95", "94.99", "105", "105.01")
    assert [is_borne_out(D(100), D(q)) for q in quotes] == [True, False, True, False]
    assert not is_borne_out(D(100), None)
    assert [is_far_off(D(p), D(100)) for p in ("50", "49.99", "150", "150.01")] == [
        False, True, False, True,
    ]  # fmt: skip
    assert [is_same(D(p), D(100)) for p in ("99.5", "99.49", "100.5")] == [True, False, True]


def test_it_is_said_in_words() -> None:
    assert far_from(D("0.0203"), D(324)) == "0.0203 is 100% below"
    assert far_from(D(120), D(1200)) == "120 is 90% below (as after a 10:1 split)"
    assert far_from(D("12000.00"), D(119)) == "12000.00 is 101 times"
    assert far_from(D("160"), D(100)) == "160 is 60% above"


PRICES = st.decimals("0.0001", "1000000", places=4)


@pytest.mark.django_db
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(price=PRICES, last=PRICES)
def test_sql_and_python_agree(price: Decimal, last: Decimal) -> None:
    with connection.cursor() as cursor:
        sql = far_off_sql("%(price)s::numeric", "%(last)s::numeric")
        cursor.execute(f"SELECT {sql}", {"price": price, "last": last})
        assert cursor.fetchone() == (is_far_off(price, last),)
