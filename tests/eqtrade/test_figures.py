"""Figures as CloudWatch reads them: every alarm's figure is there, and zeros too."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from io import StringIO

import pytest
import requests
from django.core.management import call_command
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from deploy.thresholds import FIGURES
from eqtrade.figures import MOST_VALUES, lines
from eqtrade.up.options import PROJECT
from eqtrade.up.postgres import PostgresServer

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def test_labels_come_together_and_the_lag_by_consumer() -> None:
    lag = GaugeMetricFamily("lag", "", labels=["consumer", "shard"])
    for consumer, shard, value in (("pnl", "0", 1), ("pnl", "1", 3), ("positions", "0", 2)):
        lag.add_metric([consumer, shard], value)
    up = GaugeMetricFamily("up", "", value=1)
    grows = CounterMetricFamily("grows", "", value=7)
    whole, pnl, positions = (json.loads(line) for line in lines([lag, up, grows], AT))
    assert (whole["lag"], whole["up"]) == ([3, 2, 1], [1])
    assert "grows" not in whole
    assert (pnl["consumer"], pnl["lag"]) == ("pnl", [3, 1])
    assert (positions["consumer"], positions["lag"]) == ("positions", [2])
    (told,) = pnl["_aws"]["CloudWatchMetrics"]
    assert told == {
        "Namespace": "eqtrade",
        "Dimensions": [["consumer"]],
        "Metrics": [{"Name": "lag"}],
    }
    assert pnl["_aws"]["Timestamp"] == 1_772_463_600_000


def test_the_largest_of_many_are_told() -> None:
    many = GaugeMetricFamily("many", "", labels=["one"])
    for number in range(300):
        many.add_metric([str(number)], number)
    (line,) = lines([many], AT)
    assert json.loads(line)["many"] == list(range(299, 299 - MOST_VALUES, -1))


@pytest.mark.usefixtures("committed_db")
def test_every_alarm_has_its_figure() -> None:
    """Also when nothing is wrong, and without Redis."""
    said = StringIO()
    call_command("figures", times=1, stdout=said)
    told = [json.loads(line) for line in said.getvalue().splitlines()]
    names = set(told[0]) - {"_aws"}
    asked = {each.figure for each in FIGURES} | {
        word
        for word in (PROJECT / "deploy/aws/alarms.py").read_text().split('"')
        if word.startswith("eqtrade_") and word != "eqtrade_"
    }
    assert len(asked) > 8
    # What lies in Redis can't be told without it; that it is not there, is.
    assert asked - names == {
        *("eqtrade_queue_waiting", "eqtrade_live_connections", "eqtrade_certificate_seconds"),
        # Nothing was verified yet.
        "eqtrade_verification_age_seconds",
    }
    assert told[0]["eqtrade_redis_up"] == [0]
    assert {one["consumer"] for one in told[1:]} >= {"positions", "pnl"}


def test_they_are_served_to_who_has_no_login(committed_db: PostgresServer) -> None:
    """As the part `figures` of docker-compose.monitoring.yml does, and again after each other."""
    served = subprocess.Popen(
        [sys.executable, "manage.py", "figures", "--serve", "0", "--host", "127.0.0.1"],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": committed_db.url("runtime"), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert served.stdout is not None
        port = served.stdout.readline().rpartition(" ")[2].strip()
        for _ in range(2):
            answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30)
            assert answer.status_code == 200
            assert "eqtrade_ledger_same_cluster 1.0" in answer.text
    finally:
        served.kill()
        served.wait()
