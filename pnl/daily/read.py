"""P&L of past sessions as known now: stored where a session was calculated, else provisional.

Stored rows (`DailyPnl`) count for a session and account as soon as the session was calculated for
the account's shard (`SessionRun`); before that they are computed here by the same SQL from the
closes that there are.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from kernel import prepared
from kernel.money import normalized_sql
from kernel.pnl import AMOUNTS, shown_sql
from pnl.acting import acting_at
from pnl.daily.columns import KEY, STORED
from pnl.daily.compute import computed, computed_params
from pnl.reasons import rank_sql, reason_sql
from prices.sessions import Sessions
from trades.models import LEDGER_SHARDS

_WANTED = """
    SELECT account_id, instrument_id, %(first_day)s::date AS first, %(last_day)s::date AS last
      FROM pnl_holding WHERE account_id = ANY(%(accounts)s)
"""

# What came by an action need never have been traded.
_WANTED_ACTED = f"""
    {_WANTED}
     UNION
    SELECT account_id, instrument_id, %(first_day)s::date, %(last_day)s::date
      FROM pnl_actionleg WHERE account_id = ANY(%(accounts)s)
"""

_CALCULATED = """
    EXISTS (SELECT FROM pnl_sessionrun s
             WHERE s.shard = {account} %% %(shards)s AND s.session = {session}
               AND s.shard = ANY(%(asked_shards)s) AND s.calculated_at IS NOT NULL)
"""

_STORED = f"""
    SELECT {", ".join(f"p.{name}" for name in (*KEY, *STORED))},
           p.is_final, p.calculated_at, p.restated_at
      FROM pnl_dailypnl p
     WHERE p.account_id = ANY(%(accounts)s) AND p.session = ANY(%(all_days)s::date[])
"""
_STORED_SO_FAR = f"""
    {_STORED} AND {_CALCULATED.format(account="p.account_id", session="p.session")}
"""

_PROVISIONAL, _PROVISIONAL_ACTED = (
    f"""
    SELECT {", ".join(f"c.{name}" for name in KEY)},
           {", ".join(f"c.{computed} AS {name}" for name, computed in STORED.items())},
           false AS is_final, %(now)s::timestamptz AS calculated_at,
           NULL::timestamptz AS restated_at
      FROM computed c
     WHERE (c.held <> 0 OR c.trades > 0{or_acted})
       AND NOT {_CALCULATED.format(account="c.account_id", session="c.session")}
"""
    for or_acted in ("", " OR c.action_pnl IS DISTINCT FROM 0")
)

# Of a row that an outer join may have left away; a figure of a row that is there may be null.
_FIGURES = ", ".join(
    normalized_sql(f"CASE WHEN r.closing_quantity IS NULL THEN 0 ELSE {formula} END")
    for formula in shown_sql("r").values()
)
_SUMS = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in AMOUNTS)
_TOTALS = ", ".join(normalized_sql(f"coalesce({sums}, 0)") for sums in shown_sql("r").values())
_FIRST_REASON = reason_sql(f"min({rank_sql('pnl_reason')})")

# Sessions that are not calculated for each of these shards.
_MISSING = """
    SELECT d.session FROM unnest(%(days)s::date[]) AS d (session)
      LEFT JOIN pnl_sessionrun s ON s.session = d.session AND s.shard = ANY(%(shards)s::bigint[])
       AND s.calculated_at IS NOT NULL
     GROUP BY d.session HAVING count(s.session) < cardinality(%(shards)s::bigint[])
