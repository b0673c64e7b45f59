"""P&L by strategy: rows by account, strategy and ticker, and their totals by session.

The arithmetic is that of pnl.figures, over what each strategy holds and traded; every figure is
linear in these, so the strategies of an account add up to it wherever no price is missing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from kernel import prepared
from kernel.actions import Action
from kernel.pnl import AMOUNTS, Figures
from pnl.acting import Acting, acting_at
from pnl.figures import figures_query
from pnl.reasons import rank_sql, reason_sql
from pnl.strategies.keyed import acted_params, keyed, keyed_params, legs_of
from prices.marks import MARKS, mark_params, marks_sql
from prices.references import with_references
from prices.session_marks import SESSION_MARKS, session_mark_params
from prices.sessions import Sessions, sessions
from trades.models import LEDGER_SHARDS

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class StrategyPnl(Figures[Decimal | None]):
    """One account, strategy (None: trades without one) and instrument on a session. `income` is
    what actions paid since inception."""

    session: date
    account: str
    strategy: str | None
    ticker: str
    account_id: int
    strategy_id: int
    instrument_id: int
    opening: Decimal
    held: Decimal
    trades: int
    mark: Decimal | None
    mark_source: str | None
    mark_as_of: datetime | None
    price_source: str | None
    previous_close: Decimal | None
    previous_close_as_traded: Decimal | None
    pnl_reason: str | None
    income: Decimal = ZERO
    actions: tuple[Action, ...] = ()


class StrategyDay(NamedTuple):
    """An account's strategy on a session: sums of the figures that are not null."""

    session: date
    account_id: int
    strategy_id: int
    invalid_rows: int
    pnl_reason: str | None
    is_final: bool
    figures: Figures[Decimal]


_COLUMNS = (
    "r.session", "ac.code", "st.code", "i.ticker", "r.account_id", "r.strategy_id",
    "r.instrument_id", "r.opening", "r.held", "r.trades", "r.mark", "r.mark_source",
    "r.mark_as_of", "r.price_source", "r.previous_close", "r.previous_close_as_traded",
    "r.pnl_reason",
)  # fmt: skip
_SELECT_ROWS = f"""
    SELECT {", ".join(f"r.{name}" for name in AMOUNTS)}, {", ".join(_COLUMNS)}
      FROM rows r
      JOIN accounts_account ac ON ac.id = r.account_id
      JOIN prices_instrument i ON i.id = r.instrument_id
      LEFT JOIN accounts_strategy st ON st.id = r.strategy_id
     ORDER BY r.session, ac.code COLLATE "C", st.code COLLATE "C" NULLS FIRST,
              i.ticker COLLATE "C"
"""
_SELECT_DAYS = f"""
    SELECT r.session, r.account_id, r.strategy_id, r.invalid, r.reason,
           s.calculated_at IS NOT NULL AND r.invalid = 0, {", ".join(f"r.{a}" for a in AMOUNTS)}
      FROM (
        SELECT session, account_id, strategy_id, count(pnl_reason) AS invalid,
               {reason_sql(f"min({rank_sql('pnl_reason')})")} AS reason,
               {", ".join(f"coalesce(sum({a}), 0) AS {a}" for a in AMOUNTS)}
          FROM rows GROUP BY session, account_id, strategy_id
      ) r
      LEFT JOIN pnl_sessionrun s
        ON s.shard = r.account_id %% {LEDGER_SHARDS} AND s.session = r.session
     ORDER BY 1, 2, 3
"""
_NOTHING_SETTLING = "SELECT 0::bigint AS account_id, 0::bigint AS instrument_id WHERE false"


