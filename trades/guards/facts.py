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

from django.db import connection

from kernel import prepared
from kernel.together import MOST, Together
from prices.actions.read import LAST_DECISION_SQL, actions_at
from prices.current_marks import marks
from prices.marks import mark_params, marks_sql
from prices.references import acting_on
from prices.sessions import Sessions
from trades.acted_position import ActedPosition
from trades.guard_rules import HOLDING, MINUTES, PRICED, PROBABLE_DUPLICATE, Compared, Rule
from trades.ledger.held import held_of_key
from trades.ledger.legs import acted_positions

Key = tuple[int, int]
"""An account's id and an instrument's."""
Same = tuple[int, int, str, Decimal, Decimal]
"""Account, instrument, side, quantity and price: what makes two trades the same."""
# More are planned for what they are.
_FEW = 64
# The first id that a trade of the last minutes can have. Ids are of the machines' own clocks, one
# of which may be a little behind, whatever the clock says that times are told by. The moment of the
# statement is the same for every row, so that an index is read from there on: of clock_timestamp()
# nothing is known, and all trades that the account ever had of the name were read.
_FIRST_ID = """lpad(to_hex((1000 * extract(epoch FROM statement_timestamp()
                    - make_interval(mins => k.minutes + 1)))::bigint), 12, '0')"""


_SINCE = f"t.id > rpad({_FIRST_ID}, 32, '0')::uuid"


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

_TERMS = {
    "account_id": "bigint",
    "instrument_id": "bigint",
    "side": "text",
    "quantity": "numeric",
    "price": "numeric",
    "trade_date": "date",
}
_COLUMNS = ", ".join(_TERMS)
_NEEDS = {"priced": "boolean", "holding": "boolean", "minutes": "int"}
_TODAY = "%(business_date)s::date"


def _named(codes: Collection[str]) -> str:
    return "code IN (" + ", ".join(f"'{code}'" for code in codes) + ")"


def _rows_of(columns: Mapping[str, str]) -> str:
    """A query of rows that the parameters of these names give, an array each."""
    arrays = ", ".join(f"%({name})s::{kind}[]" for name, kind in columns.items())
    return f"SELECT * FROM unnest({arrays}) AS a ({', '.join(columns)})"


def _row_of(columns: Mapping[str, str]) -> str:
    """The same of one row: its values are as good as constants to the planner."""
    return "SELECT " + ", ".join(f"%({name})s::{kind} AS {name}" for name, kind in columns.items())


