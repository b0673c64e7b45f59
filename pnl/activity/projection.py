"""The projection of holdings and daily activity, from which P&L is computed. Both stand under one
checkpoint, so that P&L is never torn between what is held and what was traded.

A batch that changes a session whose end-of-day P&L is stored asks for its restatement in its own
transaction (RestateRequest), so a reader that dies loses none of it. A session's run begins under
the checkpoint's lock (pnl.daily.finalize): a batch either sees the run, or was committed before it
and is in what is calculated then.
"""

from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from pnl.activity.legs import legs_follow, legs_rebuild, legs_survey
from trades.ledger.projection import Batch
from trades.ledger.sql import SUMS
from trades.ledger.sum_projection import Bounds, Rebuilt, Scope, SumProjection, SumTable

_REQUEST = """
    INSERT INTO pnl_restaterequest (account_id, instrument_id, first_session, reason)
    SELECT e.account_id, e.instrument_id, min(e.trade_date), 'entry'
      FROM trades_ledgerentry e
     WHERE {where}
       AND e.trade_date <= (SELECT max(session) FROM pnl_sessionrun WHERE shard = {shard})
     GROUP BY e.account_id, e.instrument_id
"""

_REQUEST_ALL = """
    INSERT INTO pnl_restaterequest (account_id, first_session, reason)
    SELECT a.id, f.session, 'rebuild'
      FROM accounts_account a,
           (SELECT min(session) AS session FROM pnl_sessionrun WHERE shard = %(shard)s) f
     WHERE a.id %% %(shards)s = %(shard)s AND f.session IS NOT NULL
       AND (%(accounts)s::bigint[] IS NULL OR a.id = ANY(%(accounts)s::bigint[]))
"""


@dataclass(frozen=True)
class ActivityProjection(SumProjection):
    def applying(self, kind: type[Batch]) -> list[str]:
        request = _REQUEST.format(where=kind.WHERE, shard=kind.SHARD)
        return [*super().applying(kind), f"requested AS ({request})"]

    def apply(self, cursor: CursorWrapper, batch: Batch) -> int:
        entries = super().apply(cursor, batch)
        legs_follow(cursor, batch)
        return entries

    def survey(self, cursor: CursorWrapper, bounds: Bounds) -> dict[int, Rebuilt]:
        found = super().survey(cursor, bounds)
        for account, legs in legs_survey(cursor, bounds).items():
            found[account] = found.get(account, Rebuilt()) + legs
        return found

    def rebuild(self, cursor: CursorWrapper, scope: Scope) -> Rebuilt:
        """Rebuild, and have end-of-day P&L follow: where something was mended, and in any case for
        accounts that were named."""
        rebuilt = super().rebuild(cursor, scope) + legs_rebuild(cursor, scope)
        if rebuilt.written or rebuilt.removed or scope.accounts is not None:
            cursor.execute(_REQUEST_ALL, scope.params)
        return rebuilt


ACTIVITY = ActivityProjection(
    "pnl",
    [
        SumTable("pnl_holding", key=("account_id", "instrument_id"), sums=("quantity",)),
        SumTable(
            "pnl_dailyactivity",
            key=("account_id", "trade_date", "instrument_id"),
            sums=SUMS,
            last_entry=False,
        ),
    ],
)
