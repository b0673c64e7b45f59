"""Hooks: every listener is called, in order, and what one raises reaches the caller."""

import pytest

from kernel.hooks import Hook
from prices import hooks


def test_listeners_answer_in_the_order_of_their_adding() -> None:
    asked: Hook[[int], int] = Hook()
    asked.add(lambda n: n + 1, lambda n: n * 10)
    assert asked(3) == [4, 30]


def test_a_listener_is_added_once() -> None:
    told: Hook[[int], None] = Hook()
    heard: list[int] = []
    told.add(heard.append)
    told.add(heard.append)
    told(1)
    assert heard == [1]


def test_what_a_listener_raises_reaches_the_caller() -> None:
    told: Hook[[], float] = Hook()
    told.add(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        told()


def test_only_holds_for_its_block() -> None:
    asked: Hook[[], str] = Hook()
    asked.add(lambda: "always")
    with asked.only(lambda: "here"):
        assert asked() == ["here"]
    assert asked() == ["always"]


@pytest.mark.parametrize(
    "name", [name for name, hook in vars(hooks).items() if isinstance(hook, Hook)]
)
def test_somebody_listens_to_every_hook_of_prices(name: str) -> None:
    assert getattr(hooks, name)._listeners
