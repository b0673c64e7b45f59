"""Totals of the business date by account, at nearly the price of the bare arithmetic.

Nearly every row has both its prices and stands in an account of which nothing is doubtful. Those
are summed straight from holdings and activity: trade P&L = previous close × q − notional, position
P&L = (mark − previous close) × held. The others (an instrument that lacks a price, an account that
is settling or in quarantine) go through the full arithmetic of pnl.figures. A test holds the totals
together with the sums of `live_rows`.

Corporate actions leave that as it is, since every figure is linear in what is held: what is kept is
held + legs, so legs are summed apart and added. Of what they concern, rows whose prices are
doubtful, carried or stale go the long way too: whether such a row counts depends on its legs.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kernel import prepared
from kernel.pnl import AMOUNTS, Figures, figures_sql
from pnl.acting import KEPT_LEGS
from pnl.corrections import correction_sums, live_corrections
from pnl.figures import ACTED_FIGURES, FIGURES
from pnl.live.rows import (
    ACTED_LEGS,
    SETTLING,
    acting_now,
    keyed_of,
    live_params,
    live_rows,
)
from pnl.reasons import (
    CARRIED,
    NO_PREVIOUS_CLOSE,
    PRICE_DOUBTFUL,
    STALE,
    rank,
    rank_sql,
    reason_sql,
)
from prices.marks import MARKS, marks_sql
from prices.references import with_references

_FORMULAS = figures_sql(
    traded="a", held="h.quantity", gain="m.gain", reference="m.previous_close", priced=True
)


def _sums(formulas: Mapping[str, str]) -> str:
    return ", ".join(f"sum({formula}) AS {name}" for name, formula in formulas.items())


_PLAIN = _sums(_FORMULAS)
# A reference that is another than the previous close gives what is held before trades a gain.
_ACTED_PLAIN = (
    _sums({name: formula for name, formula in _FORMULAS.items() if name != "action_pnl"})
    + ", sum(m.shift * (h.quantity - coalesce(a.quantity, 0))) FILTER (WHERE m.shifts)"
    " AS action_pnl"
)
# What a leg adds: to a position, and by what actions did on the session. One of the session adds
# shift × q + as traded × q, what it moved, which is reference × q.
_OF_LEGS = {
    "position_pnl": "m.gain * l.quantity",
    "action_pnl": "CASE WHEN l.ex_date > %(previous_session)s"
    " THEN m.previous_close * (l.quantity + l.unpaid) + l.cash"
    " WHEN m.shifts THEN m.shift * l.quantity END",
}
_OTHER = ", ".join(f"sum({name}) AS {name}" for name in AMOUNTS)


def added(*, acted: bool) -> str:
    """The amounts of `plain` p, `others` o and, with actions, `of_legs` l, added up."""
    return ", ".join(
        f"coalesce(p.{name}, 0) + coalesce(o.{name}, 0)"
        + (f" + coalesce(l.{name}, 0)" if acted and name in _OF_LEGS else "")
        for name in AMOUNTS
    )


INVALID = "coalesce(p.doubtful + p.carried + p.stale, 0) + coalesce(o.invalid, 0)"

RANK = f"""least(o.rank, CASE WHEN p.doubtful > 0 THEN {rank(PRICE_DOUBTFUL)}
                              WHEN p.carried > 0 THEN {rank(CARRIED)}
                              WHEN p.stale > 0 THEN {rank(STALE)} END)"""

# Each row counts once, for the first of its reasons.
_DOUBTFUL, _CARRIED = (
    f"(m.previous_{why} AND (h.quantity <> 0 OR a.quantity <> 0)"
    f" OR m.mark_{why} AND h.quantity <> 0)"
    for why in ("doubtful", "carried")
)

# Not asked for at all while there is no such instrument and no such account.
OTHERS = """
    AND EXISTS (SELECT FROM unpriced UNION ALL SELECT FROM doubtful)
    AND (instrument_id IN (SELECT instrument_id FROM unpriced)
         OR account_id IN (SELECT account_id FROM doubtful))
