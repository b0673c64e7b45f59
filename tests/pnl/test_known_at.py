"""known_at is inclusive: the times of recording that the API shows find what was recorded then.

The database's own clock throughout, without the setting that stops it in other tests.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from kernel.clock import clock_set
from prices.models import Close
from prices.sessions import sessions
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from tests.trades.test_booking import URL, book
from trades.models import Quarantine
from trades.services.recording import RECORDED_NOW

BULK = f"{URL}bulk/"


@pytest.fixture
def desk(db: None) -> Iterator[Desk]:
    with clock_set(NOW):
        yield make_desk()


def quantity_at(client: APIClient, moment: str) -> str | None:
    """What was held of IBM in Test1, as known at that moment; None without a row."""
    answer = client.get("/api/v1/positions/", {"known_at": moment, "include_flat": "true"})
    assert answer.status_code == 200, answer.content
    rows = [r for r in answer.json()["results"] if r["account"] == "Test1"]
    return rows[0]["quantity"] if rows else None


def times(client: APIClient, trade: str) -> list[str]:
    """When each version was recorded, oldest first."""
    found = client.get(f"{URL}{trade}/versions/").json()["results"]
    return [version["recorded_at"] for version in found]


def send(method: Any, url: str, body: dict[str, Any]) -> Any:
    answer = method(url, json.dumps(body), content_type="application/json")
    assert answer.status_code in (200, 201), answer.content
    return answer.json()


def test_each_version_is_known_at_the_time_it_shows(desk: Desk) -> None:
    client = desk.client()
    trade = book(desk, quantity="10").json()["id"]
    send(client.patch, f"{URL}{trade}/", {"version": 1, "reason": "typo", "quantity": "7"})
    send(client.post, f"{URL}{trade}/cancel/", {"version": 2, "reason": "a double"})
    booked, amended, cancelled = times(client, trade)
    assert booked < amended < cancelled
    assert [quantity_at(client, t) for t in (booked, amended, cancelled)] == ["10", "7", "0"]


def test_a_bulk_booking_is_known_at_the_time_its_versions_show(desk: Desk) -> None:
    client = desk.client()
    row = {
        "account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "2", "price": "10",
        "trade_date": str(TODAY),
    }  # fmt: skip
    ids = send(client.post, BULK, {"trades": [row] * 3})["ids"]
    (recorded,) = {t for trade in ids for t in times(client, trade)}
    assert quantity_at(client, recorded) == "6"


def test_what_is_read_from_the_ledger_waits_for_no_reader(desk: Desk) -> None:
    client = desk.client()
    trade = book(desk, quantity="10").json()["id"]
    close = {"session": sessions().previous_session(TODAY), "source": "manual", "close": "100"}
    Close.objects.create(instrument=desk.ibm, **close)
    for consumer in ("positions", "pnl"):
        Quarantine.objects.create(consumer=consumer, account=desk.account, entry_id=1, error="gone")
    (moment,) = times(client, trade)
    answer = client.get("/api/v1/positions/", {"known_at": moment}).json()["results"]
    # Nothing but the age of its mark, the previous close, is doubtful.
    assert [(r["quantity"], r["pnl_reason"]) for r in answer] == [("10", "stale")]


def test_a_time_of_recording_is_taken_after_the_transaction_has_its_id(desk: Desk) -> None:
    """A snapshot waits for transactions that had an id at the session's end: one that took its
    time first, and an id only after the end, would be in the snapshot or not by chance."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (VERBOSE, COSTS OFF) {RECORDED_NOW}")
        plan = [line.strip() for (line,) in cursor.fetchall()]
    assert plan[0] == "Result"
    assert "clock_timestamp()" in plan[1]  # the function's body, in its place
    assert plan[2:] == ["One-Time Filter: (pg_current_xact_id() IS NOT NULL)"]
