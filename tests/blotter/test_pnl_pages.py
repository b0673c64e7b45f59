"""Pages of P&L: whatever the sessions hold, the pages together are the list, in few readings."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import chain
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from blotter.api.pnl_pages import pnl_page
from kernel.api.rows import Row

FIRST = date(2025, 1, 1)


class Sessions:
    """So many rows in each of the sessions that follow one another."""

    def __init__(self, counts: Sequence[int]) -> None:
        self.days = [FIRST + timedelta(number) for number in range(len(counts))]
        self._counts = dict(zip(self.days, counts, strict=True))
        self.reads = 0
        self.rows_read = 0

    def read(self, days: Sequence[date]) -> list[Row]:
        self.reads += 1
        rows: list[Row] = [
            {"session": day.isoformat(), "account": "A", "ticker": f"T{number:03}"}
            for day in days
            for number in range(self._counts[day])
        ]
        self.rows_read += len(rows)
        return rows

    def page(self, address: str, a_session: int = 0) -> dict[str, Any]:
        request = Request(APIRequestFactory().get(address))
        answer: dict[str, Any] = pnl_page(request, self.days, self.read, a_session).data
        return answer


@settings(max_examples=30)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.sampled_from([1, 7, 50]))
def test_pages_forth_and_back_are_the_list(counts: list[int], size: int) -> None:
    sessions = Sessions(counts)
    everything = sessions.read(sessions.days)
    page = sessions.page(f"/?page_size={size}")
    forth = [page["results"]]
    while page["next"]:
        page = sessions.page(str(page["next"]))
        forth.append(page["results"])
    back = [page["results"]]
    while page["previous"]:
        page = sessions.page(str(page["previous"]))
        back.insert(0, page["results"])
    for pages in (forth, back):
        assert list(chain.from_iterable(pages)) == everything
    assert all(len(part) == size for part in forth[:-1])


def test_a_page_of_a_year_is_read_in_two() -> None:
    sessions = Sessions([10] * 252)
    assert len(sessions.page("/")["results"]) == 1000
    assert (sessions.reads, sessions.rows_read) == (2, 1010)


def test_one_row_a_session_is_read_at_once() -> None:
    sessions = Sessions([2] * 252)
    assert len(sessions.page("/", a_session=2)["results"]) == 504
    assert sessions.reads == 1


def test_names_that_become_more_do_not_make_it_read_the_whole_year() -> None:
    """One name in January, five hundred from then on."""
    sessions = Sessions([1] * 20 + [500] * 232)
    assert len(sessions.page("/")["results"]) == 1000
    assert sessions.rows_read < 500 * 8 * 16
    back = sessions.page(str(sessions.page("/")["next"]))
    assert back["previous"]
