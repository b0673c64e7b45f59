"""Taking in a file: looked through, then stored in pieces where every worker reaches it."""

import hashlib
import json
import mmap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from tempfile import TemporaryFile
from typing import NamedTuple
from uuid import UUID

import uuid_utils
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from accounts.selectors import account_rights
from kernel.errors import Conflict, FieldError, Invalid
from prices.sessions import sessions
from trades.imports.names_known import limited_of
from trades.imports.quotas import ImportQuota, quota_take
from trades.imports.reading.limited import Limited
from trades.imports.reading.opening import Opened, file_open
from trades.imports.reading.plan import Plan
from trades.imports.reading.planning import plan_of
from trades.imports.reading.reading import Options
from trades.imports.reading.units import framed
from trades.imports.records import FileRefused
from trades.imports.seen import FileSeen, file_seen
from trades.ledger import nudges
from trades.models import GuardsMode, Import, ImportChunk

CHUNK_BYTES = 1024 * 1024


class ClientImportIdTaken(Conflict):
    code = "client_import_id_taken"
    detail = "This client_import_id has imported another file, or the same one in another way."


class ReadingChanged(Conflict):
    code = "reading_changed"
    detail = (
        "This file, so read, is not what the preview showed: its bytes, an option or what is"
        " decided of it has changed. Look at it again."
    )


class ImportAccepted(NamedTuple):
    """`is_new` is False for a repeated upload; `job` is then that import as it is now."""

    job: Import
    is_new: bool


@dataclass(frozen=True)
class Asked:
    """How a file is to be imported, beside how it is to be read. `digest` is that of the preview
    which was looked at; `again` says that a file seen before is meant; `guards` what becomes of
    rows that guards warn of."""

    group_size: int
    dry_run: bool
    options: Options = field(default_factory=Options)
    digest: str | None = None
    again: bool = False
    guards: str = GuardsMode.WARN


class Hashed:
    """A file that can be read from its beginning again and again. `hash` is of its bytes, once it
    was read to its end."""

    def __init__(self, read: Callable[[], Iterable[bytes]]) -> None:
        self._read = read
        self.hash = ""
        self.size = 0

    def __call__(self) -> Iterator[bytes]:
        if self.hash:
            yield from self._read()
            return
        found, size = hashlib.sha256(), 0
        for part in self._read():
            found.update(part)
            size += len(part)
            yield part
        self.hash, self.size = found.hexdigest(), size


def import_accept(
    *,
    user: AbstractBaseUser,
    file_name: str,
    read: Callable[[], Iterable[bytes]],
    asked: Asked,
    client_import_id: UUID | None = None,
    now: datetime,
) -> ImportAccepted:
    """Store the file and have a worker book it. `read` gives the file from its beginning, and is
    called several times: to look at all of it, and at last to store it. The same `client_import_id`
    with the same file again stores nothing; of two at the same time the second waits for the first.

    Raises Invalid when the file as a whole cannot be imported, or something has to be said of it
    first (the attr names the field that says it); its rows are judged when it is their turn. Raises
    ClientImportIdTaken, FileSeen, ReadingChanged, ImportQuota.
    """
    file = Hashed(read)
    # Before the transaction: from its first insert on it holds the ledger's horizon, and nobody's
    # positions move.
    today = sessions().business_date(now)
    opened = opened_whole(file, asked.options, today)
    plan = plan_read(user, opened, asked.options, today)
    reading = opened.reading
    if plan is not None:
        reading = replace(reading, newest_first=plan.newest_first, is_framed=not plan.is_as_filed)
    if asked.digest is not None and asked.digest != reading.digest(file.hash):
        raise ReadingChanged
    mine = {right.account.code for right in account_rights(user)}
    job = Import(
        id=UUID(bytes=uuid_utils.uuid7().bytes),
        user_id=user.pk,
        file_name=file_name[:200],
        size=file.size,
        columns=list(reading.names),
        reading=reading.to_json(),
        file_hash=file.hash,
        accounts=sorted(mine & ({reading.account} if reading.account else opened.seen.accounts)),
        group_size=asked.group_size,
        dry_run=asked.dry_run,
        guards=asked.guards,
        client_import_id=client_import_id,
        upload_hash=_upload_hash(file.hash, asked),
        accepted_at=now,
        place=0 if reading.is_framed else reading.place,
        line=reading.line,
        rows_total=opened.seen.rows,
    )
    try:
        with _stored(opened, plan, is_framed=reading.is_framed) as data:
            _store(job, data, again=asked.again)
    except (IntegrityError, ImportQuota, FileSeen):
        before = Import.objects.filter(
            user_id=user.pk, client_import_id=client_import_id, client_import_id__isnull=False
        ).first()
        if before is None:
            raise
        if before.upload_hash != job.upload_hash:
            raise ClientImportIdTaken from None
        return ImportAccepted(before, is_new=False)
    return ImportAccepted(job, is_new=True)


