"""Whom a change concerns, against asking each watcher."""

from hypothesis import given
from hypothesis import strategies as st

from blotter.live.audience import Audiences
from blotter.live.boards import Changed
from blotter.live.composing import View

ACCOUNTS, TICKERS = st.sampled_from(range(4)), st.sampled_from("ABC")
VIEWS = st.builds(
    View,
    st.sets(ACCOUNTS).map(lambda found: tuple(sorted(found))),
    st.sampled_from([0, 10, 20]),
    st.none() | st.frozensets(TICKERS),
)
CHANGES = st.builds(
    Changed, accounts=st.sets(ACCOUNTS), prices=st.sets(TICKERS), all=st.sampled_from([False, True])
)


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | VIEWS), max_size=20), CHANGES)
def test_who_watches_what_changed_is_concerned_and_nobody_else(
    steps: list[tuple[int, View | None]], changed: Changed
) -> None:
    audiences, views = Audiences[int](), dict[int, View]()
    for watcher, view in steps:
        audiences.remove(watcher, views.pop(watcher, View()))
        if view is not None:
            views[watcher] = audiences.add(watcher, view)
            assert views[watcher] == view
    concerned = list(audiences.concerned(changed))
    assert len(concerned) == len(set(concerned))
    assert set(concerned) == {
        watcher
        for watcher, view in views.items()
        if changed.all
        or changed.accounts & set(view.accounts)
        or (changed.prices if view.prices is None else changed.prices & view.prices)
    }
    for account in range(4):
        windows = [view.trades for view in views.values() if account in view.accounts]
        assert audiences.window(account) == max(windows, default=None)
    for one in views.values():
        assert all(one is other for other in views.values() if one == other)
