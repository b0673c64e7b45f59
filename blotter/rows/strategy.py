"""P&L and positions by strategy: the rows of an account, told apart. What has no strategy stands
under none, so that strategies add up to their account."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from accounts.models import Strategy
from blotter.rows.figures import action_texts, figure_texts, shown_texts
from blotter.rows.pnl import State, pnl_row
from blotter.rows.today import Today
from kernel.api.rows import Row, moment, text
from kernel.pnl import AMOUNTS, Figures, value
from pnl.corrections import StrategyCorrections, strategy_corrections
from pnl.reasons import NO_PREVIOUS_CLOSE
from pnl.strategies.rows import StrategyDay, StrategyPnl, past_strategy_days, strategy_rows
from pnl.strategies.totals import live_strategy_days
from prices.models import CURRENCY
from prices.sessions import Sessions, sessions

ZERO = Decimal(0)
_NOTHING: Figures[Decimal] = Figures(*(ZERO for _ in AMOUNTS))


def strategy_pnl_rows(
    *, accounts: Mapping[int, str], days: Sequence[date], today: Today
) -> list[Row]:
    """Rows by session, account and strategy of sessions that follow one another, none after the
    business date. `accounts` maps ids to codes. Past sessions are computed from their closes as
    they are known now."""
    if not accounts or not days:
        return []
    known = sessions()
    past = [day for day in days if day < today.business_date]
    found: list[StrategyDay] = []
    corrections: StrategyCorrections = {}
    if past:
        found += past_strategy_days(accounts=accounts, days=past, now=today.now, known=known)
        corrections |= _corrections(accounts, past, today, known)
    if today.business_date in days:
        found += live_strategy_days(accounts=accounts, now=today.now)
        corrections |= _corrections(accounts, [today.business_date], today, known)
    codes = dict(Strategy.objects.values_list("pk", "code"))
    by_key = {(row.session, row.account_id, row.strategy_id): row for row in found}
    sums: dict[tuple[date, int, int], list[Decimal | None]] = {key: [] for key in by_key}
    for (day, account, strategy, _), pnl in corrections.items():
        sums.setdefault((day, account, strategy), []).append(pnl)
    rows = [
        _row(by_key.get(key) or _nothing(key), changes, accounts, codes, today)
        for key, changes in sums.items()
    ]
    return sorted(rows, key=lambda row: (row["session"], row["account"], row["strategy"] or ""))


def _corrections(
    accounts: Iterable[int], days: Sequence[date], today: Today, known: Sessions
) -> StrategyCorrections:
    return strategy_corrections(accounts=accounts, days=days, now=today.now, known=known)


def _nothing(key: tuple[date, int, int]) -> StrategyDay:
    """A strategy that held nothing on a session, and was corrected for earlier ones."""
    return StrategyDay(*key, 0, None, False, _NOTHING)


def _row(
    day: StrategyDay,
    corrections: Sequence[Decimal | None],
    accounts: Mapping[int, str],
    codes: Mapping[int, str],
    today: Today,
) -> Row:
    unknown = sum(pnl is None for pnl in corrections)
    return pnl_row(
        State(day.session, day.is_final, today.now, None),
        accounts[day.account_id],
        shown_texts(day.figures),
        sum((pnl or ZERO for pnl in corrections), ZERO),
        NO_PREVIOUS_CLOSE if unknown else day.pnl_reason,
        day.invalid_rows + unknown,
        {"strategy": codes.get(day.strategy_id)},
    )


def strategy_position_rows(
    *,
    accounts: Iterable[int],
    session: date,
    today: Today,
    known_at: datetime | None = None,
    instruments: Iterable[int] | None = None,
    include_flat: bool = False,
) -> list[Row]:
    """Position rows by account, strategy and ticker: of the business date live, of a past session
    as of then; see pnl.strategies.rows. Cost is the account's, and null here."""
    found = strategy_rows(
        accounts=accounts,
        session=session,
        now=today.now,
        known_at=known_at,
        instruments=instruments,
        include_flat=include_flat,
    )
    return [_position_row(row) for row in found]


def _position_row(row: StrategyPnl) -> Row:
    return {
        "account": row.account,
        "strategy": row.strategy,
        "ticker": row.ticker,
        "session": row.session.isoformat(),
        "currency": CURRENCY,
        "quantity": text(row.held),
        "average_cost": None,
        "price": text(row.mark),
        "price_as_of": moment(row.mark_as_of),
        "mark_source": row.mark_source,
        "price_source": row.price_source,
        "previous_close": text(row.previous_close),
        "previous_close_as_traded": text(row.previous_close_as_traded),
        "market_value": text(value(row.held, row.mark)),
        **figure_texts(row),
        "realized_pnl": None,
        "unrealized_pnl": None,
        "income": text(row.income),
        "actions": action_texts(row.actions),
        "pnl_valid": row.pnl_reason is None,
        "pnl_reason": row.pnl_reason,
        "updated_at": None,
    }
