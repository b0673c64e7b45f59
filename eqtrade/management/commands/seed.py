import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from eqtrade.seed import DEFAULT_PASSWORD, SeedRefused, seed
from kernel.clock import now


class Command(BaseCommand):
    help = "Fill the local stack with accounts, instruments, prices, users and (--demo) trades."

    def add_arguments(self, parser: ArgumentParser) -> None:
        wanted = parser.add_mutually_exclusive_group(required=True)
        wanted.add_argument("--demo", action="store_true", help="with some hundred trades")
        wanted.add_argument("--empty", action="store_true", help="without trades")

    def handle(self, *args: Any, demo: bool, empty: bool, **options: Any) -> None:
        password = os.environ.get("DEMO_PASSWORD") or DEFAULT_PASSWORD
        try:
            seed(with_trades=demo, password=password, now=now(), say=self.stdout.write)
        except SeedRefused as error:
            raise CommandError(error.detail) from error
