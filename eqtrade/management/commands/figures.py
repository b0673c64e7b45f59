"""Print the system's figures, each minute, for CloudWatch (eqtrade/figures.py)."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from eqtrade.figures import lines
from eqtrade.metrics import state
from kernel import clock


class Command(BaseCommand):
    help = "Print the system's figures as CloudWatch's embedded metrics, again and again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=60.0, help="seconds between two")
        parser.add_argument("--times", type=int, default=0, help="0: without end")

    def handle(self, *args: Any, every: float, times: int, **options: Any) -> None:
        done = 0
        while True:
            close_old_connections()
            try:
                for line in lines(state(), clock.now()):
                    self.stdout.write(line)
            except DatabaseError as error:
                # Their absence is what an alarm hears.
                self.stderr.write(f"no figures: {error}")
            self.stdout.flush()
            done += 1
            if done == times:
                return
            time.sleep(every)
