"""What a process loaded is left out when it looks for garbage; what requests leave is found."""

import os
import subprocess
import sys

import pytest

from eqtrade.up.options import PROJECT

LOADED = """
import gc
import {module}
left = len(gc.get_objects())
print(gc.get_freeze_count(), left)
"""
GARBAGE = """
import gc, weakref
from kernel.collecting import YOUNGEST, settle
settle()
class Node: pass
first = Node(); first.itself = first
seen = weakref.ref(first); del first
kept = [[] for _ in range(YOUNGEST + 100)]
print(int(seen() is None), 0)
"""


def printed(script: str) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "eqtrade.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(number) for number in done.stdout.split()]


@pytest.mark.parametrize("module", ["eqtrade.wsgi", "eqtrade.asgi"])
def test_what_was_loaded_is_left_out(module: str) -> None:
    left_out, looked_through = printed(LOADED.format(module=module))
    assert left_out > 50_000
    assert looked_through < 1_000


def test_a_cycle_that_nobody_holds_is_found() -> None:
    assert printed(GARBAGE)[0] == 1
