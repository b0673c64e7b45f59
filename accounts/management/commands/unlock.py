"""Let a name that was tried with too many wrong passwords log in again at once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.doors import unlock


class Command(BaseCommand):
    help = "Forget the wrong passwords of a user name, so that it may log in again at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        forgotten = unlock(options["name"])
        self.stdout.write(f"{options['name']}: {forgotten} wrong passwords are forgotten")
