"""What is counted comes out of /metrics, whole and under its own name."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families as parsed

from eqtrade.up.postgres import PostgresServer
from eqtrade.up.valkey import ValkeyServer
from kernel import counts
from positions.projection import POSITIONS
from tests import factories as make
from tests.trades.conftest import Desk, make_desk
from trades.ledger.consumer import ledger_apply

TRADES, GUARDS = "/api/v1/trades/", "/api/v1/guards/"


@pytest.fixture
def counting(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ValkeyServer.temporary() as server:
        settings.REDIS_URL = server.url()
        monkeypatch.setattr(counts, "_tally", counts._Tally())
        yield


@pytest.fixture
def desk(committed_db: PostgresServer) -> Desk:
    return make_desk()


def told(staff: Client) -> dict[tuple[str, str], float]:
    """The samples of counted metrics, by name and the values of their labels; zeros left out."""
    counts.hand_on()
    text = staff.get("/metrics").content.decode()
    found = {
        (sample.name, " ".join(sorted(sample.labels.values()))): sample.value
        for family in parsed(text)
        for sample in family.samples
    }
    return {key: value for key, value in found.items() if value}


def book(client: Any, **changes: Any) -> int:
    terms = {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "10", "price": "5"}
    return int(client.post(TRADES, {**terms, **changes}, format="json").status_code)


def test_bookings_by_what_came_of_them_and_what_the_readers_did(counting: None, desk: Desk) -> None:
    staff = Client()
    staff.force_login(make.make_user("ops", is_staff=True))
    trader = desk.client()
    boss = make.client_of(make.make_user("boss", is_superuser=True))
    assert book(trader) == 201
    assert book(trader, client_trade_id="one") == 201
    assert book(trader, client_trade_id="one") == 200
    assert book(trader, price="none") == 400
    assert book(make.client_of(make.make_user("stranger")), price="7") in (400, 403)
    row = {"account": "Test1", "code": "large_notional", "warn": "10"}
    answer = boss.put(GUARDS, [row], format="json")
    assert answer.status_code == 200, answer.content
    assert book(trader) == 409
    ledger_apply("positions.tasks.apply_ledger", [POSITIONS], list(range(16)))
    found = told(staff)
    count, all_of = "eqtrade_booking_seconds_count", "eqtrade_booking_seconds_bucket"
    assert found[count, "booked"] == 2
    assert found[all_of, "+Inf booked"] == 2
    assert found[count, "booked_before"] == 1
    assert found[count, "asked"] == 1
    assert sum(found.get((count, name), 0) for name in ("refused", "not_allowed")) == 2
    assert found["eqtrade_trade_versions_total", "booked"] == 2
    assert found["eqtrade_ledger_entries_applied_total", "positions"] == 2
    assert found["eqtrade_ledger_batch_seconds_count", "positions"] == 1
    # Once more: it is a reading, which changes nothing.
    assert told(staff)[count, "booked"] == 2


def test_zeros_are_told_before_anything_was_counted(
    counting: None, committed_db: PostgresServer
) -> None:
    staff = Client()
    staff.force_login(make.make_user("ops", is_staff=True))
    text = staff.get("/metrics").content.decode()
    assert 'eqtrade_booking_seconds_count{outcome="failed"} 0.0' in text
    assert 'eqtrade_ledger_batch_seconds_bucket{consumer="cost",le="+Inf"} 0.0' in text
    assert 'eqtrade_import_rows_total{outcome="rejected"} 0.0' in text
    assert 'eqtrade_token_calls_total{outcome="unknown"} 0.0' in text


def test_tokens_are_counted_by_what_came_of_them(
    counting: None, committed_db: PostgresServer
) -> None:
    key = make.make_token(make.make_user("program"), scope="read").key
    client = Client(headers={"Authorization": f"Token {key}"})
    assert client.get("/api/v1/accounts/").status_code == 200
    assert client.post(TRADES, {}, content_type="application/json").status_code == 403
    stranger = Client(headers={"Authorization": "Token eqt_nothing"})
    assert stranger.get("/api/v1/accounts/").status_code == 401
    staff = Client()
    staff.force_login(make.make_user("staff", is_staff=True))
    found = told(staff)
    name = "eqtrade_token_calls_total"
    assert {k[1]: v for k, v in found.items() if k[0] == name} == {
        "let_in": 1,
        "scope": 1,
        "unknown": 1,
    }
    assert found["eqtrade_tokens", ""] == 1
