"""The memory of a dry run, whose pieces are rolled back."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from trades.running_position import RunningPosition
from trades.services.batch import Batch
from trades.services.limits import Key, ledger_sums


@dataclass
class Imagined:
    """The bookings that a dry run would have made so far: sums where they are limited, and the
    callers' own ids, as short hashes."""

    sums: dict[Key, RunningPosition] = field(default_factory=dict)
    own_ids: set[bytes] = field(default_factory=set)

    def running(self, keys: Iterable[Key]) -> dict[Key, RunningPosition]:
        missing = [key for key in keys if key not in self.sums]
        if missing:
            self.sums.update(ledger_sums(missing))
        return self.sums

    def doubles(self, batch: Batch) -> list[int]:
        """Rows whose own id an earlier piece of the file would have booked."""
        return [row for row, name in _own_ids(batch) if name in self.own_ids]

    def remember(self, batch: Batch) -> None:
        """Only what would be booked takes its own id: a refused row leaves it free."""
        self.own_ids.update(name for _, name in _own_ids(batch))


def _own_ids(batch: Batch) -> Iterator[tuple[int, bytes]]:
    for row, trade in batch.trades.items():
        if trade.terms.client_trade_id is not None:
            text = f"{trade.account_id} {trade.terms.client_trade_id}"
            yield row, hashlib.blake2b(text.encode(), digest_size=10).digest()
