"""Pages of P&L over many sessions: only as many sessions are read as a page needs."""

from collections.abc import Callable, Sequence
from datetime import date

from rest_framework.request import Request
from rest_framework.response import Response

from blotter.pnl_tables import PIECE
from kernel.api.pagination import MAX_PAGE_SIZE, cursor_of, keyset_page, page_size_of
from kernel.api.rows import Row

Reader = Callable[[Sequence[date]], list[Row]]


def pnl_page(request: Request, days: Sequence[date], by: str, read: Reader) -> Response:
    """The page of the request, from rows that `read` gives for sessions that follow one another."""
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
    while left and sum(_counts(row, cursor, backward) for row in rows) <= size:
        if backward:
            piece, left = left[-PIECE[by] :], left[: -PIECE[by]]
            rows = read(piece) + rows
        else:
            piece, left = left[: PIECE[by]], left[PIECE[by] :]
            rows = rows + read(piece)
    page, answer = keyset_page(
        request,
        rows,
        key=_key,
        more_before=bool(left) if backward else skipped,
        more_after=skipped if backward else bool(left),
    )
    return answer(page)


def _key(row: Row) -> tuple[str, ...]:
    return row["session"], row["account"], row.get("ticker", "")


def _counts(row: Row, cursor: tuple[str, ...] | None, backward: bool) -> bool:
    """True if a row lies on the asked side of the cursor."""
    if cursor is None:
        return True
    return _key(row) < cursor if backward else _key(row) > cursor
