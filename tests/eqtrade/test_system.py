"""The state of the whole, also while parts of it are away."""

import json

import pytest
from django.db import transaction
from django.test import Client
from psycopg import connect

from eqtrade.system import _unserved
from eqtrade.up.postgres import PostgresServer
from kernel import clock
from pnl.daily.restate import closes_changed
from positions.snapshots.take import _begin_run
from prices.sessions import sessions
from tests import factories as make
from tests.pnl.conftest import MONDAY, TUESDAY, WEDNESDAY, Days, at, recorded, settle
from tests.trades.conftest import NOW, TODAY
from trades.ledger.registry import consumers


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
    assert len(lags) == 16 * len(consumers())
    behind = [(g["consumer"], g["shard"], g["entries"]) for g in lags if g["entries"]]
    shard = account.pk % 16
    assert behind == [(name, shard, 1) for name in sorted(consumers())]
    assert state["ledger"]["same_cluster"] is True
    assert {"business_date", "previous_session", "price_source", "prices", "queues"} <= set(state)


def test_without_redis_the_rest_is_still_told_and_the_problem_named(staff: Client) -> None:
    state = staff.get("/api/v1/system/").json()
    assert state["queues"] is None
    assert any("Redis" in problem for problem in state["problems"])
    assert json.dumps(state)


def test_overdue_snapshots_and_late_restatements_are_problems(staff: Client) -> None:
    days = Days()
    days.trade("5", "10", MONDAY)
    settle(MONDAY)
    with recorded(at(MONDAY, 21)):
        _begin_run(sessions(), MONDAY)
        closes_changed([(days.ibm.pk, MONDAY)])
    state = staff.get("/api/v1/system/").json()
    assert state["last_snapshot"] is None
    assert (
        f"The snapshot of {MONDAY} is not taken, though its closes are settled."
        in (state["problems"])
    )
    assert state["restates"]["waiting"] == 1
    assert any("past P&L is out of date" in problem for problem in state["problems"])
    text = staff.get("/metrics").content.decode()
    assert "eqtrade_snapshots_overdue 1.0" in text
    assert "eqtrade_restates_waiting 1.0" in text


def test_a_snapshot_that_nobody_began_is_a_problem(staff: Client) -> None:
    days = Days()
    days.trade("5", "10", MONDAY)
    with clock.clock_set(at(TUESDAY)):
        problems = staff.get("/api/v1/system/").json()["problems"]
        assert f"No snapshot was begun of {MONDAY}: are beat and its worker up?" in problems
    with clock.clock_set(at(WEDNESDAY)):
        problems = staff.get("/api/v1/system/").json()["problems"]
        said = f"No snapshot was begun of 2 sessions since {MONDAY}: are beat and its worker up?"
        assert said in problems


def test_queues_without_a_worker_and_with_too_much_in_them() -> None:
    workers = [{"worker": "one", "queues": ["default", "pnl"]}]
    queues = [{"queue": "pnl", "waiting": 1_001}, {"queue": "prices", "waiting": 0}]
    assert _unserved(queues, workers) == [
        "1,001 messages wait in the queue pnl.",
        "No worker takes from the queue prices.",
    ]
    # That no worker answers at all is told by itself.
    assert _unserved(queues[1:], []) == []


def test_readers_that_are_behind_are_a_problem(staff: Client) -> None:
    days = Days()
    with recorded(at(MONDAY)), transaction.atomic():
        make.make_trade(
            days.user, days.account, days.ibm, "5", "10", trade_date=MONDAY, at=at(MONDAY)
        )
    problems = staff.get("/api/v1/system/").json()["problems"]
    told = [p for p in problems if p.startswith("The reader of ")]
    assert len(told) == len(consumers())
    assert all("is behind in 1 of 16 shards" in p and p.endswith("1 entries.") for p in told)


def test_a_transaction_that_stays_open_is_a_problem(
    staff: Client, committed_db: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eqtrade.system.HORIZON_TOO_OLD_SECONDS", 0.2)
    with connect(committed_db.url("owner")) as somebody:
        somebody.execute("SELECT pg_current_xact_id(), pg_sleep(0.3)")
        problems = staff.get("/api/v1/system/").json()["problems"]
        pid = somebody.info.backend_pid
    whose = f"process {pid}, user eqtrade_owner, database eqtrade, idle in transaction; see docs"
    assert [p for p in problems if whose in p]
    assert not any("process" in p for p in staff.get("/api/v1/system/").json()["problems"])


def test_metrics_tell_lag_redis_and_cluster(staff: Client) -> None:
    answer = staff.get("/metrics")
    text = answer.content.decode()
    assert answer["Content-Type"].startswith("text/plain")
    assert 'eqtrade_ledger_lag_entries{consumer="pnl",shard="0"} 0.0' in text
    assert "eqtrade_redis_up 0.0" in text
    assert "eqtrade_ledger_same_cluster 1.0" in text
