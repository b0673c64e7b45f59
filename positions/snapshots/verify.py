"""Snapshots against the ledger as it was known at each session's end."""

from typing import Any

from positions.models import SnapshotRun
from trades.ledger.legs import effective_actions, ledger_legs
from trades.ledger.sql import effective_entries
from trades.ledger.verify import Break, breaks_of

SNAPSHOTS = 5


def snapshot_breaks() -> list[Break]:
    """Rows of the last snapshots that are not what had been recorded by the session's end."""
    legs = _legs()
    return breaks_of(
        "snapshot",
        f"""
        WITH runs AS (
            SELECT session, ends_at FROM positions_snapshotrun WHERE taken_at IS NOT NULL
             ORDER BY session DESC LIMIT {SNAPSHOTS}
        ), then_held AS (
            SELECT session, account_id, instrument_id, sum(quantity) AS quantity
              FROM (
                SELECT r.session, e.account_id, e.instrument_id, e.quantity
                  FROM runs r
                 CROSS JOIN LATERAL ({effective_entries("r.session", "r.ends_at")}) e
                 UNION ALL
                SELECT * FROM unnest(%(leg_sessions)s::date[], %(leg_accounts)s::bigint[],
                                     %(leg_instruments)s::bigint[], %(leg_quantities)s::numeric[])
              ) h
             GROUP BY session, account_id, instrument_id
        )
        SELECT account_id, instrument_id, session::text,
               coalesce(s.quantity, 0), coalesce(h.quantity, 0)
          FROM (SELECT * FROM positions_positionsnapshot
                 WHERE session IN (SELECT session FROM runs)) s
          FULL JOIN then_held h USING (session, account_id, instrument_id)
         WHERE coalesce(s.quantity, 0) <> coalesce(h.quantity, 0)
        """,
        params=legs,
    )


def _legs() -> dict[str, list[Any]]:
    """What corporate actions had made of it, as known at each session's end."""
    found: dict[str, list[Any]] = {
        "leg_sessions": [], "leg_accounts": [], "leg_instruments": [], "leg_quantities": [],
    }  # fmt: skip
    runs = SnapshotRun.objects.exclude(taken_at=None).order_by("-session")[:SNAPSHOTS]
    for run in runs:
        actions = effective_actions(run.session, run.ends_at)
        for leg in ledger_legs(actions, known_at=run.ends_at):
            found["leg_sessions"].append(run.session)
            found["leg_accounts"].append(leg.account)
            found["leg_instruments"].append(leg.effect.instrument)
            found["leg_quantities"].append(leg.effect.quantity)
    return found
