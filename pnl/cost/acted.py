"""Average cost through corporate actions, of the instruments that hang together in one account.

Pure: fills by instrument and the actions in, cost out; the numbers are those of
`pnl.cost.average_cost`. What an action finds is folded from the fills dated before its ex-date;
then, with H held at cost C,

cash        C × cost_to_cash is relieved against it and the rest is realized, or it is income
legs        each takes its share of C along; where nothing is kept, all that the cash leaves
a fraction  relieves its part of its target's cost, and is realized at what is paid for it

each rounded half even to 6 decimals, so that over the instruments together

    realized + unrealized + income = market value − net paid − fees + cash
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from kernel.actions import Action, Effect, Fractions, effects_of
from kernel.money import CONTEXT, MAX_DECIMALS
from pnl.cost.average_cost import NOTHING, Costed, fold

Fill = tuple[date, int, int, int]
"""Trade date, signed quantity, price, fee: whole numbers."""
Price = Callable[[Action, int], Decimal | None]
"""The reference of an instrument on an action's session."""

Watch = Callable[[int, "int | Action", Costed, Costed], None]
"""Told of an instrument: the place of a fill, or an action, and the cost before and after it."""

_STEP: int = 10 ** (2 * MAX_DECIMALS - 6)
_COST_PLACES = 2 * MAX_DECIMALS


@dataclass(slots=True)
class _State:
    costed: Costed = NOTHING
    income: int = 0
    applied: int = 0


@dataclass
class ActedCost:
    """What is held, its cost, what was realized, and the income, by instrument; decimals."""

    states: dict[int, _State] = field(default_factory=dict)

    def of(self, instrument: int) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        state = self.states.get(instrument, _State())
        return (*state.costed.decimals(), _decimal(state.income))


def acted_cost(
    fills: Mapping[int, Sequence[Fill]],
    actions: Iterable[Action],
    reference: Price,
    watch: Watch | None = None,
) -> ActedCost:
    """Fold fills, by instrument in their order, and actions. `watch` is told of each step."""
    found = ActedCost({instrument: _State() for instrument in fills})
    for action in sorted(actions, key=lambda each: each.order):
        for instrument in action.instruments:
            state = found.states.setdefault(instrument, _State())
            _apply(state, fills.get(instrument, ()), action.ex_date, watch, instrument)
        before = {i: found.states[i].costed for i in action.instruments}
        _act(found.states, action, reference)
        if watch is not None:
            for instrument, was in before.items():
                watch(instrument, action, was, found.states[instrument].costed)
    for instrument, state in found.states.items():
        _apply(state, fills.get(instrument, ()), None, watch, instrument)
    return found


def _apply(
    state: _State,
    fills: Sequence[Fill],
    before: date | None,
    watch: Watch | None,
    instrument: int,
) -> None:
    """Go on with the fills dated before that day; None: all."""
    numbers: list[int] = []
    while state.applied < len(fills):
        day, *numbers_of = fills[state.applied]
        if before is not None and day >= before:
            break
        if watch is None:
            numbers += numbers_of
        else:
            was, state.costed = state.costed, fold(numbers_of, state.costed)
            watch(instrument, state.applied, was, state.costed)
        state.applied += 1
    if numbers:
        state.costed = fold(numbers, state.costed)


def _act(states: Mapping[int, _State], action: Action, reference: Price) -> None:
    own = states[action.instrument]
    held, cost, realized = own.costed
    if not held:
        return
    effects = effects_of(action, Decimal(held).scaleb(-MAX_DECIMALS, CONTEXT))
    cash = _whole_cost(action.cash * effects[0].held)
    relieved = _part(cost, action.cost_to_cash)
    left = cost - relieved
    portions = _portions(action, left)
    kept = left - sum(portions)
    if action.ends:
        relieved, kept = relieved + kept, 0
    if action.cash_is_income:
        own.income += cash
        cash = 0
    own.costed = Costed(0, 0, realized + cash - relieved)
    for effect, portion in zip(effects, (kept, *portions), strict=True):
        _receive(states[effect.instrument], effect, portion, reference)


def _portions(action: Action, cost: int) -> list[int]:
    """What of the cost goes to each leg."""
    shares = [leg.cost_share for leg in action.legs]
    if not action.ends or not shares:
        return [_part(cost, share) for share in shares]
    total = sum(shares) or Decimal(1)
    found = [_part(cost, CONTEXT.divide(share, total)) for share in shares[:-1]]
    return [*found, cost - sum(found)]


def _receive(state: _State, effect: Effect, cost: int, reference: Price) -> None:
    """The credited shares come in with their cost, less that of the fraction."""
    action = effect.action
    relieved = proceeds = 0
    if effect.fraction and action.fractions != Fractions.UP:
        entitled = effect.credited + effect.fraction
        relieved = _part(cost, CONTEXT.divide(effect.fraction, entitled))
        if action.fractions != Fractions.DOWN:
            price = action.in_lieu.get(effect.instrument) or reference(action, effect.instrument)
            proceeds = relieved if price is None else _whole_cost(effect.fraction * price)
    quantity = int(effect.credited.scaleb(MAX_DECIMALS, CONTEXT))
    held, had, realized = _added(state.costed, quantity, cost - relieved)
    state.costed = Costed(held, had, realized + proceeds - relieved)


def _added(state: Costed, quantity: int, cost: int) -> Costed:
    """Shares that come in at a cost in all, as a fill of that notional would."""
    held, had, realized = state
    left = held + quantity
    if not quantity:
        # The cost of no shares at all is lost.
        return Costed(held, had, realized - cost)
    if not held or (held > 0) == (quantity > 0):
        return Costed(left, had + cost, realized)
    if not left:
        return Costed(0, 0, realized - cost - had)
    if (left > 0) == (held > 0):
        relieved = _part(had, CONTEXT.divide(Decimal(-quantity), Decimal(held)))
        return Costed(left, had - relieved, realized - cost - relieved)
    closing = _part(cost, CONTEXT.divide(Decimal(held), Decimal(quantity)))
    return Costed(left, cost + closing, realized + closing - had)


def _part(cost: int, share: Decimal) -> int:
    """That share of a cost, rounded half even to 6 decimals, never more than all of it."""
    if share == 1:
        return cost
    part = (Decimal(cost) * share / _STEP).to_integral_value(ROUND_HALF_EVEN)
    return int(part) * _STEP


def _whole_cost(amount: Decimal) -> int:
    return int(amount.scaleb(_COST_PLACES, CONTEXT).to_integral_value(ROUND_HALF_EVEN))


def _decimal(whole: int) -> Decimal:
    return Decimal(whole).scaleb(-_COST_PLACES, CONTEXT)
