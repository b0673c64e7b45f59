"""Undoing an import: every trade of it that still stands is cancelled, as a version with a reason.

All or nothing, without one transaction over a million trades. A cancellation can only be refused
for going short, so the trades in accounts that may not go short are cancelled first, together, in
one transaction that is judged by its end result: it is refused as a whole, or holds. After that
nothing can be refused any more, and the others follow in pieces; whoever goes on after a crash
finds them by their status. Trades are cancelled as they stand, amended or moved since or not.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F

from accounts.models import Account
from accounts.selectors import account_rights
from kernel.database import lift_timeouts
from kernel.errors import Conflict, FieldError, NotEntitled
from prices.sessions import sessions
from trades.guard_rules import Found
from trades.guards.answers import CONFIRMED_AS_A_WHOLE, confirmed
from trades.guards.judge import cancellations_judge, terms_of
from trades.imports.lease import import_end, import_move, state_booked
from trades.ledger import nudges
from trades.models import Import, ImportState, RequestGroup, Status, Trade
from trades.services.limits import Changes, Key, ShortPosition, accounts_lock, refuse_beyond_limits
from trades.services.recording import trades_write_cancelled

PIECE_TRADES = 2_000
LOOKED_AT = 10_000
"""Trades of an import that guards are asked about when it is undone."""

_STANDING = (
    " FROM trades_trade t JOIN trades_requestgroup g ON g.id = t.request_group_id"
    " WHERE g.import_job_id = %(job)s AND t.status <> 'cancelled'"
)


class NotUndoable(Conflict):
    code = "not_undoable"


def import_undo(
    *,
    user: AbstractBaseUser,
    import_id: UUID,
    reason: str,
    confirm: str | None = None,
    now: datetime,
) -> Import:
    """Ask for an undo; a worker cancels the trades. Refused at once, with nothing changed, when it
    would be refused now: raises NotUndoable (its state), NotEntitled (may not correct one of the
    trades), ShortPosition, ConfirmationRequired where guards ask about some of the trades."""
    with transaction.atomic():
        job = Import.objects.select_for_update().get(pk=import_id)
        _undoable(job)
        _may_undo(user, job, now)
        refuse_beyond_limits(_reversals(job, _no_short()), may_grow=True)
        _ask_guards(user, job, reason, confirm, now)
        job.state = ImportState.RUNNING
        job.undo_reason, job.undo_place, job.error = reason, None, ""
        job.finished_at = job.lease = job.lease_until = None
        job.attempts = 0
        job.undone_by_id = user.pk
        job.save()
        transaction.on_commit(lambda: nudges.nudge_import(str(job.pk)), robust=True)
    return job


def _undoable(job: Import) -> None:
    if job.state in (ImportState.QUEUED, ImportState.RUNNING):
        raise NotUndoable("It is still running.")
    if job.state == ImportState.UNDONE:
        raise NotUndoable("It is undone already.")
    if not job.rows_booked:
        raise NotUndoable("It has booked nothing.")


def _may_undo(user: AbstractBaseUser, job: Import, now: datetime) -> None:
    """The rights of cancelling each of them: can_correct, or can_book for one's own trades on their
    trade date."""
    rights = {r.account.pk: r for r in account_rights(user)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.account_id,"
            " bool_and(t.booked_by_id = %(user)s AND t.trade_date = %(today)s)"
            + _STANDING
            + " GROUP BY 1",
            {"job": job.pk, "user": user.pk, "today": sessions().business_date(now)},
        )
        accounts = cursor.fetchall()
    for account, is_own_of_today in accounts:
        right = rights.get(account)
        if right is None:
            raise NotEntitled("Some of its trades are in an account that you may not correct.")
        if not (right.can_correct or (is_own_of_today and right.can_book)):
            raise NotEntitled(f"You may not correct its trades in {right.account.code}.")


def _ask_guards(
    user: AbstractBaseUser, job: Import, reason: str, confirm: str | None, now: datetime
) -> None:
    """Have it confirmed where guards ask about its trades: the first of them are looked at, each
    code is named once, with how many there are and what is said of the first. Guards never refuse
    an undo."""
    standing = Trade.objects.filter(
        request_group__import_job=job.pk, account__guards_version__gt=0
    ).exclude(status=Status.CANCELLED)
    trades = list(standing.select_related("instrument", "account").order_by("pk")[:LOOKED_AT])
    if not trades:
        return
    said: dict[str, list[Found]] = defaultdict(list)
    versions = {t.account_id: t.account.guards_version for t in trades}
    judged = cancellations_judge(map(terms_of, trades), versions, known=sessions(), now=now)
    for found in judged:
        for each in found:
            said[each.code].append(each)
    doubts = [
        FieldError(code, f"{len(some):,} of its trades. The first: {some[0].detail}")
        for code, some in said.items()
    ]
    confirmed(
        "undo",
        user=user.pk,
        terms={"import": job.pk, "reason": reason.strip()},
        found={str(job.pk): [some[0] for some in said.values()]},
        doubts=doubts,
        token=confirm,
        now=now,
    )


def _no_short() -> list[Account]:
    return list(Account.objects.filter(can_short=False))


def _reversals(job: Import, accounts: Iterable[Account]) -> dict[Key, Changes]:
    """The entries that cancelling its standing trades would add in these accounts, by key and trade
    date."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.account_id, t.instrument_id, t.trade_date,"
            " sum(CASE t.side WHEN 'buy' THEN -t.quantity ELSE t.quantity END)"
            + _STANDING
            + " AND t.account_id = ANY(%(accounts)s) GROUP BY 1, 2, 3",
            {"job": job.pk, "accounts": [a.pk for a in accounts]},
        )
        found: dict[Key, dict[date, Decimal]] = defaultdict(dict)
        for account, instrument, day, quantity in cursor.fetchall():
            found[account, instrument][day] = quantity
    return dict(found)