# `asked` where the guards are known, of one trade and of many, and where they are read with the
# facts.
_KNOWN = f"asked AS MATERIALIZED ({_rows_of({**_TERMS, **_NEEDS})})"
_KNOWN_ONE = f"asked AS NOT MATERIALIZED ({_row_of({**_TERMS, **_NEEDS})})"
_UNKNOWN = f"""
    given AS MATERIALIZED (
        {_rows_of({**_TERMS, "has_own_id": "boolean"})}
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
        SELECT {", ".join(f"g.{name}" for name in _TERMS)},
               n.priced, n.holding,
               CASE WHEN g.has_own_id THEN 0 ELSE coalesce(n.minutes, 0) END AS minutes
          FROM given g JOIN needs n ON n.account_id = g.account_id
    )
"""
_PRICED = f"SELECT DISTINCT instrument_id FROM asked WHERE trade_date >= {_TODAY} AND priced"
_MARK = f", mark AS MATERIALIZED ({marks_sql(_PRICED)})"
# Read only where the trade's guards look at it.
_MARK_ONE = f", mark AS MATERIALIZED ({marks_sql(one='%(instrument_id)s::bigint')})"
_KEYS = "(SELECT DISTINCT account_id, instrument_id FROM asked WHERE holding)"
# Each has the columns of the first.
_PARTS = {
    "rule": """
    SELECT 'rule' AS kind, account_id, NULL::bigint AS instrument_id, code AS word, warn AS first,
           refuse AS second, minutes::numeric AS third, NULL::date AS day, NULL::timestamptz AS at,
           false AS is_stale
      FROM rule
    """,
    "held": f"""
    SELECT 'held', k.account_id, k.instrument_id, NULL, sum(e.quantity), NULL::numeric,
           NULL::numeric, NULL::date, NULL::timestamptz, false
      FROM {_KEYS} k
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
    # What is no join is looked up in a table of all that is asked for: joined by these terms, the
    # trades of a key would be read anew for each of its rows.
    "again": f"""
    SELECT 'again', t.account_id, t.instrument_id, t.side, t.quantity, t.price, count(*)::numeric,
           NULL::date, max(t.booked_at), false
      FROM (SELECT account_id, instrument_id, max(minutes) AS minutes
              FROM asked WHERE minutes > 0 GROUP BY 1, 2) k
      JOIN trades_trade t ON t.account_id = k.account_id AND t.instrument_id = k.instrument_id
      LEFT JOIN trades_requestgroup g ON g.id = t.request_group_id
     WHERE t.status IN ('booked', 'amended') AND {_SINCE}
       AND ((t.account_id, t.instrument_id, t.side, t.quantity, t.price) IN (
                SELECT account_id, instrument_id, side, quantity, price
                  FROM asked WHERE minutes > 0)) IS TRUE
       AND t.id <> ALL (%(but)s::uuid[])
       AND t.booked_at >= %(now)s::timestamptz - make_interval(mins => k.minutes)
       AND (g.import_job_id = %(job)s::uuid) IS NOT TRUE
     GROUP BY 2, 3, 4, 5, 6
    """,
}


@cache
def _sql(parts: tuple[str, ...], *, one: bool = False, few: bool = False) -> str:
    """The statement of these parts; with `rule` among them the guards are read, too. `one`: for a
    single trade whose guards are known; `few`: for some such trades, of several callers."""
    asked = _UNKNOWN if "rule" in parts else _KNOWN_ONE if one else _KNOWN
    mark = "" if "mark" not in parts else _MARK_ONE if one else _MARK
    keys = "asked" if one else _KEYS
    of = {**_PARTS, "held": _held_by_key(keys)} if one or few else _PARTS
    return f"WITH {asked}{mark}" + " UNION ALL ".join(of[part] for part in parts)


def _held_by_key(keys: str) -> str:
    """As the part `held`, at the same cost however many entries a key has; one key after the
    other."""
    return f"""
    SELECT 'held', k.account_id, k.instrument_id, NULL,
           {held_of_key("k.account_id", "k.instrument_id")}, NULL::numeric, NULL::numeric,
           NULL::date, NULL::timestamptz, false
      FROM {keys} k
    """


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
    reads_rules = "rule" in parts
    if reads_rules:
        found.rules = {account: {} for account in versions}
        given = [(*terms, own) for *terms, own in trades]
        columns = {**_TERMS, "has_own_id": ""}
    else:
        of = [needs[trade.account_id] for trade in trades]
        given = [
            (*t[: len(_TERMS)], n.priced, n.holding, 0 if t.has_own_id else n.minutes)
            for t, n in zip(trades, of, strict=True)
        ]
        columns = {**_TERMS, **_NEEDS}
    one = len(given) == 1 and not reads_rules
    few = len(given) <= MOST and not reads_rules
    values = given[0] if one else map(prepared.array, zip(*given, strict=True))
    params = {
        **mark_params(now, known=known),
        **dict(zip(columns, values, strict=True)),
        "but": list(but),
        "job": job,
    }
    read = prepared.rows if len(trades) <= _FEW else prepared.rows_planned
    last_decision = _take(found, read(_sql(parts, one=one, few=few), params))
    if "rule" in parts:
        _keep(found, versions)
    if actions := actions_at(last_decision):
        # Nobody need ever have traded what came by an action.
        found.acted = acted_positions({(t.account_id, t.instrument_id) for t in trades}, actions)
        found.held |= {key: position.held for key, position in found.acted.items()}
        if acting_on(today, actions, known):
            _refer_marks(found, now)
    return found


class One(NamedTuple):
    """A trade of one caller, and the version of its account's guards."""

    trade: Asked
    version: int
    known: Sessions
    now: datetime


class Unlike(Exception):
    """What several ask cannot be told by one statement."""


def facts_of_one(one: One) -> Facts:
    """The facts of one trade that is not written yet. Callers who come while one statement runs
    share the next; what it finds is not to be changed."""
    read_at, _ = _read.get(one.trade.account_id, (0, {}))
    is_alone = read_at != one.version or connection.in_atomic_block
    return _facts_of_each([one])[0] if is_alone else _facts_together(one)


def _facts_of_each(several: Sequence[One]) -> list[Facts]:
    known, now = several[0].known, max(one.now for one in several)
    versions = {one.trade.account_id: one.version for one in several}
    today = known.business_date(now)
    for one in several[1:]:
        is_known = one.known is known and one.version == versions[one.trade.account_id]
        if not is_known or known.business_date(one.now) != today:
            raise Unlike
    found = facts_of([one.trade for one in several], versions, known=known, now=now)
    if len(several) > 1 and found.acted:
        # What each then adds to these is for them alone.
        raise Unlike
    return [found] * len(several)


_facts_together = Together(_facts_of_each)


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
