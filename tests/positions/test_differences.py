"""Differences between a snapshot and what is known now, with who made them and the P&L effect."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from kernel.clock import clock_set
from positions.models import SnapshotRun
from tests import factories as make
from tests.pnl.conftest import FRIDAY, THURSDAY, TUESDAY, WEDNESDAY, Days, at, settle
from tests.positions.test_snapshots import AFTER, take

NOW = at(THURSDAY)


@pytest.fixture
def corrected(days: Days) -> Days:
    """10 and 4 bought; since the snapshot the 10 became 12 @ 41 and the 4 were cancelled."""
    kept = days.trade("10", "40", WEDNESDAY)
    double = days.trade("4", "41", WEDNESDAY)
    days.trade("7", "40", WEDNESDAY, account=make.make_account("Test2"))
    days.close(TUESDAY, "39")
    days.close(WEDNESDAY, "42")
    settle(WEDNESDAY)
    assert take(AFTER) == [WEDNESDAY]
    days.amend(kept, at(THURSDAY, 14), quantity=Decimal(12), price=Decimal(41))
    days.cancel(double, at(THURSDAY, 15))
    return days


def get(days: Days, now: Any = NOW, **query: Any) -> Any:
    with clock_set(now):
        return make.client_of(days.user).get("/api/v1/positions/snapshots/differences/", query)


def test_what_changed_by_whom_and_its_effect(corrected: Days) -> None:
    (row,) = get(corrected, session="2026-03-18").json()["results"]
    changes = row.pop("changes")
    assert row == {
        "session": "2026-03-18",
        "account": "Test1",
        "ticker": "IBM",
        "snapshot_quantity": "14",
        "quantity": "12",
        "difference": "-2",
        "snapshot_close": "42",
        "close": "42",
        "pnl_effect": str(12 * (42 - 41) - 10 * (42 - 40) - 4 * (42 - 41)),
    }
    assert [
        (c["status"], c["actor"], c["reason"], c["quantity"], c["pnl_effect"]) for c in changes
    ] == [
        ("amended", "user-Test1", "was wrong", "2", str(12 - 20)),
        ("cancelled", "user-Test1", "a double", "-4", "-4"),
    ]


def test_the_effect_is_that_of_the_restated_pnl(corrected: Days) -> None:
    """P&L up to the session as it is now, less what was reported at its end."""
    (row,) = get(corrected).json()["results"]
    (now,) = corrected.figures(NOW, account="Test1", **{"from": "2026-03-18", "to": "2026-03-18"})
    answer = make.client_of(corrected.user).get(
        "/api/v1/positions/",
        {"as_of": "2026-03-18", "known_at": "2026-03-18T20:00:00Z", "account": "Test1"},
    )
    (then,) = answer.json()["results"]
    assert now[2] is not None
    assert Decimal(row["pnl_effect"]) == now[2] - Decimal(then["total_pnl"])


def test_a_changed_close_is_a_difference(corrected: Days) -> None:
    corrected.close(WEDNESDAY, "43")
    rows = get(corrected, account="Test2").json()["results"]
    assert [(r["difference"], r["snapshot_close"], r["close"], r["pnl_effect"]) for r in rows] == [
        ("0", "42", "43", "7")
    ]
    assert rows[0]["changes"] == []


def test_what_was_booked_and_cancelled_since_is_none(days: Days) -> None:
    days.trade("1", "40", WEDNESDAY)
    settle(WEDNESDAY)
    take(AFTER)
    days.cancel(days.trade("5", "40", WEDNESDAY, when=at(THURSDAY)), at(THURSDAY))
    days.trade("1", "40", THURSDAY)
    assert get(days).json()["results"] == []


def test_a_moved_trade_is_a_difference_in_both_accounts(corrected: Days) -> None:
    late = corrected.trade("3", "40", WEDNESDAY, when=at(THURSDAY, 16))
    corrected.amend(late, at(THURSDAY, 17), account="Test2")
    first, second = get(corrected).json()["results"]
    assert (first["difference"], second["difference"]) == ("-2", "3")
    assert [c["version"] for c in first["changes"]] == [2, 2, 1, 2]


def test_without_a_snapshot_there_is_nothing_to_compare(corrected: Days) -> None:
    answer = get(corrected, session="2026-03-17")
    assert answer.status_code == 404
    assert "not taken" in answer.json()["errors"][0]["detail"]
    stranger = make.make_user("stranger")
    with clock_set(NOW):
        url = "/api/v1/positions/snapshots/differences/"
        assert make.client_of(stranger).get(url).json()["results"] == []


def test_the_admin_shows_them(corrected: Days) -> None:
    corrected.user.is_staff = True
    corrected.user.save()
    client = Client()
    client.force_login(corrected.user)
    run = SnapshotRun.objects.get()
    with clock_set(at(FRIDAY)):
        page = client.get(f"/admin/positions/snapshotrun/{run.pk}/change/").content.decode()
        assert client.get("/admin/positions/positionsnapshot/").status_code == 200
        assert client.get("/admin/positions/snapshotrun/").status_code == 200
    assert "a double" in page
    assert "user-Test1" in page
    assert client.post(f"/admin/positions/snapshotrun/{run.pk}/delete/").status_code == 403
