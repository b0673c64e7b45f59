"""Booking an accepted file, piece by piece, whatever dies when.

1. *Who.* A worker takes the lease by a conditional write and extends it while it lives, in a
   thread of its own. When the worker dies the lease ends within seconds, and the sweep wakes
   another one.
2. *Once.* A piece's trades, its rejected rows, the new place in the file and the counters commit
   together, and only if the lease is still ours. So a worker that was taken for dead, and wakes
   up, commits nothing.
3. *All rows.* A row that cannot be booked is written down with its reason, and the rest goes on. If
   the database refuses a piece for a reason that no check foresaw, the piece is halved until the
   row is found.
4. *Fair.* After a few seconds the import goes to the tail of its queue, so that a long one lets
   others by. A piece holds the ledger's horizon for a fraction of a second.

A dry run does the same without booking: each piece is rolled back, what it would have changed is
remembered for those after it, and only rejected rows and counters are committed. What is
remembered dies with the worker; the next one starts over. So it keeps its turn, and there is one
dry run at a time.
"""

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from uuid import UUID, uuid5

from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import F

from kernel import clock
from kernel.errors import FieldError
from trades.counted import IMPORT_ROWS
from trades.guards.answers import passed_on
from trades.imports.accept import CHUNK_BYTES
from trades.imports.dry_run import Imagined
from trades.imports.held import held_row
from trades.imports.judging import Judge, Judged
from trades.imports.lease import (
    dry_run_alone,
    held,
    import_end,
    import_move,
    import_take,
    import_take_over,
    tell,
)
from trades.imports.names_known import tickers_known
from trades.imports.reading.units import Unit, units_framed, units_plain
from trades.imports.records import Record
from trades.imports.rejections import Kept, kept_of, rejections_keep
from trades.imports.stored import reading_stored
from trades.imports.undo import undo_go_on
from trades.ledger import nudges
from trades.models import (
    GuardsMode,
    HeldRow,
    Import,
    ImportChunk,
    ImportState,
    Rejection,
    RequestGroup,
)
from trades.services.batch import Batch

PIECE_ROWS = 2_000
TURN_SECONDS = 4.0
TELL_SECONDS = 0.25


def import_run(
    import_id: UUID, *, turn_seconds: float = TURN_SECONDS, takes_over: bool = False
) -> None:
    """One turn of a worker at an import: book, or cancel what was booked, until the file ends or
    the turn does. A second worker at the same import does nothing; with `takes_over` it first
    makes sure, for some seconds, that the other one lives."""
    nudges.import_taken(str(import_id))
    with dry_run_alone(import_id) as may_go:
        if not may_go:
            return
        job = import_take_over(import_id) if takes_over else import_take(import_id)
        if job is None:
            return
        is_over = True
        with held(job):
            tell(job)
            until = time.monotonic() + turn_seconds
            is_over = undo_go_on(job, until) if job.undo_reason else _Run(job).go_on(until)
            if is_over:
                tell(job)
    if not is_over:
        nudges.nudge_import(str(import_id))


