"""Instruments that some account holds."""

from collections.abc import Collection
from datetime import datetime

from kernel import prepared
from kernel.clock import new_york
from prices.actions.read import actions_counting

# A look into the index for each account and instrument; OFFSET 0: never a pass over all positions.
_HELD = """
    SELECT i.id FROM unnest(%s::bigint[]) i (id)
     WHERE EXISTS (
        SELECT FROM accounts_account a
         CROSS JOIN LATERAL (
            SELECT FROM positions_position p
             WHERE p.account_id = a.id AND p.instrument_id = i.id AND p.quantity <> 0 OFFSET 0
         ) held)
"""


def held_instruments(instruments: Collection[int], now: datetime) -> set[int]:
    """Those of these instruments of which some account holds something, by what it traded; of which
    nothing is left since a corporate action, nobody does."""
    today = new_york(now).date()
    ended = {a.instrument for a in actions_counting() if a.ends and a.ex_date <= today}
    return {pk for (pk,) in prepared.rows(_HELD, [list(instruments)])} - ended
