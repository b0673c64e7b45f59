import sys
from argparse import ArgumentParser
from contextlib import nullcontext
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kernel.clock import now
from kernel.errors import Invalid
from prices.services.quotes import quotes_load

SHOWN = 50


class Command(BaseCommand):
    help = "Load quotes by hand from CSV (ticker,as_of,price), all or nothing. - reads stdin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            with (
                nullcontext(sys.stdin)
                if file == "-"
                else open(file, encoding="utf-8-sig", newline="") as lines
            ):
                count = quotes_load(lines=lines, now=now())
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        except Invalid as refusal:
            for problem in refusal.errors[:SHOWN]:
                self.stderr.write(f"{file}: {problem.attr}: {problem.detail}")
            raise CommandError(f"Nothing was loaded: {len(refusal.errors)} errors.") from refusal
        self.stdout.write(f"{count} quotes loaded.")
