"""Prometheus beside the system: what it reads, and that what goes wrong is told and taken back."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import requests

from deploy.monitoring.alerts import ALERTS
from deploy.monitoring.dashboard import expressions
from eqtrade.queues import LEDGER_READERS
from kernel import clock
from tests.compose.desk import Desk
from tests.compose.project import BASE_BUILDS, FILES, Failed, Project
from tests.stack.eventually import eventually
from tests.stack.running import free_port

MONITORED = (*FILES, "docker-compose.monitoring.yml", "tests/compose/pager.yml")
BUILDS = {**BASE_BUILDS, "eqtrade-prometheus": ("-f", "deploy/monitoring/Dockerfile")}
PAGER = "pager:9093"
# Not there before it happens first: a snapshot, a verification of a night, a failed call. Without
# TLS there is no certificate.
LATER = (
    *("snapshot_age_seconds", "verification_age_seconds", "price_fetch_failures_total"),
    "certificate_seconds",
)
STOPPED = "worker-positions"
FIRES_SECONDS = 600.0
"""A lag of a minute that lasts five, and what lies between."""
ENDS_SECONDS = 420.0
"""What is counted over five minutes is out of sight after them."""


def monitored(*, digests: bool = False) -> Project:
    ways = {n: f"127.0.0.1:{free_port()}" for n in ("PROMETHEUS_PUBLISH", "GRAFANA_PUBLISH")}
    return Project(MONITORED, BUILDS, {**ways, "ALERTMANAGERS": PAGER}, digests=digests)


class Monitoring:
    """The steps, in order. Grafana is started where its image is."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.project = desk, desk.project
        self._began: dict[str, float] = {}

    def steps(self) -> list[tuple[str, Callable[[], str | None]]]:
        return [
            ("up, with Prometheus, and every part healthy", self.up),
            ("an administrator, instruments, closes, an account", self.desk.prepare),
            ("each target is up, each rule is read", self.reads),
            ("every line of the dashboard has its figures", self.draws),
            ("the dashboard in Grafana", self.grafana),
            ("a worker stopped, the database restarted: both are told", self.fires),
            ("started again: both are taken back", self.ends),
            ("every acknowledged booking is there, once", self.desk.all_there),
        ]

    def up(self) -> str:
        self._has_grafana = self._grafana_is_here()
        how = () if self._has_grafana else ("--pull", "never", "--scale", "grafana=0")
        self.project.compose("up", "-d", "--no-build", *how, seconds=400)
        self.project.wait_well(api=1, ws=1, figures=1, prometheus=1, pager=1)
        said = self.project.compose("exec", "-T", "prometheus", "prometheus", "--version")
        return said.splitlines()[0]

    def _grafana_is_here(self) -> bool:
        try:
            self.project.compose("pull", "--quiet", "--policy", "missing", "grafana")
        except Failed:
            return False
        return True

    # --- what it reads --------------------------------------------------------------------------

    def reads(self) -> str:
        def look() -> list[dict[str, Any]]:
            targets: list[dict[str, Any]] = self._ask("targets")["activeTargets"]
            assert targets, "it asks nobody"
            assert {t["health"] for t in targets} == {"up"}, targets
            return targets

        targets = eventually(look, seconds=90)
        (group,) = self._ask("rules")["groups"]
        names = [rule["name"] for rule in group["rules"]]
        assert names == [alert.name for alert in ALERTS], names

        def evaluated() -> None:
            (group,) = self._ask("rules")["groups"]
            assert {rule["health"] for rule in group["rules"]} == {"ok"}, group

        eventually(evaluated, seconds=90)
        return f"{len(targets)} target, {len(names)} rules"

    def draws(self) -> str:
        """While bookings go on and somebody watches. Each reader of the ledger has its line."""
        with self.desk.booker() as trickle, self.desk.live():
            trickle.wait_more(10)
            drawn = expressions()

            def look() -> list[str]:
                empty = [e for e in drawn if not self._query(e)]
                assert all(any(name in e for name in LATER) for e in empty), empty
                return empty

            empty = eventually(look, seconds=120)
            lags = self._by("max by (consumer) (eqtrade_ledger_lag_seconds)", "consumer")
        assert set(lags) == {reader.consumer for reader in LEDGER_READERS}, lags
        return f"{len(drawn) - len(empty)} of {len(drawn)}; readers {', '.join(sorted(lags))}"

    def grafana(self) -> str:
        if not self._has_grafana:
            return "not started: its image can't be had here"
        at = self._published("grafana", 3000)
        password = (self.project.secrets_dir / "grafana_password").read_text()
        answer = requests.get(
            f"{at}/api/dashboards/uid/eqtrade", auth=("admin", password), timeout=30
        )
        assert answer.status_code == 200, answer.text
        panels = answer.json()["dashboard"]["panels"]
        return f"{len(panels)} panels"

    # --- what it tells --------------------------------------------------------------------------

    def fires(self) -> str:
        """Two at once: positions are not applied, and some bookings fail."""
        with self.desk.booker() as trickle:
            trickle.wait_more(10)
            self._began = {"LedgerLagSeconds": time.monotonic(), "BookingsFail": time.monotonic()}
            for one in self.project.containers(STOPPED):
                self.project.docker("stop", one.id)
            (database,) = self.project.containers("postgres")
            self.project.docker("kill", database.id)
            time.sleep(5)
            self.project.docker("start", database.id)
            trickle.wait_more(10)
        fired = {name: self._wait_fired(name) for name in ("BookingsFail", "LedgerLagSeconds")}
        lags = self._by("max by (consumer) (eqtrade_ledger_lag_seconds)", "consumer")
        assert {name for name, lag in lags.items() if lag > 60} == {"positions", "settlement"}, lags
        return ", ".join(f"{name} after {seconds:.0f} s" for name, seconds in fired.items())

    def _wait_fired(self, name: str) -> float:
        """Seconds until who tells people was told, with the page that says what to do."""
        (alert,) = (alert for alert in ALERTS if alert.name == name)

        def look() -> dict[str, Any]:
            told = self._told(name)
            assert told, f"{name}: {self._ask('alerts')}"
            return told[-1]

        told = eventually(look, seconds=FIRES_SECONDS)
        assert told["annotations"]["runbook"].endswith(alert.runbook), told
        return time.monotonic() - self._began[name]

    def ends(self) -> str:
        for one in self.project.containers(STOPPED):
            self.project.docker("start", one.id)
        self.project.wait_well()
        began = time.monotonic()

        def look() -> None:
            assert not self._ask("alerts")["alerts"], self._ask("alerts")
            for name in self._began:
                until = datetime.fromisoformat(self._told(name)[-1]["endsAt"])
                assert until <= clock.now(), f"{name} goes on until {until}"

        eventually(look, seconds=ENDS_SECONDS)
        return f"no alert {time.monotonic() - began:.0f} s later, both told as ended"

    def _told(self, name: str) -> list[dict[str, Any]]:
        """All that the pager was told of this alert, in its order."""
        (pager,) = self.project.containers("pager")
        lines = self.project.docker("logs", pager.id).splitlines()
        alerts = [alert for line in lines if line.startswith("[") for alert in json.loads(line)]
        return [alert for alert in alerts if alert["labels"]["alertname"] == name]

    # --- means ----------------------------------------------------------------------------------

    def _published(self, service: str, port: int) -> str:
        return "http://" + self.project.compose("port", service, str(port)).strip()

    def _ask(self, what: str, **parameters: str) -> Any:
        at = self._published("prometheus", 9090)
        answer = requests.get(f"{at}/api/v1/{what}", params=parameters, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def _query(self, expression: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("query", query=expression)["result"]
        return found

    def _by(self, expression: str, label: str) -> Mapping[str, float]:
        return {row["metric"][label]: float(row["value"][1]) for row in self._query(expression)}
