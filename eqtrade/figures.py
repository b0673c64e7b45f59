"""The system's figures as lines of a log, from which CloudWatch makes metrics by itself: nothing
has to be let in to read them, and no part needs a right to write anything but its log.

The form is CloudWatch's embedded metric format. Each figure is there as a whole, with the values of
all its labels together (the largest, the average and the sum are for the reader to ask), and the
ledger's lag also by consumer.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from prometheus_client.core import Metric

NAMESPACE = "eqtrade"
BY = "consumer"
# More values than that a metric may not have in one line.
MOST_VALUES = 100


def lines(figures: Iterable[Metric], at: datetime) -> list[str]:
    """A line for all, and one for each consumer of the ledger. Counters, which only grow, are left
    out."""
    whole: dict[str, list[float]] = defaultdict(list)
    by_consumer: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for figure in figures:
        if figure.type != "gauge":
            continue
        for sample in figure.samples:
            whole[figure.name].append(sample.value)
            if BY in sample.labels:
                by_consumer[sample.labels[BY]][figure.name].append(sample.value)
    each = [_line(values, {BY: name}, at) for name, values in sorted(by_consumer.items())]
    return [_line(whole, {}, at), *each]


def _line(figures: dict[str, list[float]], labels: dict[str, str], at: datetime) -> str:
    told = {
        "_aws": {
            "Timestamp": int(at.timestamp() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [list(labels)],
                    "Metrics": [{"Name": name} for name in figures],
                }
            ],
        },
        **labels,
    }
    return json.dumps({**told, **{name: _few(values) for name, values in figures.items()}})


def _few(values: list[float]) -> list[float]:
    """The largest of them: what an alarm asks for."""
    return sorted(values, reverse=True)[:MOST_VALUES]
