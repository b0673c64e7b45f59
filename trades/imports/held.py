"""Rows of a file that guards warn of, held until a person books or drops them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F

from kernel.errors import Conflict, FieldError, Invalid
from trades.bookings import booking_of, sent_terms
from trades.guard_rules import Found
from trades.guards.answers import confirmed_here, shortened
from trades.models import HeldRow, Import, RequestGroup
from trades.services.batch import Batch
from trades.terms import FEES, PRICE_ZERO, Booking

State = HeldRow.State
MOST_AT_ONCE = 10_000


class NothingHeld(Conflict):
    code = "nothing_held"
    detail = "None of these rows is held: somebody has booked or dropped them."


@dataclass(frozen=True)
class HeldBooked:
    """`ids` in the order of the rows that were booked."""

    booked: int
    ids: list[str]


def held_row(job: Import, row: int, line: int, booking: Booking, found: Sequence[Found]) -> HeldRow:
    """A row to hold, unsaved."""
    terms: dict[str, Any] = sent_terms(booking)
    # As a file's columns say them.
    terms |= terms.pop(FEES.name, {})
    if booking.client_trade_id is not None:
        terms["client_trade_id"] = booking.client_trade_id
    if booking.price_zero:
        terms[PRICE_ZERO.name] = "true"
    return HeldRow(
        import_job=job, row=row, line=line, terms=terms, found=[each.kept() for each in found]
    )


@transaction.atomic
def held_book(
    *, user: AbstractBaseUser, job: Import, lines: Sequence[int] | None, now: datetime
) -> HeldBooked:
    """Book rows that are held, all or none: those of these lines, or all. Who books them has seen
    what guards say and confirms it; what guards refuse by now is refused. Raises NothingHeld,
    Invalid (attr `lines.<line>.<field>`), NotEntitled."""
    rows = _locked(job, lines)
    bookings = {row.row: _booking(row) for row in rows}
    batch = Batch(user=user, bookings=bookings, accepted_at=job.accepted_at, now=now)
    line_of = {row.row: row.line for row in rows}
    batch.resolve()
    group = str(uuid5(job.pk, f"held {rows[0].row} {now.isoformat()}"))
    batch.lock()
    batch.recognise()
    batch.limit()
    batch.guard(job=job.pk)
    if batch.refused:
        raise Invalid(*shortened([
            FieldError(e.code, e.detail, f"lines.{line_of[row]}" + (f".{e.attr}" if e.attr else ""))
            for row, errors in sorted(batch.refused.items())
            for e in errors
        ]))  # fmt: skip
    RequestGroup.objects.create(
        id=UUID(group), import_job=job, user_id=user.pk, terms_hash="", trades=len(batch.trades)
    )
    answer = confirmed_here(batch.warned_by_id(), user.pk)
    batch.write(lambda _: group, answer=answer)
    ids = {row: batch.trades[row].id for row in batch.trades}
    for held in rows:
        booked = ids.get(held.row) or batch.earlier.get(held.row)
        held.state, held.trade_id = State.BOOKED, UUID(booked)
        held.decided_by_id, held.decided_at = user.pk, now
    HeldRow.objects.bulk_update(rows, ["state", "trade", "decided_by", "decided_at"])
    _count(job, "rows_booked", len(rows))
    return HeldBooked(len(ids), list(ids.values()))


@transaction.atomic
def held_drop(
    *, user: AbstractBaseUser, job: Import, lines: Sequence[int] | None, now: datetime
) -> int:
    """Drop rows that are held, for good; how many. Raises NothingHeld."""
    rows = _locked(job, lines)
    for held in rows:
        held.state, held.decided_by_id, held.decided_at = State.DROPPED, user.pk, now
    HeldRow.objects.bulk_update(rows, ["state", "decided_by", "decided_at"])
    _count(job, "rows_rejected", len(rows))
    return len(rows)


def _locked(job: Import, lines: Sequence[int] | None) -> list[HeldRow]:
    found = HeldRow.objects.select_for_update().filter(import_job=job, state=State.HELD)
    if lines is not None:
        found = found.filter(line__in=lines)
    rows = list(found.order_by("row")[:MOST_AT_ONCE])
    if not rows:
        raise NothingHeld
    return rows


def _booking(row: HeldRow) -> Booking:
    booking = booking_of(row.terms, is_text=True)
    if not isinstance(booking, Booking):
        raise Invalid(*booking)
    return booking


def _count(job: Import, name: str, rows: int) -> None:
    """Move rows from those held to others, in one statement, for a check adds them up."""
    Import.objects.filter(pk=job.pk).update(
        **{"rows_held": F("rows_held") - rows, name: F(name) + rows}
    )
