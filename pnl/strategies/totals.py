"""Totals of the business date by account and strategy, as pnl.live.totals has them by account."""

from collections.abc import Iterable
from datetime import datetime

from kernel import prepared
from kernel.pnl import Figures
from pnl.figures import figures_query
from pnl.live.rows import acting_now, live_params
from pnl.live.totals import INVALID, OTHERS, RANK, added, sums_ctes
from pnl.reasons import reason_sql
from pnl.strategies.keyed import acted_params, keyed, keyed_params, legs_of
from pnl.strategies.rows import StrategyDay
from prices.sessions import sessions
from trades.ledger.legs import GIVEN_STRATEGY_LEGS
from trades.ledger.sql import keys_read_by_one

# Strategies add up to their account where both readers have read the same.
_SETTLING = keys_read_by_one("pnl", "strategy")


def _query(*, acted: bool = False) -> str:
    ctes = sums_ctes(
        of=("account_id", "strategy_id"),
        holdings="pnl_strategyholding",
        activity="pnl_strategyactivity",
        settling=_SETTLING,
        keyed=keyed(acted=acted, which=OTHERS),
        figures=figures_query("'strategy'", by_strategy=True, acted=acted, kept=False),
        legs=GIVEN_STRATEGY_LEGS if acted else None,
    )
    key = "USING (account_id, strategy_id)"
    return f"""
    WITH {ctes}
    SELECT account_id, strategy_id, {INVALID}, {reason_sql(RANK)}, {added(acted=acted)}
      FROM plain p FULL JOIN others o {key} {f"FULL JOIN of_legs l {key}" if acted else ""}
    """


_QUERY, _ACTED_QUERY = _query(), _query(acted=True)


def live_strategy_days(*, accounts: Iterable[int], now: datetime) -> list[StrategyDay]:
    """Totals of the business date of every strategy that an account ever traded for, never
    final."""
    of, known = list(accounts), sessions()
    session = known.business_date(now)
    params = {**live_params(now, of), **keyed_params(known, [session], of)}
    acting = acting_now(now)
    query = _QUERY
    if acting is not None and acting.instruments:
        query = _ACTED_QUERY
        params |= acted_params(acting, legs_of(acting, of))
    rows = prepared.rows_of_accounts(query, params)
    return [
        StrategyDay(session, account, strategy, invalid, reason, False, Figures(*amounts))
        for account, strategy, invalid, reason, *amounts in rows
    ]
