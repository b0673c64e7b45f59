"""The rule of who may try a password, as values."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.throttle import WINDOW, Limits, Wrong, wait_for

NOW = datetime(2026, 3, 18, 16, 0, tzinfo=UTC)
LIMITS = Limits(pair=5, name=30, address=100)


def wrong(count: int, *, name: bool = True, address: bool = True, minutes: int = 1) -> list[Wrong]:
    at = NOW - timedelta(minutes=minutes)
    return [Wrong(at - timedelta(seconds=n), name, address) for n in range(count)]


@pytest.mark.parametrize(
    ("tried", "is_known", "may"),
    [
        ([], False, True),
        (wrong(4), False, True),
        (wrong(5), False, False),
        (wrong(5), True, False),
        (wrong(5, minutes=15), False, True),
        (wrong(29, address=False), False, True),
        (wrong(30, address=False), False, False),
        # Who logged in from here lately is not kept out by others.
        (wrong(30, address=False), True, True),
        (wrong(500, address=False), True, True),
        (wrong(99, name=False), True, True),
        (wrong(100, name=False), True, False),
        (wrong(100, name=False, minutes=15), True, True),
    ],
)
def test_who_may_try(tried: list[Wrong], is_known: bool, may: bool) -> None:
    assert (wait_for(tried, is_known=is_known, limits=LIMITS, now=NOW) is None) is may


moments = st.integers(0, 2_000).map(lambda seconds: NOW - timedelta(seconds=seconds))


@given(
    st.lists(st.builds(Wrong, moments, st.booleans(), st.booleans()), max_size=60), st.booleans()
)
def test_after_the_wait_one_may_try_and_not_before(tried: list[Wrong], is_known: bool) -> None:
    limits = Limits(pair=3, name=6, address=9)
    wait = wait_for(tried, is_known=is_known, limits=limits, now=NOW)
    if wait is None:
        return
    assert timedelta(0) < wait <= WINDOW
    just_before, after = NOW + wait - timedelta(microseconds=1), NOW + wait
    assert wait_for(tried, is_known=is_known, limits=limits, now=just_before) is not None
    assert wait_for(tried, is_known=is_known, limits=limits, now=after) is None
