"""Corporate actions of an account that is told apart into strategies: the parts add up to the
account, and each is credited by the same function."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from kernel.actions import Action, Effect, Fractions, Leg, fold, fold_parts

D = Decimal
ZERO = D(0)
START = date(2026, 3, 16)
OWN, CHILD = 1, 2
SUMMED = ("credited", "quantity", "fraction", "cash", "unpaid")


def split(new: str, old: str, day: int = 1, fractions: Fractions = Fractions.CASH) -> Action:
    return Action(
        f"split{day}{new}", OWN, START + timedelta(day), keep_new=D(new), keep_old=D(old),
        fractions=fractions,
    )  # fmt: skip


def bought(quantity: str, day: int = 0, instrument: int = OWN) -> dict[int, dict[date, Decimal]]:
    return {instrument: {START + timedelta(day): D(quantity)}}


def test_two_halves_of_a_share_go_to_the_largest_holder() -> None:
    """3 for 2: 101 become 151 and a half, 1 becomes 1 and a half; the account has 153."""
    found = fold_parts({"ALPHA": bought("1"), "BETA": bought("101")}, [split("3", "2")])
    assert {part: (e.quantity, e.fraction, e.unpaid) for part, e in found} == {
        "ALPHA": (D(0), D("0.5"), D("0.5")),
        "BETA": (D(51), D("-0.5"), D("-0.5")),
    }


def test_who_holds_against_each_other_is_credited_though_the_account_holds_nothing() -> None:
    found = fold_parts({"ALPHA": bought("3"), "BETA": bought("-3")}, [split("3", "2")])
    assert {part: (e.quantity, e.unpaid) for part, e in found} == {
        "ALPHA": (D(1), D("0.5")), "BETA": (D(-1), D("-0.5")),
    }  # fmt: skip


def test_one_part_is_the_account() -> None:
    actions = [split("3", "2"), split("1", "7", 2, Fractions.KEEP)]
    found = fold_parts({"ALPHA": bought("100")}, actions)
    assert [e for _, e in found] == fold(bought("100"), actions)


quantities = st.integers(-400, 400).map(lambda n: D(n) / 4)
moves = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.sampled_from([OWN, CHILD]), st.integers(0, 6), quantities
    ),
    min_size=1, max_size=8,
)  # fmt: skip
ratio = st.sampled_from([("2", "1"), ("3", "2"), ("1", "7"), ("1", "3"), ("0", "1"), ("1", "1")])


@st.composite
def chains(draw: st.DrawFn) -> list[Action]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        new, old = draw(ratio)
        legs = draw(st.sampled_from([(), (Leg(CHILD, D(1), D(3)),)]))
        found.append(
            Action(
                number, OWN, START + timedelta(draw(st.integers(1, 4))), sequence=number,
                keep_new=D(new), keep_old=D(old), cash=draw(st.sampled_from([ZERO, D("0.31")])),
                fractions=draw(st.sampled_from(list(Fractions))), legs=legs,
                in_lieu=draw(st.sampled_from([{}, {OWN: D("12.34")}])),
            )
        )  # fmt: skip
    return found


@given(moves, chains())
def test_parts_add_up_to_the_account(
    trades: list[tuple[str, int, int, Decimal]], actions: list[Action]
) -> None:
    parts: dict[str, dict[int, dict[date, Decimal]]] = {}
    whole: dict[int, dict[date, Decimal]] = {}
    for part, instrument, day, quantity in trades:
        for into in (parts.setdefault(part, {}), whole):
            days = into.setdefault(instrument, {})
            on = START + timedelta(day)
            days[on] = days.get(on, ZERO) + quantity
    account = {(e.action.id, e.instrument): e for e in fold(whole, actions)}
    summed: dict[tuple[object, int], list[Effect]] = {}
    for _, effect in fold_parts(parts, actions):
        summed.setdefault((effect.action.id, effect.instrument), []).append(effect)
    for key in {*account, *summed}:
        for name in SUMMED:
            right = getattr(account[key], name) if key in account else ZERO
            assert sum((getattr(e, name) for e in summed.get(key, [])), ZERO) == right, (key, name)
