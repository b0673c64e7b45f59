"""The readers of the ledger, by name. Booking wakes them by these names and knows nothing else of
them.

`eqtrade.listeners` registers them when Django starts.
"""

from typing import NamedTuple


class LedgerReader(NamedTuple):
    """A consumer of the ledger, the names of the Celery tasks that read for it and that compute it
    anew, and their queue. Consumers of one queue share the reading task, and so a message.
    `quantities`: the table in which it keeps Σ quantity by account_id and instrument_id."""

    consumer: str
    task: str
    rebuild: str
    queue: str
    quantities: str | None = None


_readers: dict[str, LedgerReader] = {}


def register(*readers: LedgerReader) -> None:
    """Add these readers; one of the same consumer is replaced."""
    _readers.update((reader.consumer, reader) for reader in readers)


def readers() -> list[LedgerReader]:
    """All of them, in the order in which they were registered."""
    return list(_readers.values())


def reader_of(consumer: str) -> LedgerReader:
    """Raises KeyError for a consumer that nobody registered."""
    return _readers[consumer]


def consumers() -> list[str]:
    return list(_readers)
