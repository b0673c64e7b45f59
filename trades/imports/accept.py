"""Taking in a CSV file: looked through, then stored in pieces where every worker reaches it."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import uuid_utils
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from kernel.errors import Conflict, FieldError, Invalid
from trades.imports.csvfile import TextCheck, header_of
from trades.imports.quotas import ImportQuota, quota_take
from trades.imports.records import FileRefused, records
from trades.ledger import nudges
from trades.models import Import, ImportChunk

CHUNK_BYTES = 1024 * 1024


class ClientImportIdTaken(Conflict):
    code = "client_import_id_taken"
    detail = "This client_import_id has imported another file, or the same one in another way."


class ImportAccepted(NamedTuple):
    """`is_new` is False for a repeated upload; `job` is then that import as it is now."""

    job: Import
    is_new: bool


def import_accept(
    *,
    user: AbstractBaseUser,
    file_name: str,
    read: Callable[[], Iterable[bytes]],
    group_size: int,
    dry_run: bool,
    client_import_id: UUID | None = None,
    now: datetime,
) -> ImportAccepted:
    """Store the file and have a worker book it. `read` gives the file from its beginning, and is
    called twice: to look at all of it, and to store it. It must be text with a header and at least
    one row. The same `client_import_id` with the same file again stores nothing; of two at the
    same time the second waits for the first.

    Raises Invalid (attr `file`) when the file as a whole cannot be imported; its rows are judged
    when it is their turn. Raises ClientImportIdTaken, ImportQuota.
    """
    job = Import(
        id=UUID(bytes=uuid_utils.uuid7().bytes),
        user_id=user.pk,
        file_name=file_name[:200],
        size=0,
        group_size=group_size,
        dry_run=dry_run,
        client_import_id=client_import_id,
        accepted_at=now,
        rows_total=0,
    )
    # Before the transaction: from its first insert on it holds the ledger's horizon, and nobody's
    # positions move.
    _look_through(job, read())
    try:
        _store(job, read())
    except (IntegrityError, ImportQuota):
        before = Import.objects.filter(
            user_id=user.pk, client_import_id=client_import_id, client_import_id__isnull=False
        ).first()
        if before is None:
            raise
        if before.upload_hash != job.upload_hash:
            raise ClientImportIdTaken from None
        return ImportAccepted(before, is_new=False)
    return ImportAccepted(job, is_new=True)


def _store(job: Import, data: Iterable[bytes]) -> None:
    """All of it or nothing. Raises IntegrityError for an upload that was taken, and ImportQuota."""
    with transaction.atomic():
        quota_take(user_id=job.user_id, size=job.size, now=job.accepted_at)
        job.save(force_insert=True)
        for number, chunk in enumerate(_even(data)):
            ImportChunk.objects.create(import_job_id=job.pk, number=number, data=chunk)
        transaction.on_commit(lambda: nudges.nudge_import(str(job.pk)), robust=True)


def _look_through(job: Import, data: Iterable[bytes]) -> None:
    """Set the import's size, columns, place, number of rows, and the hash of what was sent."""
    sent = hashlib.sha256(f"{job.group_size} {job.dry_run} ".encode())
    found = records(_checked(job, data, sent))
    try:
        head = next(found, None)
        job.columns = list(header_of(head).names)
        job.place, job.line = (head.end, head.next_line) if head else (0, 1)
        for record in found:
            job.rows_total += bool(record.raw.strip())
    except FileRefused as refusal:
        raise Invalid(FieldError(refusal.code, refusal.detail, "file")) from refusal
    if not job.rows_total:
        raise Invalid(FieldError("empty", "There is no row below the header.", "file"))
    job.upload_hash = sent.hexdigest()


def _checked(job: Import, data: Iterable[bytes], sent: "hashlib._Hash") -> Iterator[bytes]:
    """Pass the file on, each part checked to be text and hashed."""
    check = TextCheck()
    for part in data:
        check.feed(part)
        sent.update(part)
        job.size += len(part)
        yield part
    check.feed(b"", final=True)


def _even(data: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for part in data:
        held += part
        while len(held) >= CHUNK_BYTES:
            yield bytes(held[:CHUNK_BYTES])
            del held[:CHUNK_BYTES]
    if held:
        yield bytes(held)
