"""The consumers' tasks and the sweep: the work around the reader.

A task serves the consumers of one queue. It reads the shards that it was nudged for in rounds
(`trades.ledger.multi_shard_batch`), and looks at its mailbox after each: while bookings keep coming
it stays and reads on, round by round, with no message in between. It rests several times as long as
a round took, so the busier the machine is the more bookings are in a round, and a reader never
takes more than a share of a core. After a while it hands over to the tail of its queue, so that no
other work of that queue waits for long.

What is too much for a round is drained by itself (`trades.ledger.shard_batch`): one shard a task,
the rest goes to the tail of the queue, so that one hot shard starves nobody.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from kernel import notices, traces
from kernel.database import is_outage
from kernel.following import Followed, ids_of, trace_ids_of
from kernel.repeating import repeated
from trades.ledger import nudges
from trades.ledger.counted import batch_done
from trades.ledger.mailbox import Mailbox
from trades.ledger.multi_shard_batch import (
    Asked,
    Round,
    RoundFailed,
    behind,
    shared_round,
    texts_of,
)
from trades.ledger.projection import Projection
from trades.ledger.registry import consumers
from trades.ledger.shard_batch import State, drain
from trades.models import LEDGER_SHARDS

logger = structlog.get_logger(__name__)

TURN_SECONDS = 0.5
# How long a reader waits for entries above the horizon before it leaves them to the sweep.
PATIENCE_SECONDS = 2.0
# After a round that applied something: so many times as long as it took, within these bounds.
REST, LEAST_REST_SECONDS, MOST_REST_SECONDS = 3.0, 0.01, 0.1
# After one that met the horizon, by the number of such rounds before.
PAUSES_SECONDS = (0.005, 0.005, 0.010, 0.020)


@dataclass
class _Reading:
    """One consumer's part of a run."""

    projection: Projection
    entries: int = 0
    behind: set[int] = field(default_factory=set)
    backlog: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    failures: list[Exception] = field(default_factory=list)
    trades: list[str] = field(default_factory=list)
    unmet: list[Followed] = field(default_factory=list)
    """Requests of which no round has met anything yet."""

    def asks(self, shards: set[int], whose: Sequence[Followed]) -> Asked:
        """What the next round is to read: these shards, and those that were behind. `whose` are
        the requests that left something there."""
        wanted = (shards | self.behind) - self.backlog - self.refused
        self.behind = set()
        self.unmet = [*self.unmet, *whose][-nudges.MOST_FOLLOWED :]
        return Asked(self.projection, wanted, self.unmet)

    def took(self, done: Round, seconds: float) -> int:
        """A round was done; how many entries it applied."""
        batch_done(self.projection.name, done.entries, seconds)
        self.behind = done.behind
        self.backlog |= done.backlog
        self.entries += done.entries
        self.unmet = [one for one in self.unmet if not one.concerns(done.accounts)]
        self.trades += done.trades[: nudges.MOST_FOLLOWED - len(self.trades)]
        return done.entries

    def look_alone(self, asked: Asked) -> int:
        """A round of this consumer; how many entries it applied. Failures are kept, and work
        elsewhere goes on. Raises when the database is away."""
        began = time.monotonic()
        try:
            done = repeated(lambda: shared_round([asked]))
        except RoundFailed:
            return self._look_at_each(asked.shards)
        except Exception as error:
            if is_outage(error):
                raise
            self._refuse(set(asked.shards), error)
            return 0
        return self.took(done[self.projection.name], time.monotonic() - began)

    def _look_at_each(self, shards: Iterable[int]) -> int:
        """One after the other, where what is wrong is found and blamed."""
        applied = 0
        for shard in sorted(shards):
            began = time.monotonic()
            try:
                outcome = drain(self.projection, shard, patience=0.0)
            except Exception as error:
                if is_outage(error):
                    raise
                self._refuse({shard}, error)
                continue
            batch_done(self.projection.name, outcome.entries, time.monotonic() - began)
            applied += outcome.entries
            if outcome.state is State.MORE:
                self.backlog.add(shard)
            elif outcome.state is State.WAITING:
                self.behind.add(shard)
        self.entries += applied
        return applied

    def _refuse(self, shards: set[int], error: Exception) -> None:
        self.refused |= shards
        self.failures.append(error)


def _look(readings: Sequence[_Reading], shards: set[int], whose: Sequence[Followed]) -> int:
    """A round of all consumers in one transaction or, where that fails for one of them, of each by
    itself; how many entries were applied. Raises when the database is away."""
    asked = [(reading, reading.asks(shards, whose)) for reading in readings]
    asked = [(reading, one) for reading, one in asked if one.shards]
    if len(asked) > 1:
        began = time.monotonic()
        try:
            done = repeated(lambda: shared_round([one for _, one in asked]))
        except Exception as error:
            if is_outage(error):
                raise
            # Whose fault it is, the consumer tells that fails alone; if none does, only this does.
            logger.warning("a shared round failed, each consumer reads alone", exc_info=True)
        else:
            seconds = time.monotonic() - began
            return sum([r.took(done[r.projection.name], seconds) for r, _ in asked])
    return sum([reading.look_alone(one) for reading, one in asked])


