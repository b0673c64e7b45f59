"""The facts that guards need, in one statement, whether for one trade or thousands: the guards that
hold in the accounts, what is held, the marks, the closes of past dates, and the same trades of the
last minutes. What no active guard looks at is not read.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import NamedTuple
from uuid import UUID

from kernel import prepared
from prices.marks import mark_params, marks_sql
from prices.sessions import Sessions
from trades.guard_rules import HOLDING, MINUTES, PRICED, PROBABLE_DUPLICATE, Compared, Rule

Key = tuple[int, int]
"""An account's id and an instrument's."""
Same = tuple[int, int, str, Decimal, Decimal]
"""Account, instrument, side, quantity and price: what makes two trades the same."""
# More are planned for what they are.
_FEW = 64
# The first id that a trade of the last minutes can have. Ids are of the machines' own clocks, one
# of which may be a little behind, whatever the clock says that times are told by.
_FIRST_ID = """lpad(to_hex((1000 * extract(epoch FROM clock_timestamp()
                    - make_interval(mins => k.minutes + 1)))::bigint), 12, '0')"""


class Asked(NamedTuple):
    """A trade that the facts are for."""

    account_id: int
    instrument_id: int
    side: str
    quantity: Decimal
    price: Decimal
    trade_date: date
    has_own_id: bool


@dataclass
class Facts:
    """`rules` are those that are active, by account; `held` by key; `marks` are of the business
    date, `closes` of past dates, `again` how many the same there are, and when the last was
    booked."""

    today: date
    rules: dict[int, dict[str, Rule]] = field(default_factory=dict)
    held: dict[Key, Decimal] = field(default_factory=dict)
    marks: dict[int, Compared] = field(default_factory=dict)
    closes: dict[tuple[int, date], Compared] = field(default_factory=dict)
    again: dict[Same, tuple[int, datetime]] = field(default_factory=dict)

    def compared(self, instrument: int, day: date) -> Compared | None:
        if day >= self.today:
            return self.marks.get(instrument)
        return self.closes.get((instrument, day))


def _active(codes: Collection[str], more: str = "false") -> str:
    named = ", ".join(f"'{code}'" for code in codes)
    return f"EXISTS (SELECT FROM rule WHERE code IN ({named}) OR {more})"


@cache
def _sql() -> str:
    # What refuses must know what only takes away of what is held.
    priced, holding = _active(PRICED), _active(HOLDING, "refuse IS NOT NULL")
    today = "%(business_date)s::date"
    marked = f"SELECT DISTINCT instrument_id FROM asked WHERE trade_date >= {today} AND {priced}"
    return f"""
    WITH asked AS MATERIALIZED (
        SELECT * FROM unnest(%(accounts)s::bigint[], %(named)s::bigint[], %(sides)s::text[],
                             %(quantities)s::numeric[], %(prices)s::numeric[], %(dates)s::date[],
                             %(own)s::boolean[])
            AS a (account_id, instrument_id, side, quantity, price, trade_date, has_own_id)
    ), rule AS MATERIALIZED (
        SELECT * FROM (
            SELECT DISTINCT ON (k.account_id, g.code)
                   k.account_id, g.code, g.warn, g.refuse, g.minutes, g.is_active
              FROM (SELECT DISTINCT account_id FROM asked) k
              JOIN trades_guard g ON g.account_id = k.account_id OR g.account_id IS NULL
             ORDER BY k.account_id, g.code, g.account_id NULLS LAST
        ) g WHERE g.is_active
    ), mark AS MATERIALIZED ({marks_sql(marked)})
    SELECT 'rule', account_id, NULL::bigint, code, warn, refuse, minutes::numeric, NULL::date,
           NULL::timestamptz, false
      FROM rule
     UNION ALL
    SELECT 'held', k.account_id, k.instrument_id, NULL, sum(e.quantity), NULL, NULL, NULL, NULL,
           false
      FROM (SELECT DISTINCT account_id, instrument_id FROM asked WHERE {holding}) k
      JOIN trades_ledgerentry e
        ON e.account_id = k.account_id AND e.instrument_id = k.instrument_id
     GROUP BY 2, 3
     UNION ALL
    SELECT 'mark', NULL, instrument_id, mark_source, mark, NULL, NULL, NULL, NULL,
           stale OR mark_carried OR mark_doubtful
      FROM mark WHERE mark IS NOT NULL
     UNION ALL
    SELECT 'close', NULL, c.instrument_id, c.source, c.close, NULL, NULL, c.session, NULL,
           c.source = %(carried)s
      FROM (SELECT DISTINCT instrument_id, trade_date FROM asked
             WHERE trade_date < {today} AND {priced}) k
     CROSS JOIN LATERAL (
            SELECT instrument_id, session, close, source
              FROM eqtrade_effective_closes(ARRAY[k.trade_date], %(source)s)
             WHERE instrument_id = k.instrument_id) c
     UNION ALL
    SELECT 'again', t.account_id, t.instrument_id, t.side, t.quantity, t.price, count(*)::numeric,
           NULL, max(t.booked_at), false
      FROM (SELECT DISTINCT a.account_id, a.instrument_id, a.side, a.quantity, a.price,
                   coalesce(r.minutes, {MINUTES}) AS minutes
              FROM asked a JOIN rule r ON r.account_id = a.account_id
               AND r.code = '{PROBABLE_DUPLICATE}'
             WHERE NOT a.has_own_id) k
      JOIN trades_trade t
        ON t.account_id = k.account_id AND t.instrument_id = k.instrument_id
       AND t.side = k.side AND t.quantity = k.quantity AND t.price = k.price
      LEFT JOIN trades_requestgroup g ON g.id = t.request_group_id
     WHERE t.status IN ('booked', 'amended') AND t.id > rpad({_FIRST_ID}, 32, '0')::uuid
       AND t.id <> ALL (%(but)s::uuid[])
       AND t.booked_at >= %(now)s::timestamptz - make_interval(mins => k.minutes)
       AND (g.import_job_id = %(job)s::uuid) IS NOT TRUE
     GROUP BY 2, 3, 4, 5, 6
    """


NOBODY = UUID(int=0)


def facts_of(
    trades: Sequence[Asked],
    *,
    known: Sessions,
    now: datetime,
    but: Collection[UUID] = (),
    job: UUID = NOBODY,
) -> Facts:
    """The facts of these trades. `but` are trades that are not looked at as the same, such as the
    one that is amended; `job` is the import that they are of, whose own are none either."""
    today = known.business_date(now)
    params = {
        **mark_params(now, known=known),
        "accounts": [t.account_id for t in trades],
        "named": [t.instrument_id for t in trades],
        "sides": [t.side for t in trades],
        "quantities": [t.quantity for t in trades],
        "prices": [t.price for t in trades],
        "dates": [t.trade_date for t in trades],
        "own": [t.has_own_id for t in trades],
        "but": list(but),
        "job": job,
    }
    read = prepared.rows if len(trades) <= _FEW else prepared.rows_planned
    found = Facts(today)
    for kind, account, instrument, word, first, second, third, day, at, is_stale in read(
        _sql(), params
    ):
        if kind == "rule":
            minutes = None if third is None else int(third)
            found.rules.setdefault(account, {})[word] = Rule(first, second, minutes)
        elif kind == "held":
            found.held[account, instrument] = first
        elif kind == "mark":
            found.marks[instrument] = Compared(first, "the mark", is_stale)
        elif kind == "close":
            found.closes[instrument, day] = Compared(first, f"the close of {day}", is_stale)
        else:
            found.again[account, instrument, word, first, second] = int(third), at
    return found
