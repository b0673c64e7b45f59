from typing import Any

from django.core.management.base import BaseCommand

from prices.services.instruments import INDEX, instruments_sync


class Command(BaseCommand):
    help = f"Bring the members of the {INDEX} up to date with the installed list."

    def handle(self, *args: Any, **options: Any) -> None:
        report = instruments_sync()
        for ticker in report.joined:
            self.stdout.write(f"joined {ticker}")
        for ticker in report.left:
            self.stdout.write(f"left   {ticker}")
        self.stdout.write(
            f"{INDEX}: {report.members} members, {len(report.joined)} joined, "
            f"{len(report.left)} left."
        )