"""


def sums_ctes(
    *,
    of: tuple[str, ...],
    holdings: str,
    activity: str,
    settling: str,
    keyed: str,
    figures: str,
    legs: str | None = None,
) -> str:
    """CTEs that end in `plain`, `others` and, with `legs`, `of_legs`: the sums of either kind of
    row, and of legs, by the columns `of`, the first of which is account_id. `keyed`: CTEs that end
    in `keyed`, of the others. `legs`: a query of legs where corporate actions act on what %(acted)s
    names; None where none does."""
    acted = legs is not None
    marks = with_references(marks_sql(acted=True)) if acted else MARKS
    same = " AND ".join(f"a.{c} = h.{c}" for c in (*of, "instrument_id"))
    key = ", ".join(of)
    return f"""
    marks AS MATERIALIZED (
        SELECT m.*, {_ACTED_GAIN if acted else "m.mark - m.previous_close AS gain"}
          FROM ({marks}) m),
    settling AS MATERIALIZED ({settling}),
    doubtful AS MATERIALIZED (
        SELECT account_id FROM trades_quarantine UNION SELECT account_id FROM settling
    ),
    unpriced AS MATERIALIZED (
        SELECT instrument_id FROM marks WHERE gain IS NULL),
    plain AS (
        SELECT {", ".join(f"h.{c}" for c in of)}, {_ACTED_PLAIN if acted else _PLAIN},
               count(*) FILTER (WHERE {_DOUBTFUL}) AS doubtful,
               count(*) FILTER (WHERE {_CARRIED} AND NOT ({_DOUBTFUL})) AS carried,
               count(*) FILTER (WHERE m.stale AND NOT m.previous_carried AND h.quantity <> 0
                                  AND NOT ({_DOUBTFUL})) AS stale
          FROM {holdings} h
          JOIN marks m ON m.instrument_id = h.instrument_id
          LEFT JOIN {activity} a
            ON {same} AND a.trade_date = %(business_date)s
         WHERE h.account_id = ANY(%(accounts)s) AND m.gain IS NOT NULL
           AND h.account_id NOT IN (SELECT account_id FROM doubtful)
         GROUP BY {", ".join(f"h.{c}" for c in of)}
    ),
    {_legs_cte(key, legs) if legs else ""}{keyed},
    rows AS ({figures}),
    others AS (
        SELECT {key}, {_OTHER},
               count(pnl_reason) AS invalid, min({rank_sql("pnl_reason")}) AS rank
          FROM rows GROUP BY {key}
    )"""


# No gain where rows must go the long way: what is acted on and has doubtful prices.
_ACTED_GAIN = """
               CASE WHEN (instrument_id = ANY(%(acted)s::bigint[])
                          AND (as_traded IS NULL OR stale OR previous_carried OR mark_carried
                               OR previous_doubtful OR mark_doubtful)
                          OR instrument_id IN (SELECT instrument_id FROM pnl_actionwork))
                         IS NOT TRUE
                    THEN mark - previous_close END AS gain,
               previous_close - as_traded AS shift, previous_close <> as_traded AS shifts"""


def _legs_cte(key: str, legs: str) -> str:
    return f"""of_legs AS (
        SELECT {key}, {_sums(_OF_LEGS)}
          FROM ({legs}) l JOIN marks m USING (instrument_id)
         WHERE l.ex_date <= %(business_date)s
           AND (l.quantity <> 0 OR l.ex_date > %(previous_session)s)
           AND m.gain IS NOT NULL
           AND account_id NOT IN (SELECT account_id FROM doubtful)
         GROUP BY {key}
    ), """


def _query(*, acted: bool = False) -> str:
    ctes = sums_ctes(
        of=("account_id",),
        holdings="pnl_holding",
        activity="pnl_dailyactivity",
        settling=SETTLING,
        keyed=f"keyed AS MATERIALIZED ({keyed_of(OTHERS, acted=acted)})",
        figures=ACTED_FIGURES if acted else FIGURES,
        legs=KEPT_LEGS if acted else None,
    )
    return f"""
    WITH {ACTED_LEGS if acted else ""}{ctes}
    SELECT ac.id, ac.code, {added(acted=acted)}, {INVALID}, {reason_sql(RANK)}
      FROM accounts_account ac
      LEFT JOIN plain p ON p.account_id = ac.id
      LEFT JOIN others o ON o.account_id = ac.id
      {"LEFT JOIN of_legs l ON l.account_id = ac.id" if acted else ""}
     WHERE ac.id = ANY(%(accounts)s)
     ORDER BY ac.code COLLATE "C"
"""


_QUERY, _ACTED_QUERY = _query(), _query(acted=True)
# Of so many accounts with 500 names each, the plan for any values takes no longer than one that is
# made for these, and making that one takes as long as a quarter of a small book's answer.
FEW_ACCOUNTS = 64


@dataclass(frozen=True, slots=True)
class TotalPnl(Figures[Decimal]):
    """An account's sums of the figures that are not null. A key counts once among the invalid
    rows, whether a figure or the correction of it is doubtful or null."""

    account: str
    correction_pnl: Decimal
    invalid_rows: int
    pnl_reason: str | None


def live_totals(*, accounts: Iterable[int], now: datetime) -> list[TotalPnl]:
    """Totals of the business date for each account, those with nothing in it included, by code."""
    wanted = list(accounts)
    found = live_corrections(accounts=wanted, now=now)
    corrections = correction_sums(found)
    more = _invalid_besides([key for key, pnl in found.items() if pnl is None], now)
    acting = acting_now(now)
    params = live_params(now, wanted)
    query = _QUERY
    if acting is not None and acting.instruments:
        query, params = _ACTED_QUERY, {**params, **acting.params}
    rows = prepared.rows_of_accounts(query, params, few=FEW_ACCOUNTS)
    totals = []
    for pk, code, *amounts, invalid, reason in rows:
        values = [
            *amounts, code, corrections.get(pk, Decimal(0)), invalid + more.get(pk, 0),
            NO_PREVIOUS_CLOSE if pk in more else reason,
        ]  # fmt: skip
        totals.append(TotalPnl(*values))
    return totals


def _invalid_besides(keys: list[tuple[int, int]], now: datetime) -> dict[int, int]:
    """By account id, how many of these keys (account id, instrument id), whose correction is not
    known, have no row that is invalid anyway. There are hardly ever any."""
    if not keys:
        return {}
    counted = Counter(account for account, _ in keys)
    for row in live_rows(accounts=counted, now=now, keys=keys):
        counted[row.account_id] -= row.pnl_reason is not None
    return counted
