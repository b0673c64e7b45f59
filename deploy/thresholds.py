"""From which figures on somebody is woken, and the page that says what to do: for CloudWatch
(deploy/aws/alarms.py) and for Prometheus (deploy/monitoring/) alike. Standard library only.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Threshold:
    """Alarm when the figure is beyond it for so many minutes; `runbook` is under docs/runbooks."""

    figure: str
    beyond: float
    minutes: int
    runbook: str
    below: bool = False


# Names of figures are those of eqtrade/metrics.py.
FIGURES = (
    Threshold("eqtrade_ledger_lag_seconds", 60, 5, "recover.md#positions-lag"),
    Threshold("eqtrade_ledger_horizon_age_seconds", 300, 3, "recover.md#positions-lag"),
    Threshold("eqtrade_ledger_quarantined", 0, 1, "recover.md#an-account-is-in-quarantine"),
    Threshold("eqtrade_ledger_same_cluster", 1, 1,
              "recover.md#the-database-was-restored-into-another-cluster", below=True),
    Threshold("eqtrade_verification_breaks", 0, 1, "recover.md#are-the-numbers-right"),
    # It is done each night.
    Threshold("eqtrade_verification_age_seconds", 26 * 3600, 5, "recover.md#are-the-numbers-right"),
    Threshold("eqtrade_restates_oldest_seconds", 1800, 5, "past-pnl.md"),
    Threshold("eqtrade_snapshots_overdue", 0, 30, "past-pnl.md"),
    Threshold("eqtrade_snapshots_unbegun", 0, 30, "past-pnl.md"),
    Threshold("eqtrade_prices_held_back", 0, 30, "doubtful-closes.md"),
    Threshold("eqtrade_price_failures_in_a_row", 10, 5, "prices.md"),
    Threshold("eqtrade_queue_waiting", 1000, 10, "recover.md#positions-lag"),
    Threshold("eqtrade_certificate_seconds", 14 * 86_400, 30,
              "monitoring.md#the-certificate-ends-soon", below=True),
    Threshold("eqtrade_redis_up", 1, 3, "monitoring.md#redis-is-away", below=True),
)  # fmt: skip
