from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kernel.clock import new_york, now
from prices.services.instruments import RenameRefused, instrument_rename


class Command(BaseCommand):
    help = (
        "Give an instrument another ticker; its trades, positions and prices stay its own, and for"
        " the dates before the old ticker is still known."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("old")
        parser.add_argument("new")
        parser.add_argument(
            "--since",
            type=date.fromisoformat,
            help="the first date of the new ticker; today in New York if not given",
        )

    def handle(self, *args: Any, old: str, new: str, since: date | None, **options: Any) -> None:
        try:
            renamed = instrument_rename(old=old, new=new, since=since or new_york(now()).date())
        except RenameRefused as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"{old} is {renamed.ticker} now (Yahoo: {renamed.yahoo_symbol}).")
