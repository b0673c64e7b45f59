"""Corporate actions that count, now or as known then, and those that people look at.

What counts is asked for at every read of positions and P&L: `actions_counting` costs one look at a
small index, and the terms are kept in the process for as long as no decision has been added.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet

from kernel import prepared
from kernel.actions import Action, Fractions, Leg
from prices.models import (
    CorporateAction,
    CorporateActionDecision,
    CorporateActionVersion,
)

Decision = CorporateActionDecision.Decision

_LAST_DECISION = "SELECT max(id) FROM prices_corporateactiondecision"

# The last decision of each action up to a moment; what was withdrawn had never counted.
_COUNTING = """
    SELECT a.instrument_id, v.action_id, v.version, v.ex_date, v.sequence, v.keep_new, v.keep_old,
           v.cash, v.cash_is_income, v.cost_to_cash, v.fractions,
           ARRAY(SELECT ROW(l.instrument_id, l.new, l.old, l.cost_share)::text
                   FROM prices_corporateactionleg l WHERE l.version_id = v.id ORDER BY l.id),
           ARRAY(SELECT ROW(c.instrument_id, c.price)::text
                   FROM prices_cashinlieu c WHERE c.version_id = v.id ORDER BY c.id),
           d.recorded_at
      FROM (
        SELECT DISTINCT ON (v.action_id) v.action_id, d.version_id, d.decision, d.recorded_at
          FROM prices_corporateactiondecision d
          JOIN prices_corporateactionversion v ON v.id = d.version_id
         WHERE d.decision <> 'withdrawn'
           AND (%(known_at)s::timestamptz IS NULL OR d.recorded_at <= %(known_at)s::timestamptz)
         ORDER BY v.action_id, d.id DESC
      ) d
      JOIN prices_corporateactionversion v ON v.id = d.version_id
      JOIN prices_corporateaction a ON a.id = v.action_id
     WHERE d.decision = 'confirmed'
     ORDER BY v.ex_date, v.sequence, v.action_id
"""

_kept: tuple[int, tuple[Action, ...]] | None = None


def actions_counting(known_at: datetime | None = None) -> tuple[Action, ...]:
    """The actions that are confirmed now, or were as known at that moment, in their order."""
    global _kept
    ((last,),) = prepared.rows(_LAST_DECISION, {})
    if last is None:
        return ()
    if known_at is not None:
        return _read(known_at)
    kept = _kept
    if kept is None or kept[0] != last:
        kept = last, _read(None)
        _kept = kept
    return kept[1]


def decided_between(after: datetime, until: datetime) -> bool:
    """True if anything came to count, or to count no more, after the one moment and up to the
    other."""
    return CorporateActionDecision.objects.filter(
        recorded_at__gt=after, recorded_at__lte=until
    ).exists()


def _read(known_at: datetime | None) -> tuple[Action, ...]:
    return tuple(_action(row) for row in prepared.rows(_COUNTING, {"known_at": known_at}))


def _action(row: Any) -> Action:
    (
        instrument, action, version, ex_date, sequence, keep_new, keep_old, cash, is_income,
        cost_to_cash, fractions, legs, in_lieu, _,
    ) = row  # fmt: skip

    def numbers(text: str) -> list[str]:
        return text.strip("()").split(",")

    return Action(
        id=(action, version),
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
