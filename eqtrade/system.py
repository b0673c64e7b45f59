"""The state of the whole, for people on duty and for metrics: what is wrong can be seen here."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import redis
from django.conf import settings

from audit.months import months_ahead
from eqtrade.celery import app
from eqtrade.queues import queue_names
from kernel import clock
from kernel.api.rows import Row, moment
from kernel.redis_client import redis_client
from pnl.health import restates
from positions.health import overdue_snapshots, unbegun_snapshots
from positions.snapshots.read import last_snapshot
from prices.doubts.read import doubts_held
from prices.health import (
    closes_health,
    coverage,
    doubt_problems,
    price_problems,
    source_health,
)
from prices.sessions import sessions
from trades.guards.read import unguarded
from trades.ledger.epoch import same_cluster
from trades.ledger.lag import Horizon, ShardLag, horizon, quarantined, shard_lags
from trades.models import LEDGER_SHARDS

REDIS_TIMEOUT_SECONDS = 0.5
WORKERS_TIMEOUT_SECONDS = 0.7
# Imports hold it for fractions of a second; what a trader sees lags by as much.
HORIZON_TOO_OLD_SECONDS = 10.0
LAG_TOO_LONG_SECONDS = 30.0
TOO_MANY_WAITING = 1_000


def system_state() -> Row:
    """Everything of `GET /api/v1/system/`. Parts that cannot be asked are null, with `problems`
    saying so in words."""
    now = clock.now()
    known = sessions()
    today = known.business_date(now)
    problems: list[str] = []
    lags = shard_lags()
    here = same_cluster()
    if not here:
        problems.append("The database was restored into another cluster: run manage.py restored.")
    if months_ahead(now.date()) < 1:
        problems.append(
            "The audit record has no next month: run manage.py audit_keep as the owner."
        )
    held = quarantined()
    problems += [
        f"Account {q.account} is passed over by {q.consumer}: {q.error.splitlines()[0]}"
        for q in held
    ]
    oldest = horizon()
    problems += _held_up(oldest, lags)
    prices = _prices(now, problems)
    queues, workers = _queues(problems), _workers(problems)
    problems += _unserved(queues or [], workers or [])
    snapshot = last_snapshot()
    restating = restates(now)
    problems += [
        f"The snapshot of {day} is not taken, though its closes are settled."
        for day in overdue_snapshots(now)
    ]
    if unbegun := unbegun_snapshots(now):
        several = f"{len(unbegun)} sessions since " if unbegun[1:] else ""
        problems.append(
            f"No snapshot was begun of {several}{unbegun[0]}: are beat and its worker up?"
        )
    if restating.is_late:
        problems.append(
            f"{restating.waiting} restatements wait, the oldest for"
            f" {restating.oldest_seconds / 60:.0f} minutes: past P&L is out of date."
        )
    return {
        "now": moment(now),
        "business_date": today.isoformat(),
        "previous_session": known.previous_session(today).isoformat(),
        "session_open": known.is_open(now),
        "price_source": settings.PRICE_SOURCE,
        "ledger": {
            "same_cluster": here,
            "lag": [asdict(lag) for lag in lags],
            "horizon": asdict(oldest),
            "quarantined": [{**asdict(q), "since": moment(q.since)} for q in held],
        },
        "prices": prices,
        "last_snapshot": snapshot
        and {"session": snapshot.session.isoformat(), "taken_at": moment(snapshot.taken_at)},
        "restates": asdict(restating),
        "unguarded": unguarded(),
        "queues": queues,
        "workers": workers,
        "problems": problems,
    }


def _held_up(oldest: Horizon, lags: list[ShardLag]) -> list[str]:
    """What keeps positions and P&L from following the bookings."""
    said = []
    if oldest.age_seconds is not None and oldest.age_seconds > HORIZON_TOO_OLD_SECONDS:
        said.append(
            f"A transaction is open since {oldest.age_seconds:.0f} s, and no later booking shows in"
            f" positions before it ends: PostgreSQL's process {oldest.pid}, user {oldest.user},"
            f" database {oldest.database}, {oldest.state}; see docs/runbooks/recover.md."
        )
    late: dict[str, list[ShardLag]] = {}
    for lag in lags:
        if lag.seconds > LAG_TOO_LONG_SECONDS:
            late.setdefault(lag.consumer, []).append(lag)
    said += [
        f"The reader of {consumer} is behind in {len(found)} of {LEDGER_SHARDS} shards, by"
        f" {max(lag.seconds for lag in found):.0f} s"
        f" and {sum(lag.entries for lag in found)} entries."
        for consumer, found in late.items()
    ]
    return said


def _prices(now: datetime, problems: list[str]) -> Row:
    found, answered, closed = coverage(now), source_health(), closes_health(now)
    held = doubts_held()
    problems += doubt_problems(held) + price_problems(now, found, answered, closed)
    return {
        **asdict(found),
        "held_back": len(held),
        "source": asdict(answered),
        "closes": [asdict(each) for each in closed],
    }


def queue_lengths() -> dict[str, int]:
    """Messages waiting in each queue; raises redis.RedisError. For a Redis broker only."""
    with redis_client(REDIS_TIMEOUT_SECONDS) as client:
        return {name: int(client.llen(name)) for name in queue_names()}


def _queues(problems: list[str]) -> list[dict[str, Any]] | None:
    try:
        return [{"queue": name, "waiting": n} for name, n in queue_lengths().items()]
    except redis.RedisError as error:
        problems.append(f"Redis cannot be asked: {error}")
        return None


def _workers(problems: list[str]) -> list[dict[str, Any]] | None:
    """Workers that answer a ping, each with its queues."""
    try:
        with app.connection_for_read(
            transport_options={"socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 0}
        ) as connection:
            inspect = app.control.inspect(timeout=WORKERS_TIMEOUT_SECONDS, connection=connection)
            answers = inspect.active_queues() or {}
    except Exception as error:  # noqa: BLE001 - whatever the broker's library raises
        problems.append(f"Workers cannot be asked: {error!r}")
        return None
    if not answers:
        problems.append("No worker answers.")
    return [
        {"worker": name, "queues": sorted(q["name"] for q in queues)}
        for name, queues in sorted(answers.items())
    ]


def _unserved(queues: list[dict[str, Any]], workers: list[dict[str, Any]]) -> list[str]:
    """What waits in queues for too few workers, or for none."""
    served = {name for worker in workers for name in worker["queues"]}
    said = [
        f"{queue['waiting']:,} messages wait in the queue {queue['queue']}."
        for queue in queues
        if queue["waiting"] > TOO_MANY_WAITING
    ]
    if workers:
        said += [
            f"No worker takes from the queue {queue['queue']}."
            for queue in queues
            if queue["queue"] not in served
        ]
    return said
