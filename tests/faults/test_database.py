"""Connections of the database die, or all of it: nobody hears of the first, and of the second what
it was and when to try again."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

import psycopg
import requests

from tests.stack.client import Client
from tests.stack.eventually import eventually
from tests.stack.running import RunningStack

TICKER = "JNJ"
A_SECOND = 20
CLIENTS = 8
TERMINATIONS = 20
# Bookings acknowledged from one to the next, half a second of them: not by the clock, since nobody
# could book on a machine so slow that every connection ends before its second statement.
BETWEEN = 10
# Everybody's: api's and ws's pools, the workers', beat's.
TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE usename = current_user AND pid <> pg_backend_pid()"
)


class Bookings:
    """Books so many a second, from several threads, until it is stopped."""

    def __init__(self, client: Client, desk: str) -> None:
        self.client = client
        self.desk = desk
        self.statuses: Counter[int] = Counter()
        self.bodies: list[str] = []
        self.retry_after: list[str | None] = []
        self.seconds: list[float] = []
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, args=(place,)) for place in range(CLIENTS)
        ]

    def __enter__(self) -> "Bookings":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(120)

    def wait_for_more(self, bookings: int) -> None:
        """Wait until so many more have been acknowledged."""
        due = self.statuses[201] + bookings

        def look() -> None:
            assert self.statuses[201] >= due, (self.statuses, self.bodies[:3])

        eventually(look)

    def _work(self, place: int) -> None:
        client = self.client.another()
        every = CLIENTS / A_SECOND
        due = time.monotonic() + every * place / CLIENTS
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            due += every
            began = time.monotonic()
            answer = client.post(
                "trades/",
                account=self.desk,
                ticker=TICKER,
                side="buy",
                quantity="1",
                price="150",
                client_trade_id=str(uuid4()),
            )
            self._note(answer, time.monotonic() - began)

    def _note(self, answer: requests.Response, seconds: float) -> None:
        with self._lock:
            self.statuses[answer.status_code] += 1
            self.seconds.append(seconds)
            if answer.status_code != 201:
                self.bodies.append(answer.text)
                self.retry_after.append(answer.headers.get("Retry-After"))


def holds(client: Client, desk: str, quantity: int) -> None:
    expected = {TICKER: Decimal(quantity)} if quantity else {}
    assert client.quantities(desk) == expected


def test_all_connections_ended_while_booking(
    stack: RunningStack, record_property: Callable[[str, object], None]
) -> None:
    desk, client = stack.desk(), stack.client("trader")
    ended = 0
    with (
        psycopg.connect(stack.settings()["DATABASE_URL"], autocommit=True) as database,
        Bookings(client, desk) as bookings,
    ):
        for _ in range(TERMINATIONS):
            bookings.wait_for_more(BETWEEN)
            ended += len(database.execute(TERMINATE).fetchall())
        bookings.wait_for_more(BETWEEN)

    acknowledged = bookings.statuses[201]
    slowest = round(max(bookings.seconds), 3)
    record_property("slowest booking in seconds", slowest)
    print(f"{ended} connections ended under {acknowledged} bookings; the slowest took {slowest} s")
    assert set(bookings.statuses) == {201}, (bookings.statuses, bookings.bodies[:3])
    assert ended >= TERMINATIONS
    assert len(client.rows("trades/", account=desk)) == acknowledged
    eventually(lambda: holds(client, desk, acknowledged))


def test_a_restart_is_told_with_when_to_try_again_and_ends_by_itself(
    stack: RunningStack,
) -> None:
    desk, client = stack.desk(), stack.client("trader")
    with Bookings(client, desk) as bookings:
        bookings.wait_for_more(BETWEEN)
        stack.kill("postgres")
        eventually(lambda: stack.pid("postgres"))
        bookings.wait_for_more(BETWEEN)

    acknowledged = bookings.statuses[201]
    print(dict(bookings.statuses), "slowest", round(max(bookings.seconds), 3))
    assert set(bookings.statuses) <= {201, 503}, (bookings.statuses, bookings.bodies[:3])
    assert set(bookings.retry_after) <= {"2"}
    # What was not acknowledged may have been written; what was acknowledged was.
    written = len(client.rows("trades/", account=desk))
    assert acknowledged <= written <= sum(bookings.statuses.values())
    eventually(lambda: holds(client, desk, written))


def test_every_number_is_right_after_all_that(stack: RunningStack) -> None:
    assert "no breaks" in stack.manage("verify")