"""
_WITH_STORED = f"WITH rows AS ({_STORED})"
_WITH_BOTH, _WITH_BOTH_ACTED = (
    f"WITH wanted AS MATERIALIZED ({wanted}), {computed(acted=acted)},"
    f" rows AS ({_STORED_SO_FAR} UNION ALL {provisional})"
    for acted, wanted, provisional in (
        (False, _WANTED, _PROVISIONAL),
        (True, _WANTED_ACTED, _PROVISIONAL_ACTED),
    )
)


class DayPnl(NamedTuple):
    """One key on one session, its numbers as texts. They are null where a needed close is
    missing. `figures` are those of `SHOWN`, in their order."""

    session: date
    account: str
    ticker: str
    account_id: int
    instrument_id: int
    opening: str
    closing: str
    trades: int
    previous_close: str | None
    previous_close_as_traded: str | None
    mark: str | None
    price_source: str | None
    pnl_reason: str | None
    is_final: bool
    calculated_at: datetime
    restated_at: datetime | None
    figures: tuple[str | None, ...]


class AccountDay(NamedTuple):
    """An account's sums of the figures that are not null on one session, as texts in the order of
    `SHOWN`. Final when every row is, and the session was calculated."""

    session: date
    account_id: int
    invalid_rows: int
    pnl_reason: str | None
    is_final: bool
    calculated_at: datetime
    restated_at: datetime | None
    figures: tuple[str | None, ...]


# Where the figures begin in the rows of the statements below.
_DAY_FIGURES, _TOTAL_FIGURES = len(DayPnl._fields) - 1, len(AccountDay._fields) - 1


def first_trade_date(accounts: Iterable[int]) -> date | None:
    """The earliest trade date of anything that these accounts ever traded, what was cancelled
    since included: there is no P&L before. One index probe an account."""
    found = prepared.row(
        "SELECT min(first) FROM (SELECT (SELECT min(trade_date) FROM pnl_dailyactivity"
        " WHERE account_id = a.id) AS first FROM unnest(%s::bigint[]) AS a (id)) f",
        [list(accounts)],
    )
    return None if found is None else found[0]


def past_rows(
    *,
    accounts: Iterable[int],
    days: Iterable[date],
    now: datetime,
    known: Sessions,
    also: Iterable[tuple[date, int, int]] = (),
) -> list[DayPnl]:
    """Rows of past sessions by session, account and ticker. A key is there while something is held
    at the session's end or a trade of it stands; keys of `also` (session, account id, instrument
    id) are there in any case, with zeros. One statement, one snapshot."""
    rows, params = _rows(accounts, days, now, known)
    named = list(also)
    found = prepared.rows_of_accounts(
        rows
        + f"""
            , also AS (
                SELECT * FROM unnest(%(also_days)s::date[], %(also_accounts)s::bigint[],
                    %(also_instruments)s::bigint[]) AS a (session, account_id, instrument_id)
            ), shown AS (
                SELECT * FROM rows r
                 WHERE r.closing_quantity <> 0 OR r.trades > 0
                    OR r.action_pnl IS DISTINCT FROM 0
                    OR (r.session, r.account_id, r.instrument_id) IN (SELECT * FROM also)
            )
            SELECT session, ac.code, i.ticker, account_id, instrument_id,
                   {normalized_sql("coalesce(r.opening_quantity, 0)")},
                   {normalized_sql("coalesce(r.closing_quantity, 0)")},
                   coalesce(r.trades, 0), {normalized_sql("r.previous_close")},
                   {normalized_sql("coalesce(r.previous_close_as_traded, r.previous_close)")},
                   {normalized_sql("r.mark")}, r.price_source, r.pnl_reason,
                   coalesce(r.is_final, s.ran_at IS NOT NULL),
                   coalesce(r.calculated_at, s.ran_at, %(now)s), r.restated_at, {_FIGURES}
              FROM shown r
              FULL JOIN also a USING (session, account_id, instrument_id)
              LEFT JOIN (SELECT shard, session AS day, calculated_at AS ran_at
                           FROM pnl_sessionrun WHERE session = ANY(%(also_days)s::date[])) s
                ON s.shard = account_id %% %(shards)s AND s.day = session
              JOIN accounts_account ac ON ac.id = account_id
              JOIN prices_instrument i ON i.id = instrument_id
             ORDER BY session, ac.code COLLATE "C", i.ticker COLLATE "C"
            """,
        {
            **params,
            "also_days": prepared.array(day for day, _, _ in named),
            "also_accounts": [account for _, account, _ in named],
            "also_instruments": [instrument for _, _, instrument in named],
        },
    )
    return [DayPnl._make((*row[:_DAY_FIGURES], row[_DAY_FIGURES:])) for row in found]


def past_account_days(
    *, accounts: Iterable[int], days: Iterable[date], now: datetime, known: Sessions
) -> list[AccountDay]:
    """Totals of past sessions for each account, from its first trade date on; sessions with
    nothing in them are there with zeros."""
    rows, params = _rows(accounts, days, now, known)
    found = prepared.rows_of_accounts(
        rows
        + f"""
            , lived AS (
                SELECT a.account_id, d.session, s.calculated_at
                  FROM (SELECT account_id, min(trade_date) AS first FROM pnl_dailyactivity
                         WHERE account_id = ANY(%(accounts)s) GROUP BY account_id) a
                  JOIN unnest(%(all_days)s::date[]) AS d (session) ON d.session >= a.first
                  LEFT JOIN pnl_sessionrun s
                    ON s.shard = a.account_id %% %(shards)s AND s.session = d.session
                   AND s.shard = ANY(%(asked_shards)s)
            )
            SELECT l.session, l.account_id, coalesce(r.invalid_rows, 0), r.pnl_reason,
                   l.calculated_at IS NOT NULL AND coalesce(r.is_final, true),
                   coalesce(r.calculated_at, l.calculated_at, %(now)s), r.restated_at, {_TOTALS}
              FROM lived l
              LEFT JOIN (
                SELECT account_id, session, count(pnl_reason) AS invalid_rows,
                       {_FIRST_REASON} AS pnl_reason, bool_and(is_final) AS is_final,
                       max(calculated_at) AS calculated_at, max(restated_at) AS restated_at, {_SUMS}
                  FROM rows GROUP BY account_id, session
              ) r ON r.account_id = l.account_id AND r.session = l.session
             ORDER BY l.session, l.account_id
            """,
        params,
    )
    return [AccountDay._make((*row[:_TOTAL_FIGURES], row[_TOTAL_FIGURES:])) for row in found]


def invalid_besides(
    keys: Iterable[tuple[date, int, int]], *, now: datetime, known: Sessions
) -> dict[tuple[date, int], int]:
    """By session and account id, how many of these keys (session, account id, instrument id),
    whose correction is not known, have no row that is invalid anyway."""
    asked = set(keys)
    counted = Counter((day, account) for day, account, _ in asked)
    rows = past_rows(
        accounts={account for _, account, _ in asked}, days={day for day, *_ in asked}, now=now,
        known=known,
    )  # fmt: skip
    for row in rows:
        if row.pnl_reason and (row.session, row.account_id, row.instrument_id) in asked:
            counted[row.session, row.account_id] -= 1
    return counted


def _rows(
    accounts: Iterable[int], days: Iterable[date], now: datetime, known: Sessions
) -> tuple[str, dict[str, Any]]:
    """The beginning of a query, up to its CTE `rows`, and the parameters. Only sessions that are
    not stored for every shard are computed. One that is calculated just now is not seen twice: the
    statement itself asks again what is stored. What was calculated once stays so: where nothing is
    missing there is nothing to ask again."""
    wanted, asked = list(accounts), sorted(set(days))
    shards = {account % LEDGER_SHARDS for account in wanted}
    all_days = prepared.array(asked)
    asking = {"days": all_days, "shards": list(shards)}
    missing = sorted(day for (day,) in prepared.rows(_MISSING, asking))
    params = {
        "accounts": wanted, "all_days": all_days, "now": now, "shards": LEDGER_SHARDS,
        "asked_shards": list(shards),
    }  # fmt: skip
    if not missing:
        return _WITH_STORED, params
    acting = acting_at(missing, known=known, now=now)
    text = _WITH_BOTH if acting is None else _WITH_BOTH_ACTED
    return text, {**computed_params(known, missing, wanted, acting=acting), **params}
