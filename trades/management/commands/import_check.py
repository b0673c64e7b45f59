"""Say how a file of trades would be read and what an import of it would do."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel import clock
from kernel.errors import Invalid
from trades.imports.accept import Hashed
from trades.imports.preview import import_preview
from trades.imports.preview_rows import preview_out
from trades.imports.reading.dates import ORDERS
from trades.imports.reading.plan import NEWEST_FIRST, OLDEST_FIRST
from trades.imports.reading.profiles import BY_NAME
from trades.imports.reading.reading import Options

_PART = 256 * 1024


class Command(BaseCommand):
    help = "Print what a preview of the file says, as JSON; nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--user", help="whose rights count; else the first superuser's")
        parser.add_argument("--profile", choices=sorted(BY_NAME))
        parser.add_argument("--mapping", type=json.loads, help="an object in JSON, by column")
        parser.add_argument("--account")
        parser.add_argument("--timezone")
        parser.add_argument("--date-order", choices=ORDERS)
        parser.add_argument("--decimal", choices=(".", ","))
        parser.add_argument("--order", choices=(OLDEST_FIRST, NEWEST_FIRST))

    def handle(self, *args: Any, **options: Any) -> None:
        name, path = options["user"], options["file"]
        users = (
            User.objects.filter(username=name) if name else User.objects.filter(is_superuser=True)
        )
        user = users.filter(is_active=True).order_by("pk").first()
        if user is None:
            raise CommandError(f"There is no active user {name or 'who is a superuser'}.")
        fields = (
            "profile", "mapping", "timezone", "date_order", "decimal", "account", "order",
        )  # fmt: skip
        try:
            found = import_preview(
                user=user,
                file=Hashed(partial(_parts, path)),
                size=path.stat().st_size,
                options=Options(**{of: options[of] for of in fields}),
                now=clock.now(),
            )
        except OSError as error:
            raise CommandError(str(error)) from error
        except Invalid as refusal:
            raise CommandError(" ".join(error.detail for error in refusal.errors)) from refusal
        self.stdout.write(json.dumps(preview_out(found), indent=2, ensure_ascii=False))


def _parts(path: Path) -> Any:
    with path.open("rb") as data:
        while part := data.read(_PART):
            yield part
