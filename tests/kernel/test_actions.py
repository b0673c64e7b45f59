"""Corporate actions as arithmetic: the worked examples, the properties, and that a wrong fold is
noticed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from kernel import actions as right
from kernel.actions import Action, Effect, Fractions, Leg, credit, fold, references, related

D = Decimal
ONE, TWO, THREE = 1, 2, 3
DAY = date(2026, 3, 16)
Traded = Mapping[int, Mapping[date, Decimal]]
Fold = Callable[[Traded, Iterable[Action]], list[Effect]]


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def split(new: str, old: str = "1", on: int = 0, **more: object) -> Action:
    return Action(f"s{on}", ONE, day(on), keep_new=D(new), keep_old=D(old), **more)  # type: ignore[arg-type]


def only(effects: list[Effect], instrument: int = ONE) -> Effect:
    (found,) = [each for each in effects if each.instrument == instrument]
    return found


# Held, new, old, fractions: entitled, credited, fraction.
CREDITS = {
    "a reverse split": ("1003", "1", "8", "cash", "125.375", "125", "0.375"),
    "short mirrors long": ("-1003", "1", "8", "cash", "-125.375", "-125", "-0.375"),
    "forfeited": ("1003", "1", "8", "down", "125.375", "125", "0.375"),
    "the next whole share": ("1003", "1", "8", "up", "125.375", "126", "-0.625"),
    "the next whole share, short": ("-1003", "1", "8", "up", "-125.375", "-126", "0.625"),
    "kept": ("1003", "1", "8", "keep", "125.375", "125.375", "0"),
    "kept to ten decimals": ("1", "1", "3", "keep", "0.3333333333", "0.3333333333", "0"),
    "3:2": ("101", "3", "2", "cash", "151.5", "151", "0.5"),
    "whole": ("100", "10", "1", "cash", "1000", "1000", "0"),
}


@pytest.mark.parametrize(
    ("held", "new", "old", "fractions", "e", "w", "f"), CREDITS.values(), ids=CREDITS
)
def test_what_is_credited(
    held: str, new: str, old: str, fractions: str, e: str, w: str, f: str
) -> None:
    got = credit(D(held), D(new), D(old), Fractions(fractions))
    assert (got.entitled, got.credited, got.fraction) == (D(e), D(w), D(f))


def test_a_fraction_is_paid_at_its_price_and_until_then_at_the_reference() -> None:
    traded = {ONE: {day(-1): D("1003")}}
    paid = only(fold(traded, [split("1", "8", in_lieu={ONE: D("104.10")})]))
    assert (paid.quantity, paid.cash, paid.unpaid) == (D("-878"), D("39.03750"), 0)
    waiting = only(fold(traded, [split("1", "8")]))
    assert (waiting.cash, waiting.unpaid) == (0, D("0.375"))
    # A split of the same day multiplies what waits like any share.
    both = fold(traded, [split("1", "8"), replace(split("2"), id="later", sequence=2)])
    assert sum(each.unpaid for each in both) == D("0.75")
    for rule in (Fractions.DOWN, Fractions.UP):
        gone = only(fold(traded, [split("1", "8", fractions=rule)]))
        assert (gone.cash, gone.unpaid) == (0, 0)


def test_a_chain_counts_what_was_traded_before_each_ex_date() -> None:
    dividend = Action("d", ONE, day(2), cash=D("0.50"), cash_is_income=True)
    chain = [split("2", on=1), dividend, split("3", on=3)]
    for days, held, cash in (
        ({day(0): D(100), day(2): D(10)}, 630, 100),
        ({day(1): D(100), day(2): D(10)}, 330, 50),
    ):
        effects = fold({ONE: days}, chain)
        assert sum(days.values()) + sum(each.quantity for each in effects) == held
        assert sum(each.cash for each in effects) == cash


def test_actions_of_one_day_count_by_sequence() -> None:
    traded = {ONE: {day(-1): D(100)}}
    dividend = Action("d", ONE, day(0), cash=D("0.30"))
    first, then = split("2"), replace(dividend, sequence=2)
    assert sum(each.cash for each in fold(traded, [then, first])) == 60
    assert sum(each.cash for each in fold(traded, [dividend, replace(first, sequence=2)])) == 30


REFERENCES = {
    "split": ([split("10")], {ONE: "1208.88"}, {}, {ONE: "120.888"}),
    "3:2, rounded": ([split("3", "2")], {ONE: "100"}, {}, {ONE: "66.666666666667"}),
    "a dividend lowers nothing": ([Action("d", ONE, DAY, cash=D(1))], {ONE: "5"}, {}, {ONE: "5"}),
    "a child with a close": (
        [Action("s", ONE, DAY, legs=(Leg(TWO, D(1), D(4)),))],
        {ONE: "180", TWO: "150"}, {TWO: "142"}, {ONE: "142.5", TWO: "150"},
    ),
    "a child without": (
        [Action("s", ONE, DAY, legs=(Leg(TWO, D(1), D(4)),))],
        {ONE: "180"}, {TWO: "142"}, {ONE: "144.5", TWO: "142"},
    ),
    "nothing is left": (
        [Action("m", ONE, DAY, keep_new=D(0), legs=(Leg(TWO, D(4), D(5)),))],
        {ONE: "60.10", TWO: "59"}, {}, {ONE: None, TWO: "59"},
    ),
    "no close before": ([split("10")], {}, {ONE: "5"}, {ONE: None}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("actions", "previous", "marks", "found"), REFERENCES.values(), ids=REFERENCES
)
def test_references(
    actions: list[Action],
    previous: dict[int, str],
    marks: dict[int, str],
    found: dict[int, str | None],
) -> None:
    got = references(
        actions, {k: D(v) for k, v in previous.items()}, {k: D(v) for k, v in marks.items()}
    )
    assert got == {k: None if v is None else D(v) for k, v in found.items()}


def test_what_hangs_together() -> None:
    spin_off = Action("s", ONE, DAY, legs=(Leg(TWO, D(1), D(4)),))
    assert related([TWO], [spin_off]) == {ONE, TWO}
    assert related([THREE], [spin_off]) == {THREE}


# --- Properties, and broken variants that must be noticed ---------------------------------------

SHARES = st.integers(-2_000, 2_000).map(D)
HISTORY = st.fixed_dictionaries(
    {
        name: st.dictionaries(st.integers(-2, 9).map(day), SHARES, max_size=5)
        for name in (ONE, TWO, THREE)
    }
)
RATIO = st.tuples(st.integers(1, 9).map(D), st.integers(1, 9).map(D))


@st.composite
def chains(draw: st.DrawFn) -> list[Action]:
    """Three to six actions over three instruments; legs go to names of a higher number, and what
    has ended has no action after."""
    found: list[Action] = []
    ended: dict[int, date] = {}
    for number in range(draw(st.integers(3, 6))):
        own = draw(st.sampled_from([ONE, TWO, THREE]))
        on = draw(st.integers(0, 8).map(day))
        kind = draw(st.sampled_from(["split", "cash", "spin", "merger"]))
        if on >= ended.get(own, date.max) or (own == THREE and kind in ("spin", "merger")):
            continue
        new, old = draw(RATIO)
        terms: dict[str, object] = {"cash": D(draw(st.integers(0, 300))) / 100}
        if kind == "split":
            terms = {"keep_new": new, "keep_old": old}
        elif kind in ("spin", "merger"):
            terms["legs"] = (Leg(draw(st.sampled_from(range(own + 1, 4))), new, old),)
        if kind == "merger":
            if any(each.instrument == own and each.ex_date > on for each in found):
                continue
            terms["keep_new"], ended[own] = D(0), on
        rule = draw(st.sampled_from(list(Fractions)))
        found.append(
            Action(f"a{number}", own, on, sequence=number + 1, fractions=rule, **terms)  # type: ignore[arg-type]
        )
    return found


def walked(traded: Traded, actions: Iterable[Action]) -> tuple[dict[int, Decimal], Decimal]:
    """What is held at the end, and the cash, walking day by day as a person would."""
    held: dict[int, Decimal] = {}
    cash = D(0)
    for number in range(-2, 11):
        today = day(number)
        for action in sorted(actions, key=lambda each: each.sequence):
            old_shares = held.get(action.instrument, D(0))
            if action.ex_date != today or not old_shares:
                continue
            cash += action.cash * old_shares
            got = credit(old_shares, action.keep_new, action.keep_old, action.fractions)
            held[action.instrument] = got.credited
            for leg in action.legs:
                more = credit(old_shares, leg.new, leg.old, action.fractions).credited
                held[leg.instrument] = held.get(leg.instrument, D(0)) + more
        for instrument, days in traded.items():
            held[instrument] = held.get(instrument, D(0)) + days.get(today, D(0))
    return held, cash


def same_as_walked(of: Fold, traded: Traded, actions: list[Action]) -> bool:
    effects = of(traded, actions)
    held, cash = walked(traded, actions)
    now = {
        name: sum(traded[name].values(), D(0))
        + sum((each.quantity for each in effects if each.instrument == name), D(0))
        for name in traded
    }
    return now == held and sum((each.cash for each in effects), D(0)) == cash


def mirrors(of: Fold, traded: Traded, actions: list[Action]) -> bool:
    short = {name: {on: -q for on, q in days.items()} for name, days in traded.items()}
    long_legs, short_legs = of(traded, actions), of(short, actions)
    numbers = [(e.quantity, e.cash, e.unpaid) for e in long_legs]
    return numbers == [(-e.quantity, -e.cash, -e.unpaid) for e in short_legs]


def any_order(of: Fold, traded: Traded, actions: list[Action]) -> bool:
    turned = {name: dict(list(days.items())[::-1]) for name, days in list(traded.items())[::-1]}
    return of(traded, actions) == of(turned, actions[::-1])


@given(HISTORY, chains())
@settings(max_examples=150)
def test_the_fold_is_what_a_person_would_walk(traded: Traded, actions: list[Action]) -> None:
    assert same_as_walked(fold, traded, actions)
    assert mirrors(fold, traded, actions)
    assert any_order(fold, traded, actions)


def variant(source: str, broken: str) -> Fold:
    """The fold with one thing of it done wrongly."""
    import inspect
    import sys
    import types

    text = inspect.getsource(right)
    assert source in text
    module = types.ModuleType("broken")
    sys.modules["broken"] = module
    exec(text.replace(source, broken), module.__dict__)  # noqa: S102
    made: Fold = module.fold
    return made


BROKEN = {
    "trades of the ex-date are entitled": ("if day < action", "if day <= action"),
    "actions before are forgotten": ("before + moved.get(own, ZERO)", "before"),
    "in the order they became known": (
        "for action in sorted(actions, key=lambda each: each.order):\n        own",
        "for action in actions:\n        own",
    ),
    "shorts round away from zero": (
        "CONTEXT.divide_int(number, step)", "(number / step).to_integral_value('ROUND_FLOOR')",
    ),
    "legs move by what is kept": (
        "got.credited - held if is_own else got.credited", "got.credited - held",
    ),
    "cash once a leg": ("(action.cash * held if is_own else ZERO)", "action.cash * held"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "broken"), BROKEN.values(), ids=BROKEN)
def test_a_broken_fold_is_noticed(source: str, broken: str) -> None:
    of = variant(source, broken)

    @given(HISTORY, chains())
    @settings(max_examples=400, database=None, phases=[Phase.generate])
    def holds(traded: Traded, actions: list[Action]) -> None:
        assert same_as_walked(of, traded, actions) and any_order(of, traded, actions)  # noqa: PT018

    with pytest.raises(AssertionError):
        holds()
