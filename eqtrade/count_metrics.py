"""What is counted as it happens (`kernel.counts`), as Prometheus has it."""

from collections.abc import Mapping
from math import isinf

import redis
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

# Each declares what it counts.
import trades.counted
import trades.ledger.counted  # noqa: F401
from kernel.counts import Counted, Durations, declared, read_counts


def counts() -> list[Metric]:
    """Zeros included. None at all without Redis, where they are kept."""
    try:
        found = read_counts()
    except redis.RedisError:
        return []
    return [_family(each, found) for each in declared()]


def _family(each: Counted, found: Mapping[str, float]) -> Metric:
    name, labels = f"eqtrade_{each.name}", list(each.labels)
    if not isinstance(each, Durations):
        counter = CounterMetricFamily(name, each.text, labels=labels)
        for row in each.rows():
            counter.add_metric(list(row.values()), found.get(each.field(row), 0))
        return counter
    histogram = HistogramMetricFamily(name, each.text, labels=labels)
    for row in each.rows():
        field, so_far, buckets = each.field(row), 0.0, []
        for bound in each.bounds:
            so_far += found.get(f"{field}|{bound}", 0)
            buckets.append(("+Inf" if isinf(bound) else str(float(bound)), so_far))
        histogram.add_metric(list(row.values()), buckets, found.get(f"{field}|sum", 0))
    return histogram
