"""The exchange's clock over HTTP."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from kernel import clock

pytestmark = pytest.mark.django_db

MARKET = "/api/v1/market/"


@pytest.mark.parametrize(
    ("now", "business_date", "is_open", "closes_at"),
    [
        ("2026-01-30T16:00", "2026-01-30", True, "2026-01-30T21:00:00Z"),
        ("2026-01-30T21:00", "2026-01-30", False, "2026-01-30T21:00:00Z"),
        ("2026-02-01T16:00", "2026-01-30", False, "2026-01-30T21:00:00Z"),
        # The day after Thanksgiving closes at 13:00 New York.
        ("2026-11-27T17:59", "2026-11-27", True, "2026-11-27T18:00:00Z"),
    ],
)
def test_the_session_and_whether_it_trades(
    now: str, business_date: str, is_open: bool, closes_at: str
) -> None:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("reader"))
    with clock.clock_set(datetime.fromisoformat(now).replace(tzinfo=UTC)):
        found = client.get(MARKET).json()
    assert (found["business_date"], found["is_open"]) == (business_date, is_open)
    assert found["closes_at"] == closes_at
    assert found["previous_session"] < business_date < found["next_session"]
    assert found["next_opens_at"] > found["closes_at"]


def test_a_stranger_gets_401() -> None:
    assert APIClient().get(MARKET).status_code == 401
