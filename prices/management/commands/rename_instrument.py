from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from prices.services.instruments import RenameRefused, instrument_rename


class Command(BaseCommand):
    help = "Give an instrument another ticker; its trades, positions and prices stay its own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("old")
        parser.add_argument("new")

    def handle(self, *args: Any, old: str, new: str, **options: Any) -> None:
        try:
            renamed = instrument_rename(old=old, new=new)
        except RenameRefused as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"{old} is {renamed.ticker} now (Yahoo: {renamed.yahoo_symbol}).")
