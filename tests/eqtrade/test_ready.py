"""The line that the launcher waits for is said however little else is."""

import os
import subprocess
import sys

import pytest

from eqtrade.up.options import PROJECT
from eqtrade.up.programs import READY

SCRIPT = """
import django
django.setup()
from celery.signals import beat_init, worker_ready
from eqtrade import celery
for signal in (beat_init, worker_ready):
    assert celery.say_ready in [receiver for receiver in signal._live_receivers(None)]
celery.say_ready()
"""


@pytest.mark.parametrize("level", ["INFO", "WARNING", "ERROR"])
@pytest.mark.parametrize("form", ["lines", "json"])
def test_it_is_said_at_every_level(level: str, form: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=PROJECT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "eqtrade.settings", "LOG_LEVEL": level, "LOG_FORMAT": form},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.count(READY) == 1, done.stderr
