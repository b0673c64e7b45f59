"""The alerts of Prometheus: those of deploy/thresholds.py, and those of what is counted."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from deploy.thresholds import FIGURES, Threshold

RUNBOOKS = "docs/runbooks/"
JOB = "eqtrade"


@dataclass(frozen=True)
class Alert:
    """`says` is for whoever is woken; `runbook` is under docs/runbooks."""

    name: str
    expression: str
    minutes: int
    runbook: str
    says: str


# In what deploy/thresholds.py has not: how fast something grows, and what is not there.
COUNTED = (
    Alert("NoFigures", f'absent(up{{job="{JOB}"}}) or up{{job="{JOB}"}} == 0', 5,
          "monitoring.md#no-figures", "The figures can't be had: nothing below would be heard."),
    Alert("BookingsFail",
          'sum(increase(eqtrade_booking_seconds_count{outcome="failed"}[5m])) > 0', 1,
          "monitoring.md#bookings-fail-or-are-slow",
          "Bookings fail: {{ $value | humanize }} in 5 minutes."),
    Alert("BookingsSlow",
          "histogram_quantile(0.95, sum by (le) (rate(eqtrade_booking_seconds_bucket[5m]))) > 0.5",
          10, "monitoring.md#bookings-fail-or-are-slow",
          "One booking in twenty takes {{ $value | humanize }} s or more."),
    Alert("TokensRefused",
          'sum(rate(eqtrade_token_calls_total{outcome="unknown"}[5m])) > 1', 10,
          "monitoring.md#tokens-are-refused",
          "Unknown tokens are tried, {{ $value | humanize }} a second."),
    Alert("LiveDiffers", "sum(increase(eqtrade_live_differences_total[15m])) > 0", 1,
          "monitoring.md#live-pages-differ",
          "Boards differed from the database without a notice: {{ $value | humanize }}."),
)  # fmt: skip


def of_threshold(each: Threshold) -> Alert:
    """The worst of all its labels counts, as in CloudWatch."""
    worst, sign = ("min", "<") if each.below else ("max", ">")
    beyond = f"{each.beyond:.15g}"
    words = each.figure.removeprefix("eqtrade_").split("_")
    return Alert(
        name="".join(word.capitalize() for word in words),
        expression=f"{worst}({each.figure}) {sign} {beyond}",
        minutes=each.minutes,
        runbook=each.runbook,
        says=f"{each.figure} is {{{{ $value | humanize }}}}: {'below' if each.below else 'beyond'}"
        f" {beyond} for {each.minutes} minutes.",
    )


ALERTS = (*COUNTED, *map(of_threshold, FIGURES))


def lines() -> Iterator[str]:
    """The rules as Prometheus reads them."""
    yield "# Written by `python -m deploy.monitoring`, never by hand."
    yield "groups:"
    yield "  - name: eqtrade"
    yield "    rules:"
    for each in ALERTS:
        yield f"      - alert: {each.name}"
        yield f"        expr: {json.dumps(each.expression)}"
        yield f"        for: {each.minutes}m"
        yield "        annotations:"
        yield f"          summary: {json.dumps(each.says)}"
        yield f"          runbook: {RUNBOOKS}{each.runbook}"


def text() -> str:
    return "\n".join(lines()) + "\n"
