"""Prometheus metrics of the whole system, computed when asked from what the database and Redis
hold: any api process answers for all of them."""

from collections import Counter
from datetime import datetime

import redis
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from rest_framework.decorators import api_view, renderer_classes
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from accounts.selectors import tokens_held
from blotter.live.figures import read_figures
from eqtrade.certificate import certificate_end
from eqtrade.count_metrics import counts
from eqtrade.system import queue_lengths
from eqtrade.verify import last_verification
from kernel import clock
from pnl.health import restates
from positions.health import overdue_snapshots, unbegun_snapshots
from positions.snapshots.read import last_snapshot
from prices.doubts.read import doubts_held
from prices.health import closes_health, coverage, source_health
from prices.models import CloseDoubt
from trades.guards.breaches import breaches_open
from trades.ledger.epoch import same_cluster
from trades.ledger.lag import horizon, quarantined, shard_lags


class _State(Collector):
    def collect(self) -> list[Metric]:
        entries = GaugeMetricFamily(
            "eqtrade_ledger_lag_entries",
            "Ledger entries that a consumer has yet to apply",
            labels=["consumer", "shard"],
        )
        seconds = GaugeMetricFamily(
            "eqtrade_ledger_lag_seconds",
            "Age of the oldest entry that a consumer has yet to apply",
            labels=["consumer", "shard"],
        )
        for lag in shard_lags():
            entries.add_metric([lag.consumer, str(lag.shard)], lag.entries)
            seconds.add_metric([lag.consumer, str(lag.shard)], lag.seconds)
        held = horizon()
        return [
            entries,
            seconds,
            _gauge(
                "eqtrade_ledger_horizon_age_seconds",
                "Age of the oldest running transaction of the cluster",
                held.age_seconds or 0,
            ),
            _gauge(
                "eqtrade_ledger_horizon_pid", "Its process, 0 when there is none", held.pid or 0
            ),
            _gauge(
                "eqtrade_ledger_quarantined", "Accounts that a consumer passes over",
                len(quarantined()),
            ),
            _gauge(
                "eqtrade_ledger_same_cluster", "0 after a restore that nobody declared",
                int(same_cluster()),
            ),
            *_kept(clock.now()),
            *_verified(clock.now()),
            _breaches(),
            _gauge("eqtrade_tokens", "Tokens that let a program in", tokens_held(clock.now())),
            *_certificate(clock.now()),
            *_prices(clock.now()),
            *_queues(),
            *_live(),
            *counts(),
        ]  # fmt: skip


def state() -> list[Metric]:
    """The figures as they are now."""
    return _State().collect()


def _kept(now: datetime) -> list[Metric]:
    waiting, snapshot = restates(now), last_snapshot()
    return [
        _gauge("eqtrade_restates_waiting", "Restatements of past P&L to be done", waiting.waiting),
        _gauge(
            "eqtrade_restates_oldest_seconds", "Age of the oldest of them", waiting.oldest_seconds
        ),
        _gauge(
            "eqtrade_snapshots_overdue", "Snapshots that could be taken and are not",
            len(overdue_snapshots(now)),
        ),
        _gauge(
            "eqtrade_snapshots_unbegun", "Sessions that ended, and no snapshot was begun",
            len(unbegun_snapshots(now)),
        ),
        *_ages(
            "eqtrade_snapshot_age_seconds", "Since the last snapshot was taken",
            None if snapshot is None else snapshot.taken_at, now,
        ),
    ]  # fmt: skip


def _verified(now: datetime) -> list[Metric]:
    last = last_verification()
    return [
        _gauge(
            "eqtrade_verification_breaks", "Numbers that the last verification found wrong",
            0 if last is None else last.breaks,
        ),
        *_ages(
            "eqtrade_verification_age_seconds", "Since the last verification ended",
            None if last is None else last.finished_at, now,
        ),
    ]  # fmt: skip


def _ages(name: str, text: str, since: datetime | None, now: datetime) -> list[Metric]:
    """None where it never was."""
    return [] if since is None else [_gauge(name, text, (now - since).total_seconds())]


def _certificate(now: datetime) -> list[Metric]:
    try:
        end = certificate_end()
    except redis.RedisError:
        end = None
    text = "Until the certificate ends that callers of PUBLIC_URL see"
    left = [] if end is None else [(end - now).total_seconds()]
    return [_gauge("eqtrade_certificate_seconds", text, seconds) for seconds in left]


