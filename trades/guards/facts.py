"""The facts that guards need, in one statement, whether for one trade or thousands: the guards that
hold in the accounts, what is held, the marks, the closes of past dates, and the same trades of the
last minutes. What no active guard looks at is not read, and the guards themselves only where this
process does not know them: an account's `guards_version` says which they are.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from kernel import prepared
from prices.actions.read import LAST_DECISION_SQL, actions_at
from prices.current_marks import marks
from prices.marks import mark_params, marks_sql
from prices.references import acting_on
from prices.sessions import Sessions
from trades.acted_position import ActedPosition
from trades.guard_rules import HOLDING, MINUTES, PRICED, PROBABLE_DUPLICATE, Compared, Rule
from trades.ledger.legs import acted_positions

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
    """`rules` are those that are active, by account; `held` by key, `acted` those that corporate
    actions concern; `marks` are of the business date, `closes` of past dates, `again` how many the
    same there are, and when the last was booked."""

    today: date
    rules: dict[int, dict[str, Rule]] = field(default_factory=dict)
    held: dict[Key, Decimal] = field(default_factory=dict)
    acted: dict[Key, ActedPosition] = field(default_factory=dict)
    marks: dict[int, Compared] = field(default_factory=dict)
    closes: dict[tuple[int, date], Compared] = field(default_factory=dict)
    again: dict[Same, tuple[int, datetime]] = field(default_factory=dict)

    def compared(self, instrument: int, day: date) -> Compared | None:
        if day >= self.today:
            return self.marks.get(instrument)
        return self.closes.get((instrument, day))


class Needs(NamedTuple):
    """What the active guards of an account look at: marks and closes, what is held, and trades of
    so many minutes (0: none)."""

    priced: bool
    holding: bool
    minutes: int


def needs_of(rules: Mapping[str, Rule]) -> Needs:
    """What refuses must also know what only takes away of what is held."""
    again = rules.get(PROBABLE_DUPLICATE)
    return Needs(
        any(code in rules for code in PRICED),
        any(code in HOLDING or rule.refuse is not None for code, rule in rules.items()),
        0 if again is None else again.minutes or MINUTES,
    )


# The guards of an account that this process has read, by its `guards_version`, of which no two
# states of its guards have the same.
_read: dict[int, tuple[int, Mapping[str, Rule]]] = {}
_MOST_READ = 10_000

_ROW = (
    "%(accounts)s::bigint[], %(named)s::bigint[], %(sides)s::text[], %(quantities)s::numeric[],"
    " %(prices)s::numeric[], %(dates)s::date[]"
)
_COLUMNS = "account_id, instrument_id, side, quantity, price, trade_date"
_TODAY = "%(business_date)s::date"


def _named(codes: Collection[str]) -> str:
    return "code IN (" + ", ".join(f"'{code}'" for code in codes) + ")"


# `asked` where the guards are known, and where they are read with the facts.
_KNOWN = f"""
    asked AS MATERIALIZED (
        SELECT * FROM unnest({_ROW}, %(priced)s::boolean[], %(holding)s::boolean[],
                             %(minutes)s::int[])
            AS a ({_COLUMNS}, priced, holding, minutes)
    )
"""
_UNKNOWN = f"""
    given AS MATERIALIZED (
        SELECT * FROM unnest({_ROW}, %(own)s::boolean[]) AS a ({_COLUMNS}, has_own_id)
    ), rule AS MATERIALIZED (
        SELECT * FROM (
            SELECT DISTINCT ON (k.account_id, g.code)
                   k.account_id, g.code, g.warn, g.refuse, g.minutes, g.is_active
              FROM (SELECT DISTINCT account_id FROM given) k
              JOIN trades_guard g ON g.account_id = k.account_id OR g.account_id IS NULL
             ORDER BY k.account_id, g.code, g.account_id NULLS LAST
        ) g WHERE g.is_active
    ), needs AS (
        SELECT account_id, bool_or({_named(PRICED)}) AS priced,
               bool_or({_named(HOLDING)} OR refuse IS NOT NULL) AS holding,
               max(coalesce(minutes, {MINUTES})) FILTER (WHERE code = '{PROBABLE_DUPLICATE}')
                   AS minutes
          FROM rule GROUP BY 1
    ), asked AS MATERIALIZED (
        SELECT {", ".join(f"g.{name}" for name in _COLUMNS.split(", "))},
               n.priced, n.holding,
               CASE WHEN g.has_own_id THEN 0 ELSE coalesce(n.minutes, 0) END AS minutes
          FROM given g JOIN needs n ON n.account_id = g.account_id
    )