class _Run:
    """A worker's turn at the rows of one file."""

    def __init__(self, job: Import) -> None:
        self.job = job
        self.reading = reading_stored(job)
        self.judge = Judge(self.reading, tickers_known())
        self.imagined = Imagined() if job.dry_run else None
        # Whole groups, where they are not larger than a piece.
        self.piece_rows = max(PIECE_ROWS // job.group_size * job.group_size, 1)
        if job.group_size > PIECE_ROWS:
            self.piece_rows = PIECE_ROWS
        self.group_size = job.group_size
        self.groups: dict[int, str] = {}
        self.kept = kept_of(job)
        self.told = time.monotonic()

    def go_on(self, until: float) -> bool:
        """Book piece after piece; True when the whole file is done."""
        job = self.job
        if job.dry_run and job.rows_done:
            self._start_over()
        found = self._units()
        while piece := self._next_piece(found):
            self._book(piece)
            now = time.monotonic()
            if now - self.told > TELL_SECONDS:
                self.told = now
                tell(job)
            if now > until and not job.dry_run:
                return False
        import_end(job, ImportState.DONE, error="")
        return True

    def _units(self) -> Iterator[Unit]:
        job, delimiter = self.job, self.reading.delimiter
        if self.reading.is_framed:
            return units_framed(_bytes_from(job), job.place, delimiter)
        return units_plain(_bytes_from(job), job.place, job.line, delimiter)

    def _next_piece(self, found: Iterator[Unit]) -> list[Unit]:
        piece: list[Unit] = []
        rows = 0
        for unit in found:
            piece.append(unit)
            rows += sum(not _is_blank(record) for record in unit.records)
            if rows >= self.piece_rows:
                break
        return piece

    def _book(self, piece: list[Unit]) -> None:
        try:
            self._commit(piece)
        except (DataError, IntegrityError) as error:
            if len(piece) == 1:
                said = str(error).splitlines()[0][:300]
                self._commit(piece, FieldError("refused", f"The database refused it: {said}"))
            else:
                half = len(piece) // 2
                self._book(piece[:half])
                self._book(piece[half:])

    def _commit(self, piece: list[Unit], refusal: FieldError | None = None) -> None:
        """One transaction: trades, rejected rows, the place behind them."""
        job = self.job
        judged = self.judge.judge(piece, first=job.rows_done, refusal=refusal)
        with transaction.atomic(durable=True):
            booked, warned, held_rows = self._trades(judged)
            rows, rejected = judged.rows, judged.rejected
            written, kept = rejections_keep(
                job,
                self.judge.reader,
                self.kept,
                ((rows[row], errors) for row, errors in sorted(rejected.items())),
            )
            Rejection.objects.bulk_create(written)
            HeldRow.objects.bulk_create(held_rows)
            after = {
                "place": piece[-1].end,
                "line": piece[-1].next_line,
                "rows_done": job.rows_done + len(rows),
                "rows_booked": job.rows_booked + booked,
                "rows_rejected": job.rows_rejected + len(rejected),
                "rows_held": job.rows_held + len(held_rows),
                "rows_warned": job.rows_warned + warned,
                "rows_passed_over": job.rows_passed_over + judged.passed_over.total(),
                "passed_over": dict(Counter(job.passed_over) + judged.passed_over),
                "rejected_further": kept.further,
            }
            import_move(job, attempts=0, error="", **after)
        if not job.dry_run:
            IMPORT_ROWS.add(booked, outcome="booked")
            IMPORT_ROWS.add(len(rejected), outcome="rejected")
            IMPORT_ROWS.add(len(held_rows), outcome="held")
            IMPORT_ROWS.add(judged.passed_over.total(), outcome="passed_over")
        self.kept = kept
        for name, value in after.items():
            setattr(job, name, value)

    def _trades(self, judged: Judged) -> tuple[int, int, list[HeldRow]]:
        """Book what can be booked and say of the rest why not: how many were booked, of how many
        of them guards warn, and the rows that are held."""
        job = self.job
        batch = Batch(
            user=job.user, bookings=judged.bookings, accepted_at=job.accepted_at, now=clock.now()
        )
        batch.resolve()
        batch.lock()
        batch.recognise()
        judged.told_apart(batch)
        held_rows: list[HeldRow] = []
        if self.imagined:
            for row in self.imagined.doubles(batch):
                batch.earlier[row] = ""
                del batch.trades[row]
            batch.limit(self.imagined.running)
            self._guard(batch, judged)
            self.imagined.remember(batch)
        else:
            batch.limit()
            held_rows = self._guard(batch, judged)
            due = Counter(map(self._group_of, batch.trades))
            self._groups(batch, judged.rows)
            batch.write(self._group_of, answer=passed_on(batch.warned_by_id()))
            self._left_out(due - Counter(map(self._group_of, batch.trades)))
        self.judge.say(judged, batch)
        if self.imagined:
            return 0, 0, []
        return len(batch.trades), len(batch.warned.keys() & batch.trades.keys()), held_rows

    def _guard(self, batch: Batch, judged: Judged) -> list[HeldRow]:
        """Ask the guards, and do with what they warn of as the import says; the rows to hold."""
        batch.guard(job=self.job.pk)
        if self.job.guards == GuardsMode.WARN:
            return []
        warned, batch.warned = batch.warned, {}
        if self.job.guards == GuardsMode.REFUSE or self.imagined:
            for row, found in warned.items():
                batch.refused[row] += [each.error for each in found]
                del batch.trades[row]
            return []
        return [
            held_row(self.job, row, judged.rows[row].line, batch.taken_out(row), found)
            for row, found in warned.items()
        ]

    def _group_of(self, row: int) -> str:
        """The same for the same rows, whoever books them: a group may go on in the next piece."""
        number = row // self.group_size
        if number not in self.groups:
            # A piece has few, and does not come back to earlier ones.
            self.groups = {number: str(uuid5(self.job.pk, str(number)))}
        return self.groups[number]

    def _groups(self, batch: Batch, rows: dict[int, Record]) -> None:
        """Insert the request groups of these rows, or add to them."""
        members: dict[str, list[bytes]] = defaultdict(list)
        for row in batch.trades:
            members[self._group_of(row)].append(rows[row].raw)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO trades_requestgroup (id, import_job_id, user_id, terms_hash, trades)"
                " SELECT id, %s, %s, hash, trades"
                " FROM unnest(%s::uuid[], %s::text[], %s::int[]) AS g (id, hash, trades)"
                " ON CONFLICT (id) DO UPDATE SET trades = trades_requestgroup.trades"
                " + excluded.trades",
                [
                    self.job.pk,
                    self.job.user_id,
                    list(members),
                    [hashlib.sha256(b"".join(raw)).hexdigest() for raw in members.values()],
                    [len(raw) for raw in members.values()],
                ],
            )

    def _left_out(self, left_out: Counter[str]) -> None:
        """Take back from the groups' counts what somebody else has booked meanwhile."""
        for group, trades in left_out.items():
            RequestGroup.objects.filter(pk=group).update(trades=F("trades") - trades)

    def _start_over(self) -> None:
        job = self.job
        reading = self.reading
        after = {"place": 0 if reading.is_framed else reading.place, "line": reading.line,
                 "rows_done": 0, "rows_rejected": 0, "rows_passed_over": 0, "passed_over": {},
                 "rejected_further": {}}  # fmt: skip
        with transaction.atomic():
            job.rejections.all().delete()
            import_move(job, **after)
        self.kept = Kept()
        for name, value in after.items():
            setattr(job, name, value)


def _bytes_from(job: Import) -> Iterator[bytes]:
    """The file from the import's place on, a chunk at a time."""
    number, skipped = divmod(job.place, CHUNK_BYTES)
    while True:
        data = (
            ImportChunk.objects.filter(import_job=job.pk, number=number)
            .values_list("data", flat=True)
            .first()
        )
        if data is None:
            return
        yield bytes(data)[skipped:]
        number, skipped = number + 1, 0


def _is_blank(record: Record) -> bool:
    return not record.raw.strip()
