"""The state of the whole, also while parts of it are away."""

import json

import pytest
from django.db import transaction
from django.test import Client

from eqtrade.up.postgres import PostgresServer
from tests import factories as make
from tests.trades.conftest import NOW, TODAY


@pytest.fixture
def staff(committed_db: PostgresServer) -> Client:
    client = Client()
    client.force_login(make.make_user("ops", is_staff=True))
    return client


def test_it_is_for_staff(committed_db: PostgresServer) -> None:
    client = Client()
    assert client.get("/api/v1/system/").status_code == 401
    assert client.get("/metrics").status_code == 401
    client.force_login(make.make_user("trader"))
    assert client.get("/api/v1/system/").status_code == 403
    assert client.get("/metrics").status_code == 403


def test_lag_is_told_by_consumer_and_shard(staff: Client) -> None:
    account = make.make_account()
    with transaction.atomic():
        make.make_trade(
            make.make_user(), account, make.make_instrument(), "5", "10", trade_date=TODAY, at=NOW
        )
    state = staff.get("/api/v1/system/").json()
    lags = state["ledger"]["lag"]
    assert len(lags) == 48
    behind = [(g["consumer"], g["shard"], g["entries"]) for g in lags if g["entries"]]
    shard = account.pk % 16
    assert behind == [("cost", shard, 1), ("pnl", shard, 1), ("positions", shard, 1)]
    assert state["ledger"]["same_cluster"] is True
    assert {"business_date", "previous_session", "price_source", "prices", "queues"} <= set(state)


def test_without_redis_the_rest_is_still_told_and_the_problem_named(staff: Client) -> None:
    state = staff.get("/api/v1/system/").json()
    assert state["queues"] is None
    assert any("Redis" in problem for problem in state["problems"])
    assert json.dumps(state)


def test_metrics(staff: Client) -> None:
    answer = staff.get("/metrics")
    text = answer.content.decode()
    assert answer["Content-Type"].startswith("text/plain")
    assert 'eqtrade_ledger_lag_entries{consumer="pnl",shard="0"} 0.0' in text
    assert "eqtrade_redis_up 0.0" in text
    assert "eqtrade_ledger_same_cluster 1.0" in text
