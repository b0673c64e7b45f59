"""The pause after a source's failures."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from prices.sources.backoff import pause

FIRST, LONGEST = timedelta(seconds=45), timedelta(seconds=900)


def seconds(failures: int, share: float = 0.0, asked: float | None = None) -> float:
    wanted = None if asked is None else timedelta(seconds=asked)
    return pause(failures, first=FIRST, longest=LONGEST, share=share, asked=wanted).total_seconds()


def test_it_doubles_up_to_the_longest() -> None:
    assert [seconds(n) for n in range(1, 8)] == [45, 90, 180, 360, 720, 900, 900]
    assert seconds(10**9) == 900


def test_what_the_source_asks_for_is_the_least() -> None:
    assert seconds(1, asked=77) == 77
    assert seconds(6, asked=77) == 900
    assert seconds(1, asked=10**9) == 3600


@given(st.integers(1, 10**6), st.floats(0, 1), st.none() | st.floats(0, 10**6))
def test_it_is_never_shorter_than_planned_nor_a_fifth_longer(
    failures: int, share: float, asked: float | None
) -> None:
    plain = max(seconds(failures), min(asked or 0, 3600))
    assert plain - 0.001 <= seconds(failures, share, asked) <= max(plain, plain * 1.2) + 0.001
