"""The base of the commands that load prices by hand."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime
from typing import Any, Protocol

from django.core.management.base import BaseCommand, CommandError

from kernel.clock import now
from kernel.errors import Invalid
from prices.csv_rows import Warn

SHOWN = 50


class Load(Protocol):
    """Reads a file's lines; how many rows it loaded. Raises Invalid; warns of what is far off."""

    def __call__(self, *, lines: Iterable[str], now: datetime, warn: Warn) -> int: ...


def load_command(what: str, columns: str, load: Load) -> type[BaseCommand]:
    """A command that loads a CSV file with these columns, all or nothing."""

    class Command(BaseCommand):
        help = f"Load {what} by hand from CSV ({columns}), all or nothing. - reads stdin."

        def add_arguments(self, parser: ArgumentParser) -> None:
            parser.add_argument("file")

        def handle(self, *args: Any, file: str, **options: Any) -> None:
            try:
                with (
                    nullcontext(sys.stdin)
                    if file == "-"
                    else open(file, encoding="utf-8-sig", newline="") as lines
                ):
                    count = load(
                        lines=lines,
                        now=now(),
                        warn=lambda said: self.stderr.write(f"{file}: warning: {said}"),
                    )
            except OSError as error:
                raise CommandError(f"{file}: {error.strerror}") from error
            except Invalid as refusal:
                for problem in refusal.errors[:SHOWN]:
                    self.stderr.write(f"{file}: {problem.attr}: {problem.detail}")
                raise CommandError(
                    f"Nothing was loaded: {len(refusal.errors)} errors."
                ) from refusal
            self.stdout.write(f"{count} {what} loaded.")

    return Command
