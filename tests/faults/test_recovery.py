"""Recovery by a worker that starts, tried with a real one beside a running stack."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from eqtrade.up.options import PROJECT
from tests.stack.eventually import eventually
from tests.stack.running import NOT_INHERITED, RunningStack

SPOIL = """
from positions.models import Position
print(Position.objects.filter(account__code={desk!r}).update(quantity=999))
"""


@contextmanager
def worker(stack: RunningStack, mode: str) -> Iterator[None]:
    """One more worker of the queue `positions`."""
    environment = {
        **{name: value for name, value in os.environ.items() if name not in NOT_INHERITED},
        **stack.settings(),
        "RECOVERY_MODE": mode,
    }
    command = ["-m", "celery", "-A", "eqtrade", "worker", "-Q", "positions", "-c", "1"]
    process = subprocess.Popen(
        [sys.executable, *command, "-n", f"tests-{mode}@%h", "--without-gossip"],
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def test_a_worker_told_to_rebuild_mends_its_projection(stack: RunningStack) -> None:
    desk, client = stack.desk(), stack.client("trader")
    client.book(desk, "JNJ", "buy", 7, 150)

    def holds(quantity: int) -> None:
        assert client.quantities(desk) == {"JNJ": Decimal(quantity)}

    eventually(lambda: holds(7))
    assert stack.shell(SPOIL.format(desk=desk)).strip().endswith("1")
    with worker(stack, "recover"):
        # Recovering only goes on from the checkpoint, which is not behind.
        client.book(desk, "JNJ", "buy", 1, 150)
        eventually(lambda: holds(1000))
    with worker(stack, "rebuild"):
        eventually(lambda: holds(8))
