"""Past P&L on the whole running stack: kept by the workers, restated after a late trade."""

from decimal import Decimal

from tests.stack.client import Row
from tests.stack.eventually import eventually
from tests.stack.running import RunningStack

# What beat starts each minute, at once: real tasks in the real workers.
MINUTE = """
from pnl.tasks import keep_daily, record_intraday
from prices.tasks import fetch_closes
fetch_closes.delay(), keep_daily.delay(), record_intraday.delay()
"""


def test_a_late_trade_restates_a_session_that_was_final(stack: RunningStack) -> None:
    api, desk = stack.client("trader"), stack.desk()
    session = stack.client("admin").get("system/").json()["previous_session"]
    api.book(desk, "KO", "buy", 10, 60, trade_date=session)

    def final() -> Row:
        stack.shell(MINUTE)
        (row,) = api.rows("pnl/", account=desk, by="ticker", **{"from": session, "to": session})
        assert row["is_final"], row
        return row

    # The stack may have kept the session before: then this trade was a late one already.
    before = eventually(final)
    assert before["closing_quantity"] == "10"
    api.book(desk, "KO", "buy", 5, 60, trade_date=session)

    def restated() -> Row:
        (row,) = api.rows("pnl/", account=desk, by="ticker", **{"from": session, "to": session})
        assert row["restated_at"] not in (None, before["restated_at"]), row
        return row

    after = eventually(restated)
    assert after["closing_quantity"] == "15"
    assert Decimal(after["total_pnl"]) == Decimal(before["total_pnl"]) * 15 / 10

    def point() -> None:
        (first, *_) = api.rows("pnl/intraday/", account=desk)
        assert first["account"] == desk

    eventually(point)