# --- the worker's part ---------------------------------------------------------------------------


def undo_go_on(job: Import, until: float) -> bool:
    """Cancel until nothing of the import stands or the turn ends; True when it is over. If it would
    go short now, nothing is cancelled, and the import says so."""
    try:
        _cancel_bound(job)
        while groups := _next_groups(job):
            _cancel_piece(job, groups)
            if time.monotonic() > until:
                return False
        # What was moved meanwhile into an account that may not go short.
        _cancel_bound(job)
    except ShortPosition as refusal:
        detail = refusal.errors[0].detail
        import_end(
            job, state_booked(job), error=f"Not undone. {detail}", undo_reason="", undone_by=None
        )
        return True
    import_end(job, ImportState.UNDONE, error="")
    return True


def _cancel_bound(job: Import) -> None:
    """The trades in accounts that may not go short, all together."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        lift_timeouts(cursor)
        bound = _no_short()
        touched = {account for account, _ in _reversals(job, bound)}
        accounts = [a for a in bound if a.pk in touched]
        accounts_lock(accounts, [])
        refuse_beyond_limits(_reversals(job, accounts), may_grow=True)
        cancelled = _cancel(
            cursor,
            job,
            "SELECT t.id FROM trades_trade t WHERE t.request_group_id IN"
            " (SELECT id FROM trades_requestgroup WHERE import_job_id = %(job)s)"
            " AND t.status <> 'cancelled' AND t.account_id = ANY(%(accounts)s)",
            {"job": job.pk, "accounts": [a.pk for a in accounts]},
        )
        import_move(job, attempts=0, trades_cancelled=F("trades_cancelled") + cancelled)


def _next_groups(job: Import) -> list[UUID]:
    groups = RequestGroup.objects.filter(import_job=job.pk)
    if job.undo_place is not None:
        groups = groups.filter(pk__gt=job.undo_place)
    some = max(1, PIECE_TRADES // job.group_size)
    return list(groups.order_by("pk").values_list("pk", flat=True)[:some])


def _cancel_piece(job: Import, groups: list[UUID]) -> None:
    """At most `PIECE_TRADES` of these groups' trades, in accounts which may go short. The import
    moves on behind the groups when no more of theirs are left."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cancelled = _cancel(
            cursor,
            job,
            # No join with accounts: a trade that moves while this waits for it must not be missed.
            "SELECT t.id FROM trades_trade t WHERE t.request_group_id = ANY(%(groups)s)"
            " AND t.status <> 'cancelled' AND t.account_id <> ALL(%(bound)s)",
            {"groups": groups, "bound": [a.pk for a in _no_short()]},
            limit=PIECE_TRADES,
        )
        place = groups[-1] if cancelled < PIECE_TRADES else job.undo_place
        import_move(
            job,
            attempts=0,
            undo_place=place,
            trades_cancelled=F("trades_cancelled") + cancelled,
        )
    job.undo_place = place


def _cancel(
    cursor: CursorWrapper,
    job: Import,
    which: str,
    params: dict[str, Any],
    *,
    limit: int | None = None,
) -> int:
    """Cancel the trades that `which` selects, or the first of them: one version each, and the
    reversal of what stood (quantity and notional of the opposite sign, one standing trade fewer).
    Wakes the readers."""
    # Those that another transaction has cancelled meanwhile do not count towards the limit.
    cursor.execute(which + " ORDER BY t.id LIMIT %(limit)s FOR UPDATE", {**params, "limit": limit})
    ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return 0
    return trades_write_cancelled(
        ids,
        actor=job.undone_by_id or 0,
        reason=job.undo_reason,
        answer=CONFIRMED_AS_A_WHOLE,
    )
