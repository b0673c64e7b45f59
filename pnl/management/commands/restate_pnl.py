"""Calculate end-of-day P&L anew, for some or all accounts."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from kernel import clock
from pnl.daily.restate import Turn, accounts_restate, restate_work
from pnl.models import RestateRequest, SessionRun


class Command(BaseCommand):
    help = "Calculate end-of-day P&L anew from activity and closes; only what differs changes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--account", action="append", metavar="CODE", help="only this account; repeatable"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = Account.objects.all()
        if options["account"]:
            accounts = accounts.filter(code__in=options["account"])
            unknown = set(options["account"]) - set(accounts.values_list("code", flat=True))
            if unknown:
                raise CommandError(f"There is no account {', '.join(sorted(unknown))}.")
        first = SessionRun.objects.order_by("session").values_list("session", flat=True).first()
        if first is None:
            self.stdout.write("No session has end-of-day P&L yet.")
            return
        accounts_restate(accounts=accounts.values_list("pk", flat=True), first=first)
        turn = Turn.MORE
        while turn is Turn.MORE:
            turn = restate_work(now=clock.now())
            self.stdout.write(f"{RestateRequest.objects.count()} requests left")
        if turn is Turn.BUSY:
            self.stdout.write("A worker is at it: it goes on with these.")
