"""Composed texts are shared, and no more of them is kept than is allowed."""

import gc
import weakref

import pytest

from blotter.live import composing
from blotter.live.composing import Text, View
from tests.blotter.boards_desk import IBM, A, Desk
from tests.blotter.live_world import START


def test_of_many_different_texts_only_some_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each window of trades is a text of its own."""
    monkeypatch.setattr(composing, "SHARED_BYTES", 1)
    views = [View((A,), window, None) for window in range(1, 21)]
    desk = Desk(*views)
    desk.open()
    desk.world.positions[A, IBM] = 5
    desk.board(A).unread.keys({IBM}, set())
    desk.settle()
    kept: list[weakref.ref[Text]] = []
    for view, client in zip(views, desk.clients, strict=True):
        assert client.told is not None
        text = desk.composer.update(view, client.told, client.floor, START)
        assert text is not None
        kept.append(weakref.ref(text))
    del text
    gc.collect()
    assert sum(each() is not None for each in kept) == 1
