"""Snapshots that are taken, and their rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection

from positions.models import SnapshotRun


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """One account and instrument as known at a session's end; `close` as of the taking."""

    session: date
    account: str
    ticker: str
    quantity: Decimal
    close: Decimal | None
    taken_at: datetime


def last_snapshot() -> SnapshotRun | None:
    """The run of the latest session whose snapshot is taken."""
    return SnapshotRun.objects.exclude(taken_at=None).order_by("-session").first()


def snapshot_of(session: date) -> SnapshotRun | None:
    """The run of this session, if its snapshot is taken."""
    return SnapshotRun.objects.filter(session=session).exclude(taken_at=None).first()


def snapshot_rows(
    *,
    session: date,
    accounts: Iterable[int],
    limit: int,
    after: tuple[str, ...] | None = None,
    before: tuple[str, ...] | None = None,
) -> list[SnapshotRow]:
    """At most `limit` rows by account and ticker: the first ones, those after (account, ticker), or
    the last ones before it."""
    backward = before is not None and after is None
    account, ticker = (*(after or before or ()), "", "")[:2]
    order = "DESC" if backward else "ASC"
    key = 'ROW(ac.code COLLATE "C", i.ticker COLLATE "C")'
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT s.session, ac.code, i.ticker, s.quantity, s.close, s.taken_at
              FROM positions_positionsnapshot s
              JOIN accounts_account ac ON ac.id = s.account_id
              JOIN prices_instrument i ON i.id = s.instrument_id
             WHERE s.session = %(session)s AND s.account_id = ANY(%(accounts)s)
               AND (%(all)s OR {key} {"<" if backward else ">"} ROW(%(account)s, %(ticker)s))
             ORDER BY ac.code COLLATE "C" {order}, i.ticker COLLATE "C" {order}
             LIMIT %(limit)s
            """,
            {
                "session": session,
                "accounts": list(accounts),
                "all": after is None and before is None,
                "account": account,
                "ticker": ticker,
                "limit": limit,
            },
        )
        rows = [SnapshotRow(*row) for row in cursor.fetchall()]
    return rows[::-1] if backward else rows
