"""The pulse: a poll, every 2 s, that finds changes of which no notice came. Blocking, in the hub's
threads."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from blotter.rows import Today, today_at
from kernel import clock
from prices.current_marks import marks
from prices.marks import Mark
from trades.models import LEDGER_SHARDS


@dataclass(frozen=True)
class Pulse:
    """One poll, to be compared with the last one: how far the readers are, and every mark."""

    today: Today
    checkpoints: dict[tuple[str, int], tuple[str, ...]]
    marks: dict[int, Mark]

    def shards_moved(self, before: "Pulse") -> set[int]:
        """Shards with a moved checkpoint, and those whose readers stand apart: what is settling
        turns doubtful by time alone."""
        moved = {
            shard
            for (consumer, shard), place in self.checkpoints.items()
            if before.checkpoints.get((consumer, shard)) != place
        }
        return moved | self.shards_apart()

    def shards_apart(self) -> set[int]:
        places: dict[int, set[tuple[str, ...]]] = {}
        for (_, shard), place in self.checkpoints.items():
            places.setdefault(shard, set()).add(place)
        return {shard for shard, found in places.items() if len(found) > 1}

    def marks_moved(self, before: "Pulse") -> set[int]:
        return {pk for pk, mark in self.marks.items() if before.marks.get(pk) != mark}

    def closes_moved(self, before: "Pulse") -> bool:
        """True if a previous close is another one, or is doubted now and was not: trades and
        corrections are measured from it, too."""
        return any(
            old is not None and _measured_from(old) != _measured_from(mark)
            for old, mark in ((before.marks.get(pk), mark) for pk, mark in self.marks.items())
        )

    def names(self) -> dict[int, str]:
        return {pk: mark.ticker for pk, mark in self.marks.items()}


def _measured_from(mark: Mark) -> tuple[object, bool, bool]:
    return mark.previous_close, mark.carried, mark.doubtful


def read_pulse() -> Pulse:
    now: datetime = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT consumer, shard, epoch::text, txid::text, entry_id::text FROM trades_checkpoint"
        )
        checkpoints = {(row[0], row[1]): tuple(row[2:]) for row in cursor.fetchall()}
    return Pulse(today_at(now), checkpoints, {m.instrument_id: m for m in marks(now)})


def shard_of(account: int) -> int:
    return account % LEDGER_SHARDS
