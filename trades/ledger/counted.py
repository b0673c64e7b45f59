"""What is counted of the ledger's readers (`kernel.counts`)."""

from kernel.counts import counter, durations
from trades.ledger.registry import consumers

BATCH_SECONDS = durations(
    "ledger_batch_seconds",
    "How long a reader took for a round, or for one shard that had much",
    *(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
    consumer=consumers,
)
ENTRIES_APPLIED = counter(
    "ledger_entries_applied", "Ledger entries that a reader has applied", consumer=consumers
)


def batch_done(consumer: str, entries: int, seconds: float) -> None:
    """Count a batch; one that found nothing is none."""
    if entries:
        BATCH_SECONDS.add(seconds, consumer=consumer)
        ENTRIES_APPLIED.add(entries, consumer=consumer)
