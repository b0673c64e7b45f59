"""Our own exports, read again: what nobody knew when they were written stays unknown."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from kernel.clock import clock_set
from tests.cases.test_files import NOW, desk
from tests.trades.conftest import Desk
from tests.trades.importing import imported
from trades.exports import csv_lines
from trades.models import Trade
from trades.selectors import executed_at_known, trade_rows

__all__ = ["desk"]

LONG_AGO = date(2026, 11, 20)
AT = datetime(2026, 11, 20, 15, 4, 5, tzinfo=UTC)
GRID = (
    "Business date,Prices from,As of,Booked at,Trade,Account,Ticker,Side,Quantity,Price,Trade P&L,"
    "Trade date,Executed at,By,Status\r\n"
)


def known() -> list[tuple[bool, datetime | None]]:
    """Of the trades that were imported: whether their time is known, and if so, the time."""
    found = []
    for trade in Trade.objects.exclude(request_group=None).order_by("quantity"):
        is_known = executed_at_known(trade.executed_at, trade.booked_at, trade.trade_date)
        found.append((is_known, trade.executed_at if is_known else None))
    return found


def book(desk: Desk) -> None:
    """Two trades of days before: of one nobody says when, and the time of booking stands there."""
    for quantity, when in (("1", {}), ("2", {"executed_at": AT.isoformat()})):
        terms = {
            "account": "Test1", "ticker": desk.ibm.ticker, "side": "buy", "quantity": quantity,
            "price": "2", "trade_date": str(LONG_AGO), **when,
        }  # fmt: skip
        answer = desk.client().post("/api/v1/trades/", terms, format="json")
        assert answer.status_code == 201, answer.content


def test_the_admins_export_keeps_a_time_that_is_not_known_unknown(desk: Desk) -> None:
    book(desk)
    text = "".join(csv_lines(trade_rows(Trade.objects.order_by("-id"))))
    # As if it came from another installation: here they would be told as booked.
    for trade in Trade.objects.all():
        text = text.replace(str(trade.pk), str(uuid4()))
    # Later, or the time of booking that stands there would be that of this one, too.
    with clock_set(NOW + timedelta(hours=1)):
        job = imported(desk, text)
    assert job["reading"]["profile"] == "admin_export"
    assert job["rows_booked"] == 2
    assert known() == [(False, None), (True, AT)]


def test_the_grids_export_says_no_time(desk: Desk) -> None:
    start = "2026-11-25,yahoo,2026-11-25T21:00:00Z,2026-11-25T21:00:00Z,0190163d-8694-739b-aea5-9"
    name = desk.ibm.ticker
    rows = (
        f"{start}66c26f8ad91,Test1,{name},buy,1,2,0,2026-11-20,no time,trader,booked\r\n"
        f"{start}66c26f8ad92,Test1,{name},buy,2,2,0,2026-11-20,2026-11-20T15:04:05Z,trader,booked\r\n"
    )
    job = imported(desk, GRID + rows)
    assert (job["reading"]["profile"], job["rows_booked"]) == ("grid_export", 2)
    assert known() == [(False, None), (True, AT)]
