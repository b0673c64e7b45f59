"""The base of the rebuild commands."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from kernel.errors import DomainError
from trades.ledger.rebuild import Rebuildable, rebuild
from trades.ledger.sum_projection import Rebuilt
from trades.models import LEDGER_SHARDS


class RebuildCommand(BaseCommand):
    projection: Rebuildable

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--account", action="append", metavar="CODE", help="only this account; repeatable"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="compute and count, and write nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        total, failed = Rebuilt(), dict[str, str]()
        try:
            for done in rebuild(
                self.projection, accounts=options["account"], dry_run=options["dry_run"]
            ):
                total += done.result
                failed |= done.failed
                self.stdout.write(
                    f"shard {done.shard + 1:>2} of {LEDGER_SHARDS}: {done.result.rows} rows,"
                    f" {done.result.written} differed, {done.result.removed} groundless"
                )
        except Account.DoesNotExist as error:
            raise CommandError("There is no such account.") from error
        except DomainError as error:
            raise CommandError(error.detail) from error
        verb = "would be mended" if options["dry_run"] else "mended"
        self.stdout.write(
            f"{self.projection.name}: {total.rows} rows, {total.written + total.removed} {verb}"
        )
        if failed:
            named = "; ".join(f"{code}: {why}" for code, why in sorted(failed.items()))
            raise CommandError(f"These accounts are as they were: {named}")