"""
_MARK = f"""
    , mark AS MATERIALIZED ({
    marks_sql(f"SELECT DISTINCT instrument_id FROM asked WHERE trade_date >= {_TODAY} AND priced")
})
"""
# Each has the columns of the first.
_PARTS = {
    "rule": """
    SELECT 'rule' AS kind, account_id, NULL::bigint AS instrument_id, code AS word, warn AS first,
           refuse AS second, minutes::numeric AS third, NULL::date AS day, NULL::timestamptz AS at,
           false AS is_stale
      FROM rule
    """,
    "held": """
    SELECT 'held', k.account_id, k.instrument_id, NULL, sum(e.quantity), NULL::numeric,
           NULL::numeric, NULL::date, NULL::timestamptz, false
      FROM (SELECT DISTINCT account_id, instrument_id FROM asked WHERE holding) k
      JOIN trades_ledgerentry e
        ON e.account_id = k.account_id AND e.instrument_id = k.instrument_id
     GROUP BY 2, 3
    """,
    "decided": f"""
    SELECT 'decided', NULL::bigint, NULL::bigint, NULL, {LAST_DECISION_SQL}, NULL::numeric,
           NULL::numeric, NULL::date, NULL::timestamptz, false
    """,
    "mark": """
    SELECT 'mark', NULL::bigint, instrument_id, mark_source, mark, NULL::numeric, NULL::numeric,
           NULL::date, NULL::timestamptz, stale OR mark_carried OR mark_doubtful
      FROM mark WHERE mark IS NOT NULL
    """,
    "close": f"""
    SELECT 'close', NULL::bigint, c.instrument_id, c.source, c.close, NULL::numeric, NULL::numeric,
           c.session, NULL::timestamptz, c.source = %(carried)s
      FROM (SELECT DISTINCT instrument_id, trade_date FROM asked
             WHERE trade_date < {_TODAY} AND priced) k
     CROSS JOIN LATERAL (
            SELECT instrument_id, session, close, source
              FROM eqtrade_effective_closes(ARRAY[k.trade_date], %(source)s)
             WHERE instrument_id = k.instrument_id) c
    """,
    "again": f"""
    SELECT 'again', t.account_id, t.instrument_id, t.side, t.quantity, t.price, count(*)::numeric,
           NULL::date, max(t.booked_at), false
      FROM (SELECT DISTINCT account_id, instrument_id, side, quantity, price, minutes
              FROM asked WHERE minutes > 0) k
      JOIN trades_trade t
        ON t.account_id = k.account_id AND t.instrument_id = k.instrument_id
       AND t.side = k.side AND t.quantity = k.quantity AND t.price = k.price
      LEFT JOIN trades_requestgroup g ON g.id = t.request_group_id
     WHERE t.status IN ('booked', 'amended') AND t.id > rpad({_FIRST_ID}, 32, '0')::uuid
       AND t.id <> ALL (%(but)s::uuid[])
       AND t.booked_at >= %(now)s::timestamptz - make_interval(mins => k.minutes)
       AND (g.import_job_id = %(job)s::uuid) IS NOT TRUE
     GROUP BY 2, 3, 4, 5, 6
    """,
}


@cache
def _sql(parts: tuple[str, ...]) -> str:
    """The statement of these parts; with `rule` among them the guards are read, too."""
    asked = _UNKNOWN if "rule" in parts else _KNOWN
    mark = _MARK if "mark" in parts else ""
    return f"WITH {asked}{mark}" + " UNION ALL ".join(_PARTS[part] for part in parts)


NOBODY = UUID(int=0)


def facts_of(
    trades: Sequence[Asked],
    versions: Mapping[int, int],
    *,
    known: Sessions,
    now: datetime,
    but: Collection[UUID] = (),
    job: UUID = NOBODY,
) -> Facts:
    """The facts of these trades; `versions` are the `guards_version` of their accounts. `but` are
    trades that are not looked at as the same, such as the one that is amended; `job` is the import
    that they are of, whose own are none either. At most one statement, where no corporate action
    concerns them."""
    today = known.business_date(now)
    found = Facts(today)
    for account, version in versions.items():
        read_at, rules = _read.get(account, (0, {}))
        if read_at == version:
            found.rules[account] = dict(rules)
    needs = {account: needs_of(rules) for account, rules in found.rules.items()}
    if len(needs) < len(versions):
        parts: tuple[str, ...] = tuple(_PARTS)
    else:
        parts = _parts_of(trades, needs, today)
        if not parts:
            return found
    params = {
        **mark_params(now, known=known),
        **_asked_params(trades),
        "but": list(but),
        "job": job,
    }
    if "rule" in parts:
        params["own"] = _array(t.has_own_id for t in trades)
        found.rules = {account: {} for account in versions}
    else:
        of = [needs[t.account_id] for t in trades]
        params["priced"] = _array(need.priced for need in of)
        params["holding"] = _array(need.holding for need in of)
        minutes = [0 if t.has_own_id else n.minutes for t, n in zip(trades, of, strict=True)]
        params["minutes"] = _array(minutes)
    read = prepared.rows if len(trades) <= _FEW else prepared.rows_planned
    last_decision = _take(found, read(_sql(parts), params))
    if "rule" in parts:
        _keep(found, versions)
    if actions := actions_at(last_decision):
        # Nobody need ever have traded what came by an action.
        found.acted = acted_positions({(t.account_id, t.instrument_id) for t in trades}, actions)
        found.held |= {key: position.held for key, position in found.acted.items()}
        if acting_on(today, actions, known):
            _refer_marks(found, now)
    return found


def _asked_params(trades: Sequence[Asked]) -> dict[str, str]:
    return {
        "accounts": _array(t.account_id for t in trades),
        "named": _array(t.instrument_id for t in trades),
        "sides": _array(t.side for t in trades),
        "quantities": _array(t.quantity for t in trades),
        "prices": _array(t.price for t in trades),
        "dates": _array(t.trade_date for t in trades),
    }


def _array(values: Iterable[object]) -> str:
    """Numbers, days, sides or truths as PostgreSQL reads an array of them: psycopg writes a list
    element by element, ten thousand rows of nine columns in a seventh of a second."""
    return f"{{{','.join(map(str, values))}}}"


def _take(found: Facts, rows: Iterable[tuple[Any, ...]]) -> int | None:
    """Put what was read where it belongs; the last decision about corporate actions."""
    last_decision = None
    for kind, account, instrument, word, first, second, third, day, at, is_stale in rows:
        if kind == "rule":
            minutes = None if third is None else int(third)
            found.rules[account][word] = Rule(first, second, minutes)
        elif kind == "held":
            found.held[account, instrument] = first
        elif kind == "decided":
            last_decision = None if first is None else int(first)
        elif kind == "mark":
            found.marks[instrument] = Compared(first, "the mark", is_stale)
        elif kind == "close":
            found.closes[instrument, day] = Compared(first, f"the close of {day}", is_stale)
        else:
            found.again[account, instrument, word, first, second] = int(third), at
    return last_decision


def _refer_marks(found: Facts, now: datetime) -> None:
    """Have the marks of an ex-date in its terms."""
    for mark in marks(now, found.marks):
        was = found.marks.pop(mark.instrument_id)
        if mark.mark is not None:
            found.marks[mark.instrument_id] = replace(was, price=mark.mark)


def _parts_of(trades: Sequence[Asked], needs: Mapping[int, Needs], today: date) -> tuple[str, ...]:
    """What the known guards need to be read."""
    wanted = set()
    for trade in trades:
        need = needs[trade.account_id]
        if need.holding:
            wanted.add("held")
        if need.priced:
            wanted.add("mark" if trade.trade_date >= today else "close")
        if need.minutes and not trade.has_own_id:
            wanted.add("again")
    if wanted & {"held", "mark"}:
        wanted.add("decided")
    return tuple(part for part in _PARTS if part in wanted)


def _keep(found: Facts, versions: Mapping[int, int]) -> None:
    """They may be later than the versions, which are asked for no more then."""
    if len(_read) > _MOST_READ:
        _read.clear()
    for account, version in versions.items():
        _read[account] = version, dict(found.rules[account])