def _breaches() -> Metric:
    """Zeros included: an alert needs a series that is always there."""
    open_ones = GaugeMetricFamily(
        "eqtrade_limit_breaches_open", "Limits that are warned of or exceeded", labels=["state"]
    )
    for state, count in breaches_open().items():
        open_ones.add_metric([state], count)
    return open_ones


def _gauge(name: str, text: str, value: float) -> Metric:
    gauge = GaugeMetricFamily(name, text)
    gauge.add_metric([], value)
    return gauge


def _prices(now: datetime) -> list[Metric]:
    found, answered, closed = coverage(now), source_health(), closes_health(now)
    failures = CounterMetricFamily(
        "eqtrade_price_fetch_failures", "Calls of the price source that failed", labels=["kind"]
    )
    for kind, count in answered.failures.items():
        failures.add_metric([kind], count)
    missing = GaugeMetricFamily(
        "eqtrade_closes_missing", "Instruments without a close of the session", labels=["session"]
    )
    for each in closed:
        missing.add_metric([each.session.isoformat()], each.missing)
    return [
        _gauge("eqtrade_price_coverage", "Share of instruments with a fresh mark", found.coverage),
        _held_back(),
        _gauge("eqtrade_price_stale", "Instruments with a stale mark", found.stale),
        _gauge(
            "eqtrade_price_age_seconds", "Age of the oldest mark", found.oldest_age_seconds or 0
        ),
        _gauge(
            "eqtrade_price_fetch_seconds",
            "How long the source took to answer the last call",
            answered.fetch_seconds or 0,
        ),
        _gauge(
            "eqtrade_price_failures_in_a_row",
            "Failed calls of the source since the last that was answered",
            answered.failures_in_a_row,
        ),
        failures,
        missing,
    ]


def _held_back() -> Metric:
    """Zeros included: an alert needs a series that is always there."""
    held = GaugeMetricFamily(
        "eqtrade_prices_held_back", "Prices that wait for a person's decision", labels=["kind"]
    )
    counted = Counter(doubt.kind for doubt in doubts_held())
    for kind in CloseDoubt.Kind:
        held.add_metric([kind], counted[kind])
    return held


def _queues() -> list[Metric]:
    waiting = GaugeMetricFamily("eqtrade_queue_waiting", "Messages in a queue", labels=["queue"])
    try:
        lengths = queue_lengths()
    except redis.RedisError:
        return [_gauge("eqtrade_redis_up", "Whether Redis answers", 0)]
    for name, length in lengths.items():
        waiting.add_metric([name], length)
    return [_gauge("eqtrade_redis_up", "Whether Redis answers", 1), waiting]


_LIVE = {
    "connections": "Open websockets",
    "boards": "Accounts that somebody watches",
    "rows": "Rows that are held of them",
    "unsent_bytes": "Given to sockets and not taken by clients",
    "snapshots": "Snapshots sent",
    "updates": "Updates sent",
    "readings": "Readings of the database",
    "reading_seconds": "CPU seconds of reading",
    "read_seconds": "Seconds from the begin of each reading to its end",
    "comparing_seconds": "CPU seconds of marking what may have changed and comparing what was read",
    "composing_seconds": "CPU seconds of composing what is sent",
    "cut_off": "Connections ended because they read too slowly",
    "differences": "Boards that, read again whole, differed without a notice",
}
_OF_NOW = ("connections", "boards", "rows", "unsent_bytes")


def _live() -> list[Metric]:
    """Of each ws process, by what it left in Redis."""
    try:
        processes = read_figures()
    except redis.RedisError:
        return []
    found: list[Metric] = []
    for name, text in _LIVE.items():
        family = GaugeMetricFamily if name in _OF_NOW else CounterMetricFamily
        metric = family(f"eqtrade_live_{name}", text, labels=["process"])
        for figures in processes:
            metric.add_metric([figures.process], getattr(figures, name))
        found.append(metric)
    return found


class _AsIs(BaseRenderer):
    media_type = "text/plain"
    format = "txt"

    def render(self, data: object, *_: object, **__: object) -> object:
        return data


@extend_schema(exclude=True)
@api_view(["GET"])
@renderer_classes([_AsIs])
def metrics(request: Request) -> HttpResponse:
    """For staff, by session or by token; a scraper uses the latter."""
    registry = CollectorRegistry()
    registry.register(_State())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
