"""Work that several threads ask for at once, done by one of them for all.

    write = Together(write_all)
    answer = write(item)                # write_all([item, …]) → [answer, …]

Nobody waits for company: who comes while nobody works does their own at once. Who comes meanwhile
waits, and the first of them then does it for all who wait. So a single caller sees no difference,
and the more there are, the less each costs.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

from django.db import InterfaceError, OperationalError

MOST = 32
"""More than a process has threads."""
LOST = (OperationalError, InterfaceError)
"""The database is away, or has not said whether something was done."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class _Caller(Generic[Item, Answer]):
    """One thread's call. It goes on when `turn` is released: to work for all of `batch`, where it
    was given one, else with what was found for it."""

    __slots__ = ("answer", "batch", "error", "is_answered", "item", "turn")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.turn = threading.Lock()
        self.turn.acquire()
        self.batch: list[_Caller[Item, Answer]] = []
        self.answer: Answer | None = None
        self.is_answered = False
        self.error: Exception | None = None


class Together(Generic[Item, Answer]):
    """`work` answers up to `most` items in their order.

    An error of `shared` concerns all whom it was done for, and is raised for each: whether it was
    done is then as open for one as for the others. After any other error each works alone: what one
    of them asks for is no other's fault. So `work` does all or nothing, and may be called again.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Answer]],
        *,
        most: int = MOST,
        shared: tuple[type[Exception], ...] = LOST,
    ) -> None:
        self._work, self._most, self._shared = work, most, shared
        self._lock = threading.Lock()
        self._waiting: list[_Caller[Item, Answer]] = []
        self._is_busy = False

    def __call__(self, item: Item) -> Answer:
        mine: _Caller[Item, Answer] = _Caller(item)
        with self._lock:
            if self._is_busy:
                self._waiting.append(mine)
            else:
                self._is_busy = True
                self._begin([mine])
        mine.turn.acquire()
        if mine.batch:
            self._work_for(mine.batch)
        if mine.error is not None:
            raise mine.error
        if mine.is_answered:
            return cast(Answer, mine.answer)
        return self._work([item])[0]

    def _begin(self, batch: list[_Caller[Item, Answer]]) -> None:
        batch[0].batch = batch
        batch[0].turn.release()

    def _work_for(self, batch: list[_Caller[Item, Answer]]) -> None:
        try:
            answers = self._work([one.item for one in batch])
            for one, answer in zip(batch, answers, strict=True):
                one.answer, one.is_answered = answer, True
        except self._shared as error:
            batch[0].error = error
            for one in batch[1:]:
                one.error = _again(error)
        except Exception as error:  # noqa: BLE001 - whosever fault it is, each works alone then
            if len(batch) == 1:
                batch[0].error = error
        finally:
            self._hand_on()
            for one in batch[1:]:
                one.turn.release()

    def _hand_on(self) -> None:
        with self._lock:
            batch = self._waiting[: self._most]
            del self._waiting[: self._most]
            self._is_busy = bool(batch)
            if batch:
                self._begin(batch)


def _again(error: Exception) -> Exception:
    """The same error, for another thread to raise."""
    made = type(error)(*error.args)
    made.__cause__ = error.__cause__
    return made
