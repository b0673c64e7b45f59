"""Strangers who try passwords in loops keep nobody out and hold nobody up. Of time nothing is
asserted: it is printed here and measured by the benchmark `doors`."""

from tests.stack.door_loops import Loops, seconds_of, token_asked
from tests.stack.running import PASSWORD, RunningStack

LOOPS = 16
ALONE, UNDER = 200, 400
# Of no other test: what is counted here would refuse its logins.
USER = "attacked"
MAKE_USER = """
from django.contrib.auth.models import User
User.objects.create_user({name!r}, password={password!r})
"""
YESTERDAYS, ANOTHERS = "203.0.113.5", "203.0.113.99"
A_DAY_AGO = """
from datetime import timedelta
from django.db.models import F
from axes.models import AccessLog
known = AccessLog.objects.filter(ip_address={address!r})
print(known.update(attempt_time=F("attempt_time") - timedelta(days=1)))
"""


def test_a_trader_attacked_by_name_logs_in_from_yesterdays_address(stack: RunningStack) -> None:
    api = stack.layout.socket("api")
    stack.shell(MAKE_USER.format(name=USER, password=PASSWORD))
    assert token_asked(api, USER, PASSWORD, YESTERDAYS)[0] == 200
    assert stack.shell(A_DAY_AGO.format(address=YESTERDAYS)).strip().splitlines()[-1] == "1"
    held, other = stack.client(USER), stack.client("viewer")
    alone = seconds_of(other, ALONE)
    with Loops(api, USER, LOOPS).running() as loops:
        during = seconds_of(other, UNDER)
        assert held.get("accounts/").status_code == 200
    assert loops.failed == []
    assert set(loops.answered) == {400, 429}
    # The name is used up from everywhere, but not for who logs in from where they did. The loops
    # were mostly told that too many log in; what they left of the thirty is tried here.
    said = ""
    for n in range(31):
        said = token_asked(api, USER, "wrong", f"203.0.113.{100 + n}")[1]
        if "too_many_wrong_passwords" in said:
            break
    assert "too_many_wrong_passwords" in said
    assert token_asked(api, USER, PASSWORD, ANOTHERS)[0] == 429
    assert token_asked(api, USER, PASSWORD, YESTERDAYS)[0] == 200
    assert held.get("accounts/").status_code == 200
    tries = sum(loops.answered.values())
    print(
        f"\nGET accounts/ of another user: p95 {alone[190] * 1000:.1f} ms alone,"
        f" {during[380] * 1000:.1f} ms under {LOOPS} loops that tried {tries} passwords"
        f" ({dict(loops.answered)})"
    )
