"""Pages of P&L over many sessions: only as many sessions are read as a page needs."""

from collections.abc import Callable, Sequence
from datetime import date

from rest_framework.request import Request
from rest_framework.response import Response

from kernel.api.pagination import MAX_PAGE_SIZE, cursor_of, keyset_page, page_size_of
from kernel.api.rows import Row

Reader = Callable[[Sequence[date]], list[Row]]

# How many sessions are read first where nothing is known, and how many times as many next at most:
# an account may hold ten names in one month and five hundred in the next.
FIRST_PIECE = 8
GROWTH = 16


def pnl_page(request: Request, days: Sequence[date], read: Reader, a_session: int) -> Response:
    """The page of the request, from rows that `read` gives for sessions that follow one another: a
    few (as many as it takes with `a_session` rows each, where that is known, else 0), then as many
    as the rest of the page takes if they have as many rows."""
    size = page_size_of(request, MAX_PAGE_SIZE)
    after, before = cursor_of(request, "after"), cursor_of(request, "before")
    backward = before is not None and after is None
    left = list(days)
    if after is not None:
        left = [day for day in left if day.isoformat() >= after[0]]
    elif before is not None:
        left = [day for day in left if day.isoformat() <= before[0]]
    skipped = len(left) < len(days)
    cursor = after or before
    rows: list[Row] = []
    lacking = size + 1
    at_once = -(-lacking // a_session) if a_session else FIRST_PIECE
    while left and lacking > 0:
        if backward:
            piece, left = left[-at_once:], left[:-at_once]
        else:
            piece, left = left[:at_once], left[at_once:]
        found = read(piece)
        rows = found + rows if backward else rows + found
        lacking -= sum(_counts(row, cursor, backward) for row in found)
        expected = -(-lacking * len(piece) // max(1, len(found)))
        at_once = max(1, min(expected, GROWTH * len(piece)))
    page, answer = keyset_page(
        request,
        rows,
        key=_key,
        more_before=bool(left) if backward else skipped,
        more_after=skipped if backward else bool(left),
    )
    return answer(page)


def _key(row: Row) -> tuple[str, ...]:
    return row["session"], row["account"], row.get("ticker") or row.get("strategy") or ""


def _counts(row: Row, cursor: tuple[str, ...] | None, backward: bool) -> bool:
    """True if a row lies on the asked side of the cursor."""
    if cursor is None:
        return True
    return _key(row) < cursor if backward else _key(row) > cursor
