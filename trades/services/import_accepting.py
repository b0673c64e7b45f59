"""Taking in a CSV file: looked through once, stored in pieces where every worker reaches it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

import uuid_utils
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from kernel.errors import FieldError, Invalid
from trades import nudges
from trades.csvfile import FileRefused, TextCheck, header_of, records
from trades.models import Import, ImportChunk

CHUNK_BYTES = 1024 * 1024


def import_accept(
    *,
    user: AbstractBaseUser,
    file_name: str,
    data: Iterable[bytes],
    group_size: int,
    dry_run: bool,
    now: datetime,
) -> Import:
    """Store the file and have a worker book it. `data` is read once; the file must be text with a
    header and at least one row. Raises Invalid (attr `file`) when the file as a whole cannot be
    imported; its rows are judged when it is their turn."""
    job = Import(
        id=UUID(bytes=uuid_utils.uuid7().bytes),
        user_id=user.pk,
        file_name=file_name[:200],
        size=0,
        group_size=group_size,
        dry_run=dry_run,
        accepted_at=now,
        rows_total=0,
    )
    with transaction.atomic():
        # The chunks are written as the file passes; their reference is checked at commit.
        found = records(_stored(job, data))
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
        job.save(force_insert=True)
        transaction.on_commit(lambda: nudges.nudge_import(str(job.pk)), robust=True)
    return job


def _stored(job: Import, data: Iterable[bytes]) -> Iterator[bytes]:
    """Pass the file on in chunks of one size, each checked to be text, and stored."""
    check = TextCheck()
    for number, chunk in enumerate(_even(data)):
        check.feed(chunk)
        ImportChunk.objects.create(import_job_id=job.pk, number=number, data=chunk)
        job.size += len(chunk)
        yield chunk
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
