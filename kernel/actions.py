"""Corporate actions as arithmetic: what one does to what was held before its ex-date. No Django.

Legs are derived: a pure function of the set of quantities traded by date and of the actions that
count, so that neither the order in which trades and actions become known nor a correction across an
ex-date can matter. Held H is what was traded before the ex-date, with all that earlier actions
made of it. Per target, which is the instrument itself (`keep`) or another (`legs`):

    entitled e = H × new ÷ old
    credited w = e towards zero: whole shares (`cash`, `down`) or to 10 decimals (`keep`), or the
                 next whole share away from zero (`up`)
    fraction f = e − w, paid in cash where the terms say so (`cash`, `keep`); `down` forfeits it

Short positions mirror long ones. The reference is the previous close in terms of the session:

    reference = (previous close as traded − Σ reference of a leg × new ÷ old) ÷ (keep new ÷ old)

rounded half even to 12 decimals. Cash does not lower it: the price falls, and the cash stands
beside.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal
from enum import StrEnum
from typing import TypeVar

from kernel.money import CONTEXT, MAX_DECIMALS

ZERO, ONE = Decimal(0), Decimal(1)
_FINEST = ONE.scaleb(-MAX_DECIMALS)
_REFERENCE_STEP = ONE.scaleb(-12)


class Fractions(StrEnum):
    """What becomes of a part of a share."""

    CASH = "cash"
    KEEP = "keep"
    DOWN = "down"
    UP = "up"


@dataclass(frozen=True, slots=True)
class Leg:
    """Shares of another instrument, new ones for old ones of the action's own; `cost_share` of the
    cost goes with them."""

    instrument: int
    new: Decimal
    old: Decimal
    cost_share: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Action:
    """The terms of one action, as they count. `cash` is for each old share; `in_lieu` are the
    prices at which fractions are paid, by instrument, as far as they are known."""

    id: Hashable
    instrument: int
    ex_date: date
    sequence: int = 1
    keep_new: Decimal = ONE
    keep_old: Decimal = ONE
    cash: Decimal = ZERO
    cash_is_income: bool = False
    cost_to_cash: Decimal = ZERO
    fractions: Fractions = Fractions.CASH
    legs: tuple[Leg, ...] = ()
    in_lieu: Mapping[int, Decimal] = field(default_factory=dict, hash=False)
    kind: str = ""

    @property
    def order(self) -> tuple[date, int, str]:
        """Of one day by sequence, each from the result of the one before."""
        return self.ex_date, self.sequence, str(self.id)

    @property
    def instruments(self) -> tuple[int, ...]:
        return self.instrument, *(leg.instrument for leg in self.legs)

    @property
    def changes_shares(self) -> bool:
        """True if a share is another one from the ex-date on: prices of before are of the old."""
        return self.keep_new != self.keep_old or bool(self.legs)

    @property
    def is_income_alone(self) -> bool:
        """True if it pays income and leaves shares and their cost as they are."""
        return self.cash_is_income and not self.changes_shares and self.cost_to_cash == 0

    @property
    def ends(self) -> bool:
        """True if nothing of the instrument is left: it trades no more from the ex-date on."""
        return self.keep_new == 0


@dataclass(frozen=True, slots=True)
class Credit:
    """What a holder gets of one target: entitled = credited + fraction, exactly to 10 decimals."""

    entitled: Decimal
    credited: Decimal
    fraction: Decimal


@dataclass(frozen=True, slots=True)
class Effect:
    """What one action does to one account in one instrument. `held` is of the action's instrument,
    before it; `quantity` is what the position moves by; `cash` is received (paid, if negative);
    `unpaid` is the fraction that is paid at a price which is not known yet, so at the reference,
    in shares of after all actions of the day."""

    action: Action
    instrument: int
    held: Decimal
    credited: Decimal
    quantity: Decimal
    fraction: Decimal
    cash: Decimal
    unpaid: Decimal = ZERO


def credit(held: Decimal, new: Decimal, old: Decimal, fractions: Fractions) -> Credit:
    """What is credited for `held` old shares."""
    entitled = CONTEXT.divide(held * new, old)
    step = _FINEST if fractions == Fractions.KEEP else ONE
    if fractions == Fractions.UP:
        credited = entitled.quantize(ONE, rounding=ROUND_UP, context=CONTEXT)
    else:
        credited = _towards_zero(entitled, step)
    fraction = (entitled - credited).quantize(_FINEST, ROUND_HALF_EVEN, CONTEXT)
    return Credit(credited + fraction, credited, fraction)


def _towards_zero(number: Decimal, step: Decimal) -> Decimal:
    return CONTEXT.divide_int(number, step) * step


def effects_of(action: Action, held: Decimal) -> list[Effect]:
    """What this action does to so much held before it; the instrument's own effect comes first."""
    if held == 0:
        return []
    targets = [(action.instrument, action.keep_new, action.keep_old)]
    targets += [(leg.instrument, leg.new, leg.old) for leg in action.legs]
    found = []
    for instrument, new, old in targets:
        is_own = instrument == action.instrument
        got = credit(held, new, old, action.fractions)
        price = action.in_lieu.get(instrument)
        is_paid = action.fractions in (Fractions.CASH, Fractions.KEEP)
        paid = got.fraction if is_paid else ZERO
        found.append(
            Effect(
                action=action,
                instrument=instrument,
                held=held,
                credited=got.credited,
                quantity=got.credited - held if is_own else got.credited,
                fraction=got.fraction,
                cash=(action.cash * held if is_own else ZERO) + paid * (price or ZERO),
                unpaid=paid if price is None else ZERO,
            )
        )
    return found


