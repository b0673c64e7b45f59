"""Bulk booking: all of a request's trades in one transaction, or none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction

from kernel.errors import Conflict, FieldError, Invalid, NotEntitled
from kernel.repeating import repeated
from trades.bookings import batch_hash, booking_of, terms_hash
from trades.guards.answers import confirmed, shortened
from trades.models import ClientTradeId, RequestGroup, Trade
from trades.services.batch import Batch
from trades.terms import Booking

MAX_TRADES = 10_000


class RequestGroupTaken(Conflict):
    code = "request_group_taken"
    detail = "This request_group has booked other trades."


class AccountRenamed(Conflict):
    code = "account_renamed"
    detail = "This request_group has booked in an account whose code has changed since."


@dataclass(frozen=True)
class BulkBooked:
    """`ids` are in the order of the rows; a row whose client_trade_id had booked a trade before
    has that trade's. `booked` counts new trades. `is_new` is False for a repeated request."""

    request_group: UUID
    booked: int
    ids: list[str]
    is_new: bool


def trades_bulk_book(
    *,
    user: AbstractBaseUser,
    rows: Sequence[Any],
    request_group: UUID | None,
    confirm: str | None = None,
    now: datetime,
) -> BulkBooked:
    """Book rows as a caller sent them. The same group with the same rows again gives the same ids
    and books nothing.

    Raises Invalid (attr `trades.<row>.<field>`, rows from 0), NotEntitled (an account that they
    may view, not book in), ConfirmationRequired (one token for all), RequestGroupTaken,
    AccountRenamed, ClientTradeIdTaken, MovedOutOfSight.
    """
    bookings = _well_formed(rows)
    group = request_group or uuid4()
    # Lost with its connection behind the commit, it is found again by its group.
    return repeated(lambda: _book(user, bookings, group, confirm, now))


def _book(
    user: AbstractBaseUser,
    bookings: dict[int, Booking],
    group: UUID,
    confirm: str | None,
    now: datetime,
) -> BulkBooked:
    batch = Batch(user=user, bookings=bookings, accepted_at=now, now=now)
    with transaction.atomic():
        batch.resolve()
        if batch.not_entitled:
            raise NotEntitled(f"You may not book in {', '.join(sorted(batch.not_entitled))}.")
        # First: an equal request at the same time waits here until this one has ended.
        if not _group_insert(group, user, batch.sent_hash, len(bookings)):
            return _booked_before(group, user, bookings)
        batch.lock()
        batch.recognise()
        _raise_refused(batch)
        _raise_conflict(batch)
        batch.limit()
        _raise_refused(batch)
        batch.guard()
        _raise_refused(batch)
        batch.write(
            lambda _: str(group),
            answer=confirmed(
                "bulk",
                user=user.pk,
                terms=batch.terms_asked(),
                found=batch.warned_by_id(),
                doubts=_named({r: [f.error for f in found] for r, found in batch.warned.items()}),
                token=confirm,
                now=now,
            ),
        )
        _raise_conflict(batch)
        ids = [
            batch.trades[row].id if row in batch.trades else batch.earlier[row] for row in bookings
        ]
        if len(batch.trades) != len(bookings):
            RequestGroup.objects.filter(pk=group).update(trades=len(batch.trades))
    return BulkBooked(group, len(batch.trades), ids, is_new=True)


def _well_formed(rows: Sequence[Any]) -> dict[int, Booking]:
    bookings: dict[int, Booking] = {}
    errors: dict[int, list[FieldError]] = {}
    for row, given in enumerate(rows):
        found = booking_of(given)
        if isinstance(found, Booking):
            bookings[row] = found
        else:
            errors[row] = found
    if errors:
        raise _invalid(errors)
    return bookings


def _invalid(errors: dict[int, list[FieldError]]) -> Invalid:
    return Invalid(*shortened(_named(errors)))


def _named(errors: dict[int, list[FieldError]]) -> list[FieldError]:
    """The same, with the row's number in the name of the field."""
    return [
        FieldError(e.code, e.detail, f"trades.{row}" + (f".{e.attr}" if e.attr else ""))
        for row, found in sorted(errors.items())
        for e in found
    ]


def _raise_refused(batch: Batch) -> None:
    """What is wrong with rows is told before what they conflict with."""
    if wrong := {row: e for row, e in batch.refused.items() if row not in batch.conflicts}:
        raise _invalid(wrong)


def _raise_conflict(batch: Batch) -> None:
    if batch.conflicts:
        row, conflict = min(batch.conflicts.items())
        raise Conflict(f"Row {row}: {conflict.detail}", code=conflict.code)


def _group_insert(group: UUID, user: AbstractBaseUser, terms_hash: str, trades: int) -> bool:
    """True if the group is new; otherwise its booking has committed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trades_requestgroup (id, user_id, terms_hash, trades)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (id) DO NOTHING",
            [group, user.pk, terms_hash, trades],
        )
        return bool(cursor.rowcount)


def _booked_before(group: UUID, user: AbstractBaseUser, bookings: dict[int, Booking]) -> BulkBooked:
    found = RequestGroup.objects.get(pk=group)
    if found.user_id != user.pk or found.terms_hash != batch_hash(bookings.values()):
        raise RequestGroupTaken
    # The group's trades stand in the order of their ids; rows with an id of the caller's own may be
    # trades of another group.
    plain = iter(
        Trade.objects.filter(request_group=group, client_trade_id=None)
        .order_by("id")
        .values_list("pk", flat=True)
    )
    by_client = _ids_by_client(bookings)
    try:
        ids = [
            str(next(plain) if b.client_trade_id is None else by_client[_own_key(b)])
            for b in bookings.values()
        ]
    except KeyError as error:
        raise AccountRenamed from error
    return BulkBooked(group, found.trades, ids, is_new=False)


def _own_key(booking: Booking) -> tuple[str, str]:
    return booking.account, booking.client_trade_id or ""


def _ids_by_client(bookings: dict[int, Booking]) -> dict[tuple[str, str], UUID]:
    named = {_own_key(b): b for b in bookings.values() if b.client_trade_id}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.code, c.client_trade_id, c.trade_id"
            " FROM unnest(%s::text[], %s::text[]) AS k (account, mine)"
            " JOIN accounts_account a ON a.code = k.account"
            " JOIN trades_clienttradeid c ON c.account_id = a.id AND c.client_trade_id = k.mine",
            [[account for account, _ in named], [mine for _, mine in named]],
        )
        found = {(row[0], row[1]): row[2] for row in cursor.fetchall()}
    missing = {
        (mine, terms_hash(b)): (account, mine)
        for (account, mine), b in named.items()
        if (account, mine) not in found
    }
    if missing:
        # The account's code has changed since; the hash is of what was sent then.
        booked = ClientTradeId.objects.filter(
            client_trade_id__in={mine for mine, _ in missing},
            terms_hash__in={hashed for _, hashed in missing},
        )
        for mine, hashed, trade in booked.values_list("client_trade_id", "terms_hash", "trade_id"):
            if (mine, hashed) in missing:
                found[missing[mine, hashed]] = trade
    return found
