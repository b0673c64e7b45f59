"""The window of a connection: the newest so many trades over some accounts, by its lowest id."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from blotter.live.day_trades import EVERYTHING, DayTrades, floor_of, moved_floor

BEFORE, AFTER = 1, 2
Day = tuple[DayTrades, list[str], list[str]]
"""Trades of an account, and what of them goes and comes."""


@st.composite
def days(draw: st.DrawFn, account: int) -> Day:
    ids = st.integers(0, 999).map(lambda n: f"{n:03}-{account}")
    trades = DayTrades()
    bottom = draw(st.just(EVERYTHING) | ids)
    trades.set_bottom(bottom, 0)
    held = draw(st.sets(ids, max_size=25))
    for key in held:
        if key >= bottom:
            trades.put(key, b"", BEFORE)
    gone = draw(st.sets(st.sampled_from(sorted(held)), max_size=4)) if held else set()
    come = draw(st.sets(ids, max_size=4)) - held
    return trades, sorted(gone), sorted(key for key in come if key >= bottom)


def shown(boards: Sequence[DayTrades], floor: str) -> list[str]:
    return sorted(key for trades in boards for key in trades.order if key >= floor)


@settings(max_examples=500)
@given(
    st.integers(1, 3).flatmap(lambda accounts: st.tuples(*map(days, range(accounts)))),
    st.integers(0, 6),
)
def test_a_window_that_moved_is_one_that_was_found_anew(
    found: tuple[Day, ...], window: int
) -> None:
    boards = [trades for trades, _, _ in found]
    floor = floor_of(boards, window)
    for trades, gone, come in found:
        for key in gone:
            trades.drop(key, AFTER)
        for key in come:
            trades.put(key, b"", AFTER)
    assert shown(boards, moved_floor(boards, window, floor)) == shown(
        boards, floor_of(boards, window)
    )
    assert len(shown(boards, floor_of(boards, window))) <= window