def fold(traded: Mapping[int, Mapping[date, Decimal]], actions: Iterable[Action]) -> list[Effect]:
    """The effects of actions on one account, in their order, from what it traded (signed) by
    instrument and date. Actions must be all that count of the instruments that hang together."""
    moved: dict[int, Decimal] = {}
    found: list[Effect] = []
    for action in sorted(actions, key=lambda each: each.order):
        own = action.instrument
        before = sum((q for day, q in traded.get(own, {}).items() if day < action.ex_date), ZERO)
        effects = effects_of(action, before + moved.get(own, ZERO))
        if action.keep_new != action.keep_old:
            found = [_after(effect, action) for effect in found]
        for effect in effects:
            moved[effect.instrument] = moved.get(effect.instrument, ZERO) + effect.quantity
        found += effects
    return found


Part = TypeVar("Part", bound=Hashable)


def fold_parts(
    parts: Mapping[Part, Mapping[int, Mapping[date, Decimal]]], actions: Iterable[Action]
) -> list[tuple[Part, Effect]]:
    """`fold` of an account that is told apart into parts, each with what it traded: the effects on
    each part, which add up to those on the account exactly.

    Each part is credited by itself. What only the account can tell (two halves of a share are a
    whole one) goes to the part that holds the most, of equals to the first in their order.
    """
    order = sorted(actions, key=lambda each: each.order)
    whole = {(e.action.id, e.instrument): e for e in fold(_together(parts.values()), order)}
    moved: dict[tuple[Part, int], Decimal] = {}
    found: dict[tuple[Part, Hashable, int], Effect] = {}
    largest: dict[tuple[Hashable, int], Part] = {}
    for action in order:
        own = action.instrument
        held = {
            part: sum((q for day, q in traded.get(own, {}).items() if day < action.ex_date), ZERO)
            + moved.get((part, own), ZERO)
            for part, traded in parts.items()
        }
        if not any(held.values()):
            continue
        if action.keep_new != action.keep_old:
            found = {key: _after(effect, action) for key, effect in found.items()}
        most = max(held, key=lambda part: abs(held[part]))
        here = {part: effects_of(action, quantity) for part, quantity in held.items()}
        # One that holds nothing itself may be due something all the same.
        for nth, target in enumerate(here[most]):
            of = {part: effects[nth] for part, effects in here.items() if effects}
            due = whole.get((action.id, target.instrument)) or replace(
                target, held=ZERO, credited=ZERO, quantity=ZERO, fraction=ZERO, cash=ZERO,
                unpaid=ZERO,
            )  # fmt: skip
            of[most] = _rest(of[most], due, [e for part, e in of.items() if part is not most])
            largest[action.id, target.instrument] = most
            for part, effect in of.items():
                key = part, target.instrument
                moved[key] = moved.get(key, ZERO) + effect.quantity
                found[part, action.id, target.instrument] = effect
    return _with_rests(found, largest, whole)


def _together(
    parts: Iterable[Mapping[int, Mapping[date, Decimal]]],
) -> dict[int, dict[date, Decimal]]:
    traded: dict[int, dict[date, Decimal]] = {}
    for part in parts:
        for instrument, days in part.items():
            into = traded.setdefault(instrument, {})
            for day, quantity in days.items():
                into[day] = into.get(day, ZERO) + quantity
    return traded