class _Story:
    """One turn in the log: what was applied, and for whom. One line, however many rounds it had:
    a round of one booking must not cost more than its statements."""

    def __init__(self) -> None:
        self._began, self._began_ns = time.monotonic(), time.time_ns()
        self._whose: list[Followed] = []

    def of(self, mailbox: Mailbox) -> list[Followed]:
        """The requests that were taken from the mailbox since."""
        whose = mailbox.whose()
        self._whose += whose[: nudges.MOST_FOLLOWED - len(self._whose)]
        return whose

    def tell(self, readings: Sequence[_Reading]) -> None:
        """Write the line. And whoever shows an account hears of requests that came after another
        reader had applied what they left."""
        if not self._whose and not any(reading.entries for reading in readings):
            return
        unmet = {one for reading in readings for one in reading.unmet}
        accounts = {account for one in unmet for account in one.accounts}
        if accounts:
            notices.publish(
                notices.account_followed(account, texts_of(unmet, account)) for account in accounts
            )
        entries = {reading.projection.name: reading.entries for reading in readings}
        ended_ns = time.time_ns()
        for one in self._whose:
            traces.tell(
                "ledger applied",
                one.trace,
                self._began_ns,
                ended_ns,
                request_id=one.request_id,
                readers=list(entries),
            )
        logger.info(
            "ledger applied",
            entries=entries,
            trades=list(dict.fromkeys(t for reading in readings for t in reading.trades)),
            requests=ids_of(self._whose),
            seconds=round(time.monotonic() - self._began, 3),
            **trace_ids_of(self._whose),
        )


def ledger_apply(task: str, projections: Sequence[Projection], nudged: int | Iterable[int]) -> int:
    """One turn of a task's consumers; the number of entries, of the consumer that applied most."""
    readings = [_Reading(projection) for projection in projections]
    mailbox, story = Mailbox(task), _Story()
    shards = {nudged} if isinstance(nudged, int) else set(nudged)
    _read_rounds(task, readings, mailbox, shards, story)
    _drain_one(task, readings, mailbox)
    story.tell(readings)
    failures = [error for reading in readings for error in reading.failures]
    for error in failures[1:]:
        logger.error("another consumer failed, too", task=task, exc_info=error)
    if failures:
        raise failures[0]
    return max(reading.entries for reading in readings)


def _read_rounds(
    task: str,
    readings: Sequence[_Reading],
    mailbox: Mailbox,
    shards: set[int],
    story: "_Story",
) -> None:
    """Round by round, until nothing is left, patience is over, or others have their turn."""
    began = progressed = time.monotonic()
    looks = 0
    shards |= mailbox.take(stay=True)
    while True:
        started = time.monotonic()
        whose = story.of(mailbox)
        applied = _look(readings, shards, whose)
        ended = time.monotonic()
        left = {shard for reading in readings for shard in reading.behind}
        shards = mailbox.take(stay=bool(left))
        if not left and not shards:
            return
        if applied:
            progressed, looks = ended, 0
        is_stuck = not shards and ended - progressed >= PATIENCE_SECONDS
        if is_stuck or (ended - began >= TURN_SECONDS and (applied or shards)):
            mailbox.leave()
            if not is_stuck:
                nudges.nudge_each([(readings[0].projection.name, s) for s in left | shards])
            return
        if applied or shards:
            pause = min(max(REST * (ended - started), LEAST_REST_SECONDS), MOST_REST_SECONDS)
        else:
            pause = PAUSES_SECONDS[min(looks, len(PAUSES_SECONDS) - 1)]
            looks += 1
        time.sleep(pause)


def _drain_one(task: str, readings: Sequence[_Reading], mailbox: Mailbox) -> None:
    """Drain one shard that has more than a few entries, and leave the others to the tail of the
    queue; at once, where somebody may be free to take them."""
    backlog = [(reading, shard) for reading in readings for shard in sorted(reading.backlog)]
    if not backlog:
        return
    mailbox.leave()
    if len(backlog) > 1:
        nudges.nudge_each([(r.projection.name, shard) for r, shard in backlog[1:]])
    for reading, shard in backlog:
        began = time.monotonic()
        try:
            outcome = drain(reading.projection, shard)
        except Exception as error:
            if is_outage(error):
                raise
            reading.failures.append(error)
            return
        batch_done(reading.projection.name, outcome.entries, time.monotonic() - began)
        reading.entries += outcome.entries
        if outcome.state is State.MORE:
            nudges.nudge(reading.projection.name, shard)
        if outcome.state is not State.BUSY:
            return


def shards_behind() -> list[tuple[str, int]]:
    """The (consumer, shard) pairs that have entries beyond their checkpoint."""
    return behind(consumers(), range(LEDGER_SHARDS))


def ledger_sweep() -> int:
    """Nudge whoever is behind; the number of pairs that were. Recovery is nothing more."""
    found = shards_behind()
    nudges.nudge_each(found)
    return len(found)
