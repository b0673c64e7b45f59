"""Sessions on which corporate actions act: the one place where statements of P&L learn of them.

Where none acts up to the last of the sessions asked for, `acting_at` answers None, and statements
are what they are without. Else they read marks with the references of their sessions
(`with_references`), and legs beside holdings and trades: those that are kept (`KEPT_LEGS`) or
those that were folded for them (trades.ledger.legs.GIVEN_LEGS).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from kernel.actions import Action
from prices.references import acting_on, reference_params, references_by_session
from prices.sessions import Sessions
from trades.ledger.legs import effective_actions

# The legs that are kept, of the accounts that a statement is of.
KEPT_LEGS = """
    SELECT account_id, instrument_id, ex_date, quantity, cash, unpaid
      FROM pnl_actionleg WHERE account_id = ANY(%(accounts)s)
"""


@dataclass(frozen=True, slots=True)
class Acting:
    """The actions that count up to the last session, in their order; the sessions on which each
    acts; and the references that are not the previous closes, by session and instrument."""

    actions: tuple[Action, ...]
    by_session: Mapping[date, Sequence[Action]]
    references: Mapping[tuple[date, int], Decimal | None]

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of `REFERENCES`, and the instruments whose quantities legs move."""
        return {**reference_params(self.references), "acted": sorted(self.instruments)}

    @property
    def instruments(self) -> set[int]:
        """Those whose figures are others than without actions: what was ever moved, and what
        gets anything on one of the sessions."""
        today = [action for actions in self.by_session.values() for action in actions]
        moved = [a for a in self.actions if a.changes_shares]
        return {i for action in (*today, *moved) for i in action.instruments}

    def of(self, session: date, instrument: int) -> list[Action]:
        """The actions that concern an instrument on a session."""
        return [a for a in self.by_session.get(session, ()) if instrument in a.instruments]


def acting_at(
    days: Iterable[date],
    *,
    known: Sessions,
    now: datetime,
    known_at: datetime | None = None,
    instruments: Iterable[int] | None = None,
) -> Acting | None:
    """What acts on these sessions or did before. One look at a small index where nothing does."""
    asked = sorted(set(days))
    if not asked:
        return None
    actions = effective_actions(asked[-1], known_at, instruments)
    if not actions:
        return None
    by_session = {day: of_day for day in asked if (of_day := acting_on(day, actions, known))}
    return Acting(
        tuple(actions), by_session, references_by_session(by_session, known=known, now=now)
    )


# A key's legs up to a session, and those of the session: the columns that `keyed_columns` takes
# with `legs`. %(previous_session)s is the session before.
def legs_until(legs: str) -> str:
    """The CTE body of legs by key from a query of them, for one session, %(business_date)s."""
    of_day = "FILTER (WHERE ex_date > %(previous_session)s)"
    return f"""
    SELECT account_id, instrument_id, sum(quantity) AS quantity,
           coalesce(sum(quantity) {of_day}, 0) AS moved,
           coalesce(sum(cash) {of_day}, 0) AS cash,
           coalesce(sum(unpaid) {of_day}, 0) AS unpaid,
           count(*) {of_day} AS acts
      FROM ({legs}) l
     WHERE ex_date <= %(business_date)s
       AND (quantity <> 0 OR ex_date > %(previous_session)s)
     GROUP BY account_id, instrument_id
    """
