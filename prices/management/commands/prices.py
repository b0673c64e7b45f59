from argparse import ArgumentParser
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from kernel.clock import NEW_YORK, now
from prices.closes.fetch import Filled, closes_rebuild, closes_recover
from prices.doubts.read import doubts_held
from prices.health import (
    closes_health,
    coverage,
    doubt_problems,
    price_problems,
    source_health,
)
from prices.quotes.stream import StreamUnavailable, stream_forever
from prices.sessions import sessions
from prices.sources import SourceUnavailable


class Command(BaseCommand):
    help = "Prices: how they are, closes filled or read anew, or streamed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("status", help="freshness, the source, and the last sessions' closes")
        actions.add_parser(
            "recover", help="fill the closes of every session since the last complete one"
        )
        rebuild = actions.add_parser(
            "rebuild", help="read the closes of every session since the first trade again"
        )
        rebuild.add_argument(
            "--from", dest="first", type=date.fromisoformat, help="begin at this date instead"
        )
        actions.add_parser("stream", help="write prices as they are streamed, until stopped")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            if action == "status":
                self._status(now())
            elif action == "recover":
                self._filled(closes_recover(now=now()))
            elif action == "rebuild":
                self._filled(closes_rebuild(now=now(), first=options["first"]))
            else:
                stream_forever()
        except (SourceUnavailable, StreamUnavailable) as error:
            raise CommandError(str(error)) from error

    def _filled(self, filled: Filled) -> None:
        days = f"{filled.days[0]} to {filled.days[-1]}" if filled.days else "none"
        self.stdout.write(
            f"{len(filled.days)} sessions ({days}): {filled.new} closes new or changed,"
            f" {filled.missing} missing."
        )

    def _status(self, at: datetime) -> None:
        known = sessions()
        found, answered, closed = coverage(at), source_health(), closes_health(at)
        state = "open" if known.is_open(at) else "closed"
        write = self.stdout.write
        write(f"source {settings.PRICE_SOURCE}; exchange {state}; {known.business_date(at)}")
        write(
            f"quotes: {found.priced} priced, {found.marked} marked, {found.stale} stale,"
            f" {found.overridden} overridden; coverage {found.coverage:.1%}"
        )
        if answered.last_success_at is not None:
            write(f"last answer {_local(answered.last_success_at)}, {answered.fetch_seconds:.1f} s")
        for kind, count in answered.failures.items():
            write(f"failures {kind}: {count}")
        write("session     state     asked  have      next")
        for each in closed:
            have = f"{each.expected - each.missing}/{each.expected}"
            due = _local(each.next_attempt_at) if each.next_attempt_at else "-"
            write(f"{each.session}  {each.state:<9} {each.attempts:>5}  {have:<9} {due}")
        for problem in doubt_problems(doubts_held()) + price_problems(at, found, answered, closed):
            write(problem)


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S} New York"