def strategy_rows(
    *,
    accounts: Iterable[int],
    session: date,
    now: datetime,
    known_at: datetime | None = None,
    instruments: Iterable[int] | None = None,
    include_flat: bool = False,
) -> list[StrategyPnl]:
    """Rows of one session: of the business date from what is kept, at live marks; of a past one,
    or as known at a moment, from the ledger."""
    known, of = sessions(), list(accounts)
    wanted = None if instruments is None else list(instruments)
    acting = acting_at([session], known=known, now=now, known_at=known_at, instruments=wanted)
    is_live = session == known.business_date(now)
    entries = not is_live or known_at is not None
    legs = () if acting is None else legs_of(acting, of, entries=entries, known_at=known_at)
    text, params = _statement(
        known, [session], of, now,
        acting=acting, is_live=is_live, entries=entries, known_at=known_at, wanted=wanted,
    )  # fmt: skip
    params |= {} if acting is None else acted_params(acting, legs)
    found = prepared.rows_planned(
        text + _SELECT_ROWS,
        {**params, **keyed_params(known, [session], of, wanted, include_flat)},
    )
    rows = [StrategyPnl(*values) for values in found]
    if acting is None:
        return rows
    income: dict[tuple[int, int, int], Decimal] = {}
    for leg in legs:
        if leg.effect.action.cash_is_income and leg.effect.action.ex_date <= session:
            key = leg.account, leg.strategy, leg.effect.instrument
            income[key] = income.get(key, ZERO) + leg.effect.cash
    return [_with_actions(row, acting, income) for row in rows]


def _with_actions(
    row: StrategyPnl, acting: Acting, income: dict[tuple[int, int, int], Decimal]
) -> StrategyPnl:
    key = row.account_id, row.strategy_id, row.instrument_id
    actions = tuple(acting.of(row.session, row.instrument_id))
    return replace(row, income=income.get(key, ZERO), actions=actions)


def past_strategy_days(
    *, accounts: Iterable[int], days: Sequence[date], now: datetime, known: Sessions
) -> list[StrategyDay]:
    """Totals of past sessions, computed from what is kept and the sessions' closes; of keys that
    held or traded something. Final where the session was calculated and nothing is doubtful."""
    of = list(accounts)
    acting = acting_at(days, known=known, now=now)
    text, params = _statement(known, days, of, now, acting=acting)
    params |= {} if acting is None else acted_params(acting, legs_of(acting, of))
    found = prepared.rows_planned(text + _SELECT_DAYS, {**params, **keyed_params(known, days, of)})
    return [StrategyDay._make((*row[:6], Figures(*row[6:]))) for row in found]


def _statement(
    known: Sessions,
    days: Sequence[date],
    accounts: list[int],
    now: datetime,
    *,
    acting: Acting | None,
    is_live: bool = False,
    entries: bool = False,
    known_at: datetime | None = None,
    wanted: list[int] | None = None,
) -> tuple[str, dict[str, Any]]:
    """The beginning of a query, up to its CTE `rows`, and its parameters but for those of `keyed`
    and of legs."""
    acted = acting is not None
    if is_live:
        body = with_references(marks_sql(acted=True)) if acted else MARKS
        day = "%(business_date)s::date AS session"
        marks = f"marks AS MATERIALIZED (SELECT m.*, {day} FROM ({body}) m)"
        params = mark_params(now, wanted)
    else:
        marks = "priced AS MATERIALIZED (SELECT DISTINCT instrument_id FROM keyed),"
        marks += SESSION_MARKS
        if acted:
            marks = marks.replace("marks AS MATERIALIZED", "as_traded AS MATERIALIZED")
            referred = with_references("SELECT * FROM as_traded", by_session=True)
            marks += f", marks AS MATERIALIZED ({referred})"
        params = session_mark_params(known, days, wanted)
    figures = figures_query(
        "NULL" if entries else "'strategy'",
        by_session=True, by_strategy=True, acted=acted, kept=False,
    )  # fmt: skip
    text = keyed(entries=entries, known_at=known_at is not None, acted=acted)
    return (
        f"WITH {text}, {marks}, settling AS ({_NOTHING_SETTLING}), rows AS ({figures})",
        {**params, "known_at": known_at},
    )
