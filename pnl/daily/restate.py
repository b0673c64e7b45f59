"""End-of-day P&L is restated when a late trade, a correction, a changed close or a rebuild asks.

Requests are rows that are only added, in the transaction that makes them necessary, and taken away
in the transaction that fulfils them. So nothing is lost when a process dies, who adds one never
waits for who works, and a request that comes while its key is calculated stays for the next piece.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from kernel import clock
from kernel.locks import Lock, try_transaction_lock
from pnl.daily.write import PIECE_ROWS, Span, daily_write
from pnl.models import ActionLeg, Holding, RestateRequest, SessionRun
from prices.actions.read import actions_counting
from prices.sessions import Sessions, sessions

logger = logging.getLogger(__name__)

MOST_REQUESTS = 2_000
TURN_SECONDS = 2.0


class Turn(StrEnum):
    DONE = "done"  # nothing is asked for
    BUSY = "busy"  # another writer is at it
    MORE = "more"  # something is left, and this turn is over


@dataclass
class _Piece:
    """Requests that one transaction fulfils: each key's sessions, from the first to the last that
    any of them names."""

    spans: dict[tuple[int, int], Span]
    requests: list[int]
    rows: int = 0


def closes_changed(closes: Iterable[tuple[int, date]]) -> None:
    """Ask for the sessions of these closes (instrument id, session) and the ones after them. Must
    run in the transaction that records the closes.

    Sessions without a run are asked for, too: one that begins just now cannot be seen from here.
    Those that have none when the request is read are calculated later, from these closes.
    """
    known = sessions()
    changed = {(instrument, day) for instrument, day in closes}
    # The reference of what is split off something follows from the other's close.
    for action in actions_counting():
        for leg in action.legs:
            before = known.previous_session(action.ex_date)
            if {(leg.instrument, before), (leg.instrument, action.ex_date)} & changed:
                changed.add((action.instrument, action.ex_date))
    RestateRequest.objects.bulk_create(
        RestateRequest(
            instrument_id=instrument,
            first_session=day,
            last_session=known.next_session(day),
            reason=RestateRequest.Reason.CLOSE,
        )
        for instrument, day in sorted(changed)
    )


def hours_changed(first: date) -> None:
    """Ask for all sessions from this day on, of everything ever held: with a session's hours its
    close, the previous close of the next one and what was known at its end are others. Must run in
    the transaction that changes the hours. Days that have not come yet have no P&L stored."""
    if first <= sessions().business_date(clock.now()):
        held = Holding.objects.order_by("account").values_list("account", flat=True).distinct()
        accounts_restate(accounts=held, first=first)


def accounts_restate(*, accounts: Iterable[int], first: date) -> None:
    """Ask for all that these accounts ever held, from a session on."""
    RestateRequest.objects.bulk_create(
        RestateRequest(account_id=pk, first_session=first, reason=RestateRequest.Reason.REBUILD)
        for pk in accounts
    )


def restates_wait() -> bool:
    return RestateRequest.objects.exists()


def restate_work(*, now: datetime, seconds: float = TURN_SECONDS) -> Turn:
    """Fulfil requests, oldest first, piece by piece, for about so long. Must not run inside a
    transaction."""
    until = time.monotonic() + seconds
    while True:
        turn = _piece(now)
        if turn is not Turn.MORE or time.monotonic() >= until:
            return turn


def _piece(now: datetime) -> Turn:
    """One transaction. The requests are read after the lock, and the rows after the requests: what
    was written with a request is seen."""
    known = sessions()
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        if not try_transaction_lock(Lock.DAILY_PNL_WRITE):
            return Turn.BUSY
        found = list(RestateRequest.objects.order_by("id")[:MOST_REQUESTS])
        if not found:
            return Turn.DONE
        if _spread(cursor, [request for request in found if request.instrument_id is None]):
            return Turn.MORE
        days = _begun_days(known)
        piece = _gather(found, days)
        first = min((span.first for span in piece.spans.values()), default=None)
        if first is not None:
            last = max(span.last for span in piece.spans.values())
            daily_write(
                cursor,
                spans=piece.spans.values(),
                days=[day for day in days if first <= day <= last],
                now=now,
                known=known,
            )
        RestateRequest.objects.filter(pk__in=piece.requests).delete()
    return Turn.MORE


# A key that a rebuild has taken away is there until it is calculated without it. Before a key's
# first day it has nothing.
_SPREAD = """
    INSERT INTO pnl_restaterequest (account_id, instrument_id, first_session, last_session, reason)
    SELECT r.account_id, k.instrument_id, greatest(r.first_session, min(k.first)), r.last_session,
           r.reason
      FROM pnl_restaterequest r
     CROSS JOIN LATERAL (
        SELECT instrument_id, min(trade_date) AS first FROM pnl_dailyactivity
         WHERE account_id = r.account_id GROUP BY instrument_id
         UNION ALL
        SELECT instrument_id, min(session) FROM pnl_dailypnl
         WHERE account_id = r.account_id GROUP BY instrument_id
         UNION ALL
        SELECT instrument_id, min(ex_date) FROM pnl_actionleg
         WHERE account_id = r.account_id GROUP BY instrument_id
     ) k
     WHERE r.id = %s
     GROUP BY r.id, k.instrument_id
     ORDER BY k.instrument_id
"""


def _spread(cursor: CursorWrapper, requests: list[RestateRequest]) -> bool:
    """Turn requests for whole accounts into one for each key, so that they come in pieces: as many
    of them as have a piece's rows, one at least. Whether there were any."""
    keys = 0
    for request in requests:
        if keys >= PIECE_ROWS:
            break
        cursor.execute(_SPREAD, [request.pk])
        keys += cursor.rowcount
        request.delete()
    return bool(requests)


def _begun_days(known: Sessions) -> list[date]:
    """The sessions that have a run for any shard and are still sessions."""
    found = SessionRun.objects.order_by("session").values_list("session", flat=True).distinct()
    return [day for day in found if known.is_session(day)]


def _gather(requests: list[RestateRequest], days: list[date]) -> _Piece:
    """The first requests that together ask for no more rows than a piece has, one at least."""
    piece = _Piece({}, [])
    holders = _holders({r.instrument_id for r in requests if r.account_id is None})
    for request in requests:
        last = request.last_session or (days[-1] if days else request.first_session)
        instrument = request.instrument_id or 0
        accounts = (
            holders.get(instrument, []) if request.account_id is None else [request.account_id]
        )
        covered = sum(1 for day in days if request.first_session <= day <= last)
        rows = covered * len(accounts)
        if piece.requests and piece.rows + rows > PIECE_ROWS:
            break
        piece.requests.append(request.pk)
        piece.rows += rows
        if covered:
            for account in accounts:
                _widen(piece, Span(account, instrument, request.first_session, last))
    return piece


def _widen(piece: _Piece, span: Span) -> None:
    key = span.account, span.instrument
    known = piece.spans.get(key)
    if known is not None:
        span = Span(*key, min(known.first, span.first), max(known.last, span.last))
    piece.spans[key] = span


def _holders(instruments: set[int | None]) -> dict[int, list[int]]:
    """The accounts that ever held each of these instruments."""
    if not instruments:
        return {}
    found: dict[int, list[int]] = {}
    named = [i for i in instruments if i is not None]
    held = Holding.objects.filter(instrument__in=named)
    came = ActionLeg.objects.filter(instrument__in=named)
    keys = held.values_list("instrument_id", "account_id").union(
        came.values_list("instrument_id", "account_id")
    )
    for instrument, account in keys:
        found.setdefault(instrument, []).append(account)
    return found
