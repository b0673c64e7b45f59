"""Alerts and dashboards: as they are written, of metrics that there are, each with a page, each
fired by a made-up series."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families as parsed

from blotter.live.figures import Figures, write_figures
from deploy.aws.costs import METRICS
from deploy.monitoring.__main__ import WRITTEN
from deploy.monitoring.alerts import ALERTS, JOB, RUNBOOKS
from deploy.monitoring.dashboard import ACROSS, dashboard, expressions
from deploy.promtool import PROMTOOL
from deploy.thresholds import FIGURES
from eqtrade.figures import lines
from eqtrade.metrics import state
from eqtrade.up.options import PROJECT
from eqtrade.up.postgres import PostgresServer
from eqtrade.up.valkey import ValkeyServer
from kernel import clock
from tests import factories as make
from trades.models import Verification

RULES = PROJECT / "deploy/monitoring/alerts.yml"
UP, FAILED = f'up{{job="{JOB}"}}', 'eqtrade_booking_seconds_count{outcome="failed"}'
UNKNOWN = 'eqtrade_token_calls_total{outcome="unknown"}'
# What fires each of those that are no threshold, and what does not. `a+bxn` grows by b each minute.
COUNTED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "NoFigures": ({UP: "0x60"}, {UP: "1x60"}),
    "BookingsFail": ({FAILED: "0+1x60"}, {FAILED: "7x60"}),
    "BookingsSlow": (
        {f'eqtrade_booking_seconds_bucket{{le="{le}"}}': rate
         for le, rate in (("0.5", "0+90x60"), ("1.0", "0+100x60"), ("+Inf", "0+100x60"))},
        {f'eqtrade_booking_seconds_bucket{{le="{le}"}}': rate
         for le, rate in (("0.5", "0+99x60"), ("1.0", "0+100x60"), ("+Inf", "0+100x60"))},
    ),
    "TokensRefused": ({UNKNOWN: "0+90x60"}, {UNKNOWN: "0+50x60"}),
    "LiveDiffers": (
        {'eqtrade_live_differences_total{process="a"}': "0 0 1x60"},
        {'eqtrade_live_differences_total{process="a"}': "3x60"},
    ),
}  # fmt: skip
SCHEMA = {
    "type": "object",
    "required": ["uid", "title", "schemaVersion", "panels", "time", "refresh"],
    "properties": {
        "uid": {"type": "string", "maxLength": 40},
        "schemaVersion": {"type": "integer", "minimum": 36},
        "panels": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/panel"}},
    },
    "$defs": {
        "place": {
            "type": "object",
            "required": ["x", "y", "w", "h"],
            "additionalProperties": {"type": "integer", "minimum": 0},
        },
        "panel": {
            "type": "object",
            "required": ["id", "type", "title", "gridPos"],
            "properties": {
                "id": {"type": "integer", "minimum": 1},
                "type": {"enum": ["row", "timeseries"]},
                "title": {"type": "string", "minLength": 1},
                "gridPos": {"$ref": "#/$defs/place"},
                "targets": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["refId", "expr", "legendFormat", "datasource"],
                        "properties": {"datasource": {"required": ["type", "uid"]}},
                    },
                },
            },
            "if": {"properties": {"type": {"const": "timeseries"}}},
            "then": {"required": ["targets", "datasource", "fieldConfig", "options"]},
        },
    },
}


def test_the_files_are_as_they_are_written() -> None:
    for file, text in WRITTEN.items():
        assert file.read_text() == text(), "python -m deploy.monitoring"


def titles(page: Path) -> set[str]:
    return {
        re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-")
        for line in page.read_text().splitlines()
        if line.startswith("#")
    }


def test_each_alert_has_a_page_that_is_there() -> None:
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    assert len(rules) == len(FIGURES) + len(COUNTED)
    for rule in rules:
        assert rule["annotations"]["summary"]
        page, _, title = rule["annotations"]["runbook"].partition("#")
        assert page.startswith(RUNBOOKS)
        assert not title or title in titles(PROJECT / page), rule["alert"]


@pytest.fixture
def served(committed_db: PostgresServer, settings: Any) -> Iterator[set[str]]:
    """The names on /metrics, with Redis, a ws process, and a verification."""
    with ValkeyServer.temporary() as server:
        settings.REDIS_URL = server.url()
        write_figures(Figures())
        now = clock.now()
        Verification.objects.create(started_at=now, finished_at=now, breaks=0)
        staff = Client()
        staff.force_login(make.make_user("ops", is_staff=True))
        text = staff.get("/metrics").content.decode()
        yield {sample.name for family in parsed(text) for sample in family.samples}


def test_every_metric_that_is_named_is_there(served: set[str]) -> None:
    # None of these has been taken, counted, or looked at, before it happens first.
    later = {
        *("eqtrade_snapshot_age_seconds", "eqtrade_price_fetch_failures_total"),
        "eqtrade_certificate_seconds",
    }
    named = {
        name
        for expression in [*expressions(), *(alert.expression for alert in ALERTS)]
        for name in re.findall(r"eqtrade_\w+", expression)
    }
    assert len(named) > 30
    assert named - served <= later


@pytest.mark.usefixtures("served")
def test_each_figure_that_cloudwatch_makes_a_metric_of_is_paid() -> None:
    told = [json.loads(line)["_aws"] for line in lines(state(), clock.now())]
    names = [
        m["Name"] for each in told for one in each["CloudWatchMetrics"] for m in one["Metrics"]
    ]
    # No snapshot has been taken, no certificate looked at.
    assert len(names) + 2 == METRICS


# --- the alerts, tried ---------------------------------------------------------------------------

promtool = pytest.mark.skipif(
    not PROMTOOL.exists(),
    reason="promtool is not here: `make test` gets it from Debian (deploy/promtool.py)",
)


def series(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"series": name, "values": value} for name, value in values.items()]


def case(alert: Any, values: dict[str, str], *, fires: bool) -> dict[str, Any]:
    """Some minutes after it is due it fires, or nothing of this name does."""
    minute = alert.minutes + 6
    expected = {
        "exp_labels": {"job": JOB} if alert.name == "NoFigures" else {},
        "exp_annotations": {"runbook": f"{RUNBOOKS}{alert.runbook}"},
    }
    return {
        "interval": "1m",
        "name": f"{alert.name}, {'beyond' if fires else 'within'}",
        "input_series": series(values),
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": alert.name,
             "exp_alerts": [expected] if fires else []},
        ],
    }  # fmt: skip


def tries() -> Iterator[dict[str, Any]]:
    by_name = {alert.name: alert for alert in ALERTS}
    for name, (beyond, within) in COUNTED.items():
        yield case(by_name[name], beyond, fires=True)
        yield case(by_name[name], within, fires=False)
    for threshold, alert in zip(FIGURES, ALERTS[len(COUNTED) :], strict=True):
        step = -0.5 if threshold.below else 0.5
        one, other = (f'{threshold.figure}{{shard="{n}"}}' for n in (0, 1))
        good, bad = f"{threshold.beyond:.15g}x60", f"{threshold.beyond + step:.15g}x60"
        # The worst counts, and what stands just on it is no alarm.
        yield case(alert, {one: good, other: bad}, fires=True)
        yield case(alert, {one: good, other: good}, fires=False)


@promtool
def test_each_alert_fires_beyond_its_threshold_and_not_within(tmp_path: Path) -> None:
    """Of what is told, page and name are compared: the words hold a number."""
    rules = yaml.safe_load(RULES.read_text())
    for rule in rules["groups"][0]["rules"]:
        del rule["annotations"]["summary"]
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(rules))
    tests = {"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": list(tries())}
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(tests))
    done = subprocess.run(
        [PROMTOOL, "test", "rules", "tests.yml"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(tests["tests"]) == 2 * len(ALERTS)


@promtool
def test_prometheus_reads_rules_and_expressions(tmp_path: Path) -> None:
    (tmp_path / "all.yml").write_text(
        yaml.safe_dump(
            {"groups": [{"name": "all", "rules": [
                {"record": f"a{n}", "expr": expr} for n, expr in enumerate(expressions())]}]}
        )
    )  # fmt: skip
    done = subprocess.run(
        [PROMTOOL, "check", "rules", RULES, tmp_path / "all.yml"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


# --- the dashboard -------------------------------------------------------------------------------


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    found = json.loads((PROJECT / "deploy/monitoring/dashboards/eqtrade.json").read_text())
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(found)
    panels = found["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= ACROSS
        cells = {
            (place["x"] + dx, place["y"] + dy)
            for dx in range(place["w"])
            for dy in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    source = yaml.safe_load((PROJECT / "deploy/monitoring/grafana/source.yml").read_text())
    (ours,) = source["datasources"]
    assert {t["datasource"]["uid"] for p in panels for t in p.get("targets", ())} == {ours["uid"]}
    assert dashboard() == found


# --- without a login -----------------------------------------------------------------------------


def test_the_port_that_prometheus_asks_is_the_one_that_is_served() -> None:
    services = yaml.safe_load((PROJECT / "docker-compose.monitoring.yml").read_text())["services"]
    config = yaml.safe_load((PROJECT / "deploy/monitoring/prometheus.yml").read_text())
    (scraped,) = config["scrape_configs"]
    assert scraped["job_name"] == JOB
    _, _, _, port = services["figures"]["command"]
    assert scraped["static_configs"] == [{"targets": [f"figures:{port}"]}]
    assert "ports" not in services["figures"]
    assert set(services["figures"]["networks"]) == {"data", "figures"}
