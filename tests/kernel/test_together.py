"""Work done by one thread for all: each gets their own answer, and nobody else's fault."""

import threading
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.together import Together
from tests.at_once import at_once

SECONDS = 10


class Away(Exception):
    pass


class Work:
    """Doubles numbers; what it was called with is kept. It can be held up."""

    def __init__(self, most: int = 32) -> None:
        self.calls: list[list[int]] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.most_at_once = 0
        self._at_once = 0
        self.together = Together(self._work, most=most, shared=(Away,))

    def _work(self, items: Sequence[int]) -> list[int]:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        self.calls.append(list(items))
        assert self.go_on.wait(SECONDS)
        self._at_once -= 1
        if any(item < 0 for item in items):
            raise ValueError(min(items))
        if 0 in items:
            raise Away("away")
        return [2 * item for item in items]

    def behind_one(self, items: Sequence[int]) -> list[object]:
        """What becomes of these, which all come while 1 is worked for."""
        self.go_on.clear()
        threads: list[object] = []
        first = threading.Thread(target=lambda: threads.append(self.together(1)))
        first.start()
        _until(lambda: len(self.calls) == 1)

        def last() -> None:
            _until(lambda: len(self.together._waiting) == len(items))
            self.go_on.set()

        *found, _ = at_once(*[lambda item=item: self.together(item) for item in items], last)
        first.join(SECONDS)
        assert threads == [2]
        return found


def _until(is_so: object) -> None:
    end = time.monotonic() + SECONDS
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.001)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 99), min_size=1, max_size=8), st.integers(1, 5))
def test_each_gets_the_answer_to_their_own(items: list[int], most: int) -> None:
    work = Work(most)
    assert work.behind_one(items) == [2 * item for item in items]
    assert sorted(item for call in work.calls for item in call) == sorted([1, *items])
    assert len(work.calls) == 1 + -(-len(items) // most)
    assert max(map(len, work.calls)) <= most


def test_nobody_waits_for_company() -> None:
    work = Work()
    assert [work.together(item) for item in (3, 4)] == [6, 8]
    assert work.calls == [[3], [4]]


def test_a_fault_is_its_own_callers_alone() -> None:
    work = Work()
    good, bad, better = work.behind_one([5, -6, 7])
    assert (good, better) == (10, 14)
    assert isinstance(bad, ValueError)
    assert bad.args == (-6,)
    # Together, and then each alone.
    assert sorted(map(len, work.calls)) == [1, 1, 1, 1, 3]


def test_an_error_of_all_is_raised_for_each_and_nothing_is_done_again() -> None:
    work = Work()
    found = work.behind_one([5, 0, 7])
    assert [type(one) for one in found] == [Away] * 3
    assert len({id(one) for one in found}) == 3
    assert list(map(len, work.calls)) == [1, 3]


@pytest.mark.parametrize("item", [0, -1])
def test_it_goes_on_after_an_error(item: int) -> None:
    work = Work()
    with pytest.raises((Away, ValueError)):
        work.together(item)
    assert work.together(8) == 16


def test_work_is_done_by_one_at_a_time() -> None:
    work = Work()
    found = at_once(*[lambda n=n: [work.together(n + k) for k in range(50)] for n in range(1, 9)])
    assert found == [[2 * (n + k) for k in range(50)] for n in range(1, 9)]
    assert work.most_at_once == 1
