"""Prices of a stack that stand still, and move all at once when they are told to."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from eqtrade.up.options import PROJECT
from tests.stack.running import RunningStack

TASKS = ("Simulated ticks", "Refresh quotes")
ENABLE = """
from django_celery_beat.models import PeriodicTask, PeriodicTasks
PeriodicTask.objects.filter(name__in={tasks}).update(enabled={enabled})
PeriodicTasks.update_changed()
"""


def stand_still(stack: RunningStack) -> None:
    """From when beat has seen it, some seconds later."""
    stack.shell(ENABLE.format(tasks=TASKS, enabled=False))


def go_on(stack: RunningStack) -> None:
    stack.shell(ENABLE.format(tasks=TASKS, enabled=True))


class Ticker:
    """Moves prices from a process of its own, as a worker does."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def tick(self, instruments: int) -> None:
        """Give so many instruments, the first by id, another price than before."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{instruments}\n")
        self._process.stdin.flush()
        assert json.loads(self._process.stdout.readline()) == instruments


@contextmanager
def ticker(stack: RunningStack) -> Iterator[Ticker]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stack.ticker"],
        cwd=PROJECT,
        env={**os.environ, **stack.settings()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Ticker(process)
    finally:
        process.terminate()
        process.wait(20)


def tick_when_told() -> None:
    """The ticking process: how many come in, how many changed goes out."""
    import django

    django.setup()
    from decimal import Decimal

    from kernel import clock
    from prices.quotes.write import quotes_keep
    from prices.selectors import priced_instruments
    from prices.sources import SourceQuote

    instruments = sorted(priced_instruments(clock.now()), key=lambda each: each.pk)
    for number, line in enumerate(sys.stdin):
        now, moved = clock.now(), instruments[: int(line)]
        cents = Decimal(number % 10_000) / 100
        quotes = [SourceQuote(each.ticker, 60 + each.pk % 200 + cents, now) for each in moved]
        print(json.dumps(quotes_keep("simulated", moved, quotes)), flush=True)


if __name__ == "__main__":
    tick_when_told()
