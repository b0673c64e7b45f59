"""Snapshots against the ledger as it was known at each session's end."""

from trades.ledger.sql import effective_entries
from trades.ledger.verify import Break, breaks_of

SNAPSHOTS = 5


def snapshot_breaks() -> list[Break]:
    """Rows of the last snapshots that are not what had been recorded by the session's end."""
    return breaks_of(
        "snapshot",
        f"""
        WITH runs AS (
            SELECT session, ends_at FROM positions_snapshotrun WHERE taken_at IS NOT NULL
             ORDER BY session DESC LIMIT {SNAPSHOTS}
        ), then_held AS (
            SELECT r.session, e.account_id, e.instrument_id, sum(e.quantity) AS quantity
              FROM runs r
             CROSS JOIN LATERAL ({effective_entries("r.session", "r.ends_at")}) e
             GROUP BY r.session, e.account_id, e.instrument_id
        )
        SELECT account_id, instrument_id, session::text,
               coalesce(s.quantity, 0), coalesce(h.quantity, 0)
          FROM (SELECT * FROM positions_positionsnapshot
                 WHERE session IN (SELECT session FROM runs)) s
          FULL JOIN then_held h USING (session, account_id, instrument_id)
         WHERE coalesce(s.quantity, 0) <> coalesce(h.quantity, 0)
        """,
    )