def opened_whole(file: Hashed, options: Options, today: date) -> Opened:
    """The file looked through. Raises Invalid."""
    try:
        opened = file_open(file, options, today=today)
    except FileRefused as refusal:
        raise Invalid(FieldError(refusal.code, refusal.detail, "file")) from refusal
    if opened.asks:
        raise Invalid(*(FieldError(ask.code, ask.detail, ask.attr) for ask in opened.asks))
    if not opened.seen.rows:
        raise Invalid(FieldError("empty", "There is no row below the header.", "file"))
    return opened


def plan_read(user: AbstractBaseUser, opened: Opened, options: Options, today: date) -> Plan | None:
    """The plan that the file as a whole gives; None where no row depends on another one."""
    limited = limited_of(user, opened)
    is_reversed = options.order is not None or opened.reading.newest_first
    if not (opened.seen.is_planned or is_reversed or limited):
        return None
    return plan_made(opened, options, today, limited)


def plan_made(opened: Opened, options: Options, today: date, limited: Limited | None) -> Plan:
    """As it was made when the file was opened, else by looking through it once more."""
    planner, read = opened.planner, opened.text.read
    if planner is not None and (planner.keeps or limited is None):
        return planner.plan(read, limited)
    return plan_of(opened.reading, read, today=today, order=options.order, limited=limited)


def _upload_hash(file_hash: str, asked: Asked) -> str:
    said = [file_hash, asked.group_size, asked.dry_run, asdict(asked.options)]
    if asked.guards != GuardsMode.WARN:
        said.append(str(asked.guards))
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@contextmanager
def _stored(opened: Opened, plan: Plan | None, *, is_framed: bool) -> Iterator[Iterable[bytes]]:
    """The file as it is stored: UTF-8, in the order in which it is booked."""
    if plan is None or not is_framed:
        yield opened.text.read()
        return
    with TemporaryFile() as copy:
        for part in opened.text.read():
            copy.write(part)
        copy.flush()
        with mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield framed(plan, data)


def _store(job: Import, data: Iterable[bytes], *, again: bool) -> None:
    """All of it or nothing. Raises IntegrityError for an upload that was taken, ImportQuota and
    FileSeen."""
    with transaction.atomic():
        quota_take(user_id=job.user_id, size=job.size, now=job.accepted_at)
        if not job.dry_run and not again:
            file_seen(job)
        job.save(force_insert=True)
        for number, chunk in enumerate(_even(data)):
            ImportChunk.objects.create(import_job_id=job.pk, number=number, data=chunk)
        transaction.on_commit(lambda: nudges.nudge_import(str(job.pk)), robust=True)


def _even(data: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for part in data:
        held += part
        while len(held) >= CHUNK_BYTES:
            yield bytes(held[:CHUNK_BYTES])
            del held[:CHUNK_BYTES]
    if held:
        yield bytes(held)
