"""Strangers who try passwords in loops keep nobody out and hold nobody up. Of time nothing is
asserted: it is printed here and measured by the benchmark `doors`."""

from collections.abc import Iterator

import pytest

from tests.stack.door_loops import Loops, seconds_of, token_asked
from tests.stack.running import PASSWORD, RunningStack

LOOPS = 16
YESTERDAYS, ANOTHERS = "203.0.113.5", "203.0.113.99"
A_DAY_AGO = """
from datetime import timedelta
from django.db.models import F
from axes.models import AccessLog
print(AccessLog.objects.update(attempt_time=F("attempt_time") - timedelta(days=1)))
"""


@pytest.fixture
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack of its own: what is counted here would refuse other tests' logins."""
    stack = RunningStack(tmp_path_factory.mktemp("attacked"))
    try:
        stack.start()
        yield stack
    finally:
        assert stack.stop() == []


def test_a_trader_attacked_by_name_logs_in_from_yesterdays_address(attacked: RunningStack) -> None:
    api = attacked.layout.socket("api")
    assert token_asked(api, "trader", PASSWORD, YESTERDAYS)[0] == 200
    assert attacked.shell(A_DAY_AGO).strip().splitlines()[-1] == "1"
    held, other = attacked.client("trader"), attacked.client("viewer")
    alone = seconds_of(other, 200)
    with Loops(api, "trader", LOOPS).running() as loops:
        during = seconds_of(other, 400)
        assert held.get("accounts/").status_code == 200
    assert loops.failed == []
    assert set(loops.answered) == {400, 429}
    # The name is used up from everywhere, but not for who logs in from where they did. The loops
    # were mostly told that too many log in; what they left of the thirty is tried here.
    said = ""
    for n in range(31):
        said = token_asked(api, "trader", "wrong", f"203.0.113.{100 + n}")[1]
        if "too_many_wrong_passwords" in said:
            break
    assert "too_many_wrong_passwords" in said
    assert token_asked(api, "trader", PASSWORD, ANOTHERS)[0] == 429
    assert token_asked(api, "trader", PASSWORD, YESTERDAYS)[0] == 200
    assert held.get("accounts/").status_code == 200
    tries = sum(loops.answered.values())
    print(
        f"\nGET accounts/ of another user: p95 {alone[190] * 1000:.1f} ms alone,"
        f" {during[380] * 1000:.1f} ms under {LOOPS} loops that tried {tries} passwords"
        f" ({dict(loops.answered)})"
    )