_SUMMED = ("credited", "quantity", "fraction", "cash")


def _rest(
    own: Effect, due: Effect, others: Sequence[Effect], names: Sequence[str] = _SUMMED
) -> Effect:
    """The effect that makes what is due to all, beside those on the others."""
    left = {
        name: getattr(due, name) - sum((getattr(e, name) for e in others), ZERO) for name in names
    }
    return replace(own, **left)


def _with_rests(
    found: Mapping[tuple[Part, Hashable, int], Effect],
    largest: Mapping[tuple[Hashable, int], Part],
    whole: Mapping[tuple[Hashable, int], Effect],
) -> list[tuple[Part, Effect]]:
    """The same with fractions to be paid that add up, after all that later actions of the day have
    made of them."""
    by_target: dict[tuple[Hashable, int], list[tuple[Part, Effect]]] = {}
    for (part, action, instrument), effect in found.items():
        by_target.setdefault((action, instrument), []).append((part, effect))
    done: list[tuple[Part, Effect]] = []
    for target, of in by_target.items():
        due = whole.get(target)
        others = [effect for part, effect in of if part != largest[target]]
        owed = (ZERO if due is None else due.unpaid) - sum((e.unpaid for e in others), ZERO)
        done += [
            (part, replace(effect, unpaid=owed) if part == largest[target] else effect)
            for part, effect in of
        ]
    return done


def _after(effect: Effect, later: Action) -> Effect:
    """A fraction that a later action of the same day has changed like any share."""
    is_same = (effect.instrument, effect.action.ex_date) == (later.instrument, later.ex_date)
    if not is_same or effect.unpaid == 0:
        return effect
    unpaid = CONTEXT.divide(effect.unpaid * later.keep_new, later.keep_old)
    return replace(effect, unpaid=unpaid)


def references(
    actions: Iterable[Action],
    previous: Mapping[int, Decimal | None],
    marks: Mapping[int, Decimal | None],
) -> dict[int, Decimal | None]:
    """The references of one session, by instrument, of all that its actions concern: None where a
    price is missing, or nothing is left of the instrument. That of a leg which had no previous
    close is its mark."""
    found: dict[int, Decimal | None] = {}
    for action in sorted(actions, key=lambda each: each.order):
        for instrument in action.instruments:
            if instrument not in found:
                found[instrument] = previous.get(instrument)
        for leg in action.legs:
            if found[leg.instrument] is None:
                found[leg.instrument] = marks.get(leg.instrument)
        found[action.instrument] = _reference(action, found)
    return found


def _reference(action: Action, known: Mapping[int, Decimal | None]) -> Decimal | None:
    left = known[action.instrument]
    if action.ends or left is None:
        return None
    for leg in action.legs:
        price = known[leg.instrument]
        if price is None:
            return None
        left -= CONTEXT.divide(price * leg.new, leg.old)
    if not action.legs and action.keep_new == action.keep_old:
        return left
    per_share = CONTEXT.divide(left * action.keep_old, action.keep_new)
    return per_share.quantize(_REFERENCE_STEP, ROUND_HALF_EVEN, CONTEXT)


def last_ex_dates(actions: Iterable[Action]) -> dict[int, date]:
    """By instrument, the last ex-date before which a trade of it can matter to legs: that of all
    actions which hang together with it."""
    root: dict[int, int] = {}

    def root_of(instrument: int) -> int:
        while (above := root.setdefault(instrument, instrument)) != instrument:
            root[instrument] = root[above]
            instrument = root[above]
        return instrument

    last: dict[int, date] = {}
    for action in actions:
        own = root_of(action.instrument)
        last[own] = max(last.get(own, action.ex_date), action.ex_date)
        for leg in action.legs:
            other = root_of(leg.instrument)
            if other != own:
                root[other] = own
                last[own] = max(last[own], last.pop(other, last[own]))
    return {instrument: last[root_of(instrument)] for instrument in list(root)}


def related(instruments: Iterable[int], actions: Sequence[Action]) -> set[int]:
    """These instruments, and all that hang together with any of them by actions' legs."""
    found = set(instruments)
    while True:
        more = {
            instrument
            for action in actions
            if not found.isdisjoint(action.instruments)
            for instrument in action.instruments
        } - found
        if not more:
            return found
        found |= more
