"""The dashboard of Grafana: rows of panels, each with its expressions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SOURCE = {"type": "prometheus", "uid": "prometheus"}
ACROSS, WIDTH, HEIGHT = 24, 8, 7


@dataclass(frozen=True)
class Panel:
    """Lines over time, by their legend; `{{label}}` in it is the series' own."""

    title: str
    unit: str
    lines: dict[str, str]


def _quantile(of: str, name: str, by: str = "le") -> str:
    return f"histogram_quantile({of}, sum by ({by}) (rate({name}_bucket[5m])))"


_TOOK, _APPLIED = "eqtrade_booking_seconds", "eqtrade_ledger_entries_applied_total"
ROWS: dict[str, tuple[Panel, ...]] = {
    "Bookings": (
        Panel("Requests to book, by what came of them", "reqps",
              {"{{outcome}}": f"sum by (outcome) (rate({_TOOK}_count[5m]))"}),
        Panel("How long one took", "s", {"half": _quantile("0.5", _TOOK),
              "19 of 20": _quantile("0.95", _TOOK), "99 of 100": _quantile("0.99", _TOOK)}),
        Panel("Versions of trades written", "cps",
              {"{{change}}": "sum by (change) (rate(eqtrade_trade_versions_total[5m]))"}),
    ),
    "Ledger": (
        Panel("Lag", "s", {"{{consumer}}": "max by (consumer) (eqtrade_ledger_lag_seconds)"}),
        Panel("A reader's batch, 19 of 20", "s",
              {"{{consumer}}": _quantile("0.95", "eqtrade_ledger_batch_seconds", "consumer, le")}),
        Panel("Entries applied", "cps",
              {"{{consumer}}": f"sum by (consumer) (rate({_APPLIED}[5m]))"}),
        Panel("Oldest transaction", "s", {"age": "max(eqtrade_ledger_horizon_age_seconds)"}),
        Panel("Waiting in queues", "short",
              {"{{queue}}": "max by (queue) (eqtrade_queue_waiting)"}),
        Panel("Rows of imports", "cps",
              {"{{outcome}}": "sum by (outcome) (rate(eqtrade_import_rows_total[5m]))"}),
    ),
    "Live pages": (
        Panel("Open websockets", "short", {"{{process}}": "eqtrade_live_connections"}),
        Panel("Frames sent", "cps", {
            "updates": "sum(rate(eqtrade_live_updates_total[5m]))",
            "snapshots": "sum(rate(eqtrade_live_snapshots_total[5m]))"}),
        Panel("A reading of the hub, mean", "s", {
            "from begin to end": "sum(rate(eqtrade_live_read_seconds_total[5m]))"
                                 " / sum(rate(eqtrade_live_readings_total[5m]))",
            "of CPU": "sum(rate(eqtrade_live_reading_seconds_total[5m]))"
                      " / sum(rate(eqtrade_live_readings_total[5m]))"}),
    ),
    "Prices and days": (
        Panel("Share of instruments with a fresh mark", "percentunit",
              {"fresh": "min(eqtrade_price_coverage)"}),
        Panel("Age", "s", {"the oldest mark": "max(eqtrade_price_age_seconds)",
              "the last snapshot": "max(eqtrade_snapshot_age_seconds)",
              "the last verification": "max(eqtrade_verification_age_seconds)"}),
        Panel("To be looked at", "short", {
            "breaks": "max(eqtrade_verification_breaks)",
            "prices held back": "sum(eqtrade_prices_held_back)",
            "accounts in quarantine": "max(eqtrade_ledger_quarantined)",
            "limits {{state}}": "sum by (state) (eqtrade_limit_breaches_open)",
            "snapshots overdue": "max(eqtrade_snapshots_overdue)",
            "restatements": "max(eqtrade_restates_waiting)"}),
        Panel("Calls of the price source that failed", "cps",
              {"{{kind}}": "sum by (kind) (rate(eqtrade_price_fetch_failures_total[5m]))"}),
        Panel("Requests with a token, by what came of it", "reqps",
              {"{{outcome}}": "sum by (outcome) (rate(eqtrade_token_calls_total[5m]))"}),
        Panel("Tokens that let a program in", "short", {"tokens": "max(eqtrade_tokens)"}),
        Panel("Until the certificate of PUBLIC_URL ends", "s",
              {"left": "min(eqtrade_certificate_seconds)"}),
    ),
}  # fmt: skip


def expressions() -> list[str]:
    return [e for panels in ROWS.values() for panel in panels for e in panel.lines.values()]


def dashboard() -> dict[str, Any]:
    return {
        "uid": "eqtrade",
        "title": "eqtrade",
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "tags": ["eqtrade"],
        "templating": {"list": []},
        "annotations": {"list": []},
        "panels": list(_panels()),
    }


def _panels() -> Iterator[dict[str, Any]]:
    number = y = 0
    for title, panels in ROWS.items():
        number += 1
        place = {"x": 0, "y": y, "w": ACROSS, "h": 1}
        yield {"id": number, "type": "row", "title": title, "gridPos": place, "collapsed": False,
               "panels": []}  # fmt: skip
        y += 1
        for nth, panel in enumerate(panels):
            number += 1
            x = nth * WIDTH % ACROSS
            yield _panel(panel, number, x, y + nth * WIDTH // ACROSS * HEIGHT)
        y += (len(panels) * WIDTH + ACROSS - 1) // ACROSS * HEIGHT


def _panel(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {"refId": chr(ord("A") + nth), "datasource": SOURCE, "expr": expr, "legendFormat": name}
            for nth, (name, expr) in enumerate(panel.lines.items())
        ],
    }


def text() -> str:
    return json.dumps(dashboard(), indent=2) + "\n"
