"""Corporate actions that count, now or as known then, and those that people look at.

What counts is asked for at every read of positions and P&L: `actions_counting` costs one look at a
small index, and the terms are kept in the process for as long as no decision has been added.
"""

from collections.abc import Hashable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from kernel import prepared
from kernel.actions import Action, Fractions, Leg
from prices.models import (
    CorporateAction,
    CorporateActionDecision,
    CorporateActionVersion,
)

Decision = CorporateActionDecision.Decision

# An expression for any statement: the same one means the same decisions. NULL: none ever.
LAST_DECISION_SQL = "(SELECT max(id) FROM prices_corporateactiondecision)"
_LAST_DECISION = f"SELECT {LAST_DECISION_SQL}"

_TERMS = """
    a.instrument_id, v.action_id, v.version, v.ex_date, v.sequence, v.keep_new, v.keep_old,
    v.cash, v.cash_is_income, v.cost_to_cash, v.fractions, v.kind,
    ARRAY(SELECT ROW(l.instrument_id, l.new, l.old, l.cost_share)::text
            FROM prices_corporateactionleg l WHERE l.version_id = v.id ORDER BY l.id),
    ARRAY(SELECT ROW(c.instrument_id, c.price)::text
            FROM prices_cashinlieu c WHERE c.version_id = v.id ORDER BY c.id)
"""

_NAMED = f"""
    SELECT {_TERMS}
      FROM unnest(%(actions)s::uuid[], %(versions)s::int[]) AS n (action_id, version)
      JOIN prices_corporateactionversion v USING (action_id, version)
      JOIN prices_corporateaction a ON a.id = v.action_id
"""

# What was withdrawn had never counted.
_HISTORY = f"""
    SELECT {_TERMS}, d.decision = 'confirmed', d.recorded_at
      FROM prices_corporateactiondecision d
      JOIN prices_corporateactionversion v ON v.id = d.version_id
      JOIN prices_corporateaction a ON a.id = v.action_id
     WHERE d.decision <> 'withdrawn'
     ORDER BY d.id
"""


class _Decided(NamedTuple):
    action: Action
    counts: bool
    recorded_at: datetime


_kept: tuple[int, tuple[_Decided, ...], tuple[Action, ...]] | None = None
_known: dict[Hashable, Action] = {}


def actions_counting(known_at: datetime | None = None) -> tuple[Action, ...]:
    """The actions that are confirmed now, or were as known at that moment, in their order."""
    ((last,),) = prepared.rows(_LAST_DECISION, {})
    return actions_at(last, known_at)


def actions_at(last: int | None, known_at: datetime | None = None) -> tuple[Action, ...]:
    """As `actions_counting`, without a query unless there are other decisions than those kept here.
    `last` is `LAST_DECISION_SQL`, as the caller's own statement has just found it."""
    global _kept
    if last is None:
        return ()
    kept = _kept
    if kept is None or kept[0] != last:
        history = tuple(
            _Decided(_action(row[:-2]), *row[-2:]) for row in prepared.rows(_HISTORY, {})
        )
        kept = last, history, _counting(history)
        _kept = kept
    if known_at is None:
        return kept[2]
    return _counting(each for each in kept[1] if each.recorded_at <= known_at)


def _counting(history: Iterable[_Decided]) -> tuple[Action, ...]:
    """What counts after these decisions, in their order: the last of each action says."""
    found: dict[UUID, Action] = {}
    for decided in history:
        found.pop(action_id(decided.action), None)
        if decided.counts:
            found[action_id(decided.action)] = decided.action
    return tuple(sorted(found.values(), key=lambda each: each.order))


def actions_of_versions(versions: Iterable[tuple[UUID, int]]) -> tuple[Action, ...]:
    """These versions of actions, whether they count or not, in their order. What a version says
    never changes, so each is read once a process."""
    wanted = list(versions)
    lacking = [each for each in wanted if each not in _known]
    if lacking:
        rows = prepared.rows(
            _NAMED,
            {"actions": [str(pk) for pk, _ in lacking], "versions": [n for _, n in lacking]},
        )
        for action in map(_action, rows):
            _known[action.id] = action
    return tuple(sorted((_known[each] for each in wanted), key=lambda each: each.order))


def action_id(action: Action) -> UUID:
    """The id of the action that these terms are of."""
    return action.id[0]  # type: ignore[index,no-any-return]


def action_version(action: Action) -> int:
    return action.id[1]  # type: ignore[index,no-any-return]


def any_decided() -> bool:
    """True if any action ever counted."""
    return prepared.rows(_LAST_DECISION, {}) != [(None,)]


def _action(row: Any) -> Action:
    (
        instrument, action, version, ex_date, sequence, keep_new, keep_old, cash, is_income,
        cost_to_cash, fractions, kind, legs, in_lieu,
    ) = row  # fmt: skip

    def numbers(text: str) -> list[str]:
        return text.strip("()").split(",")

    return Action(
        id=(action, version),
        kind=kind,
        instrument=instrument,
        ex_date=ex_date,
        sequence=sequence,
        keep_new=keep_new,
        keep_old=keep_old,
        cash=cash,
        cash_is_income=is_income,
        cost_to_cash=cost_to_cash,
        fractions=Fractions(fractions),
        legs=tuple(
            Leg(int(leg[0]), Decimal(leg[1]), Decimal(leg[2]), Decimal(leg[3]))
            for leg in map(numbers, legs)
        ),
        in_lieu={int(each[0]): Decimal(each[1]) for each in map(numbers, in_lieu)},
    )


def _versions() -> QuerySet[CorporateActionVersion]:
    return (
        CorporateActionVersion.objects.select_related("actor")
        .prefetch_related("legs__instrument", "in_lieu__instrument", "decisions__actor")
        .order_by("version")
    )


def actions_found(
    *,
    tickers: Iterable[str] | None = None,
    statuses: Iterable[str] | None = None,
    first: date | None = None,
    last: date | None = None,
) -> QuerySet[CorporateAction]:
    """Actions with their versions, by ex-date, the last first."""
    found = CorporateAction.objects.select_related("instrument").prefetch_related(
        Prefetch("versions", queryset=_versions())
    )
    if tickers is not None:
        found = found.filter(instrument__ticker__in=list(tickers))
    if statuses is not None:
        found = found.filter(status__in=list(statuses))
    if first is not None:
        found = found.filter(ex_date__gte=first)
    if last is not None:
        found = found.filter(ex_date__lte=last)
    return found.order_by("-ex_date", "sequence", "pk")


def versions_of(action: CorporateAction) -> list[CorporateActionVersion]:
    """The versions of an action, oldest first."""
    return list(_versions().filter(action=action))


def as_action(version: CorporateActionVersion, instrument: int) -> Action:
    """A version as it would count, whether it does or not."""
    return Action(
        id=(version.action_id, version.version),
        kind=version.kind,
        instrument=instrument,
        ex_date=version.ex_date,
        sequence=version.sequence,
        keep_new=version.keep_new,
        keep_old=version.keep_old,
        cash=version.cash,
        cash_is_income=version.cash_is_income,
        cost_to_cash=version.cost_to_cash,
        fractions=Fractions(version.fractions),
        legs=tuple(
            Leg(leg.instrument_id, leg.new, leg.old, leg.cost_share) for leg in version.legs.all()
        ),
        in_lieu={each.instrument_id: each.price for each in version.in_lieu.all()},
    )
