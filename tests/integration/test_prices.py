"""Prices in the running stack: beat asks, a worker fetches, operations see it."""

from tests.stack.eventually import eventually
from tests.stack.running import RunningStack


def test_the_last_sessions_closes_are_settled_by_themselves(stack: RunningStack) -> None:
    ops = stack.client("ops")

    def settled() -> None:
        closes = ops.get("system/").json()["prices"]["closes"]
        assert [each["state"] for each in closes] == ["complete"] * 5
        assert all(each["missing"] == 0 and each["expected"] > 500 for each in closes)

    eventually(settled, seconds=90)


def test_prices_status_tells_of_the_same(stack: RunningStack) -> None:
    told = stack.manage("prices", "status")
    assert "source simulated" in told
    assert "503 priced" in told or "priced, 503 marked" in told
