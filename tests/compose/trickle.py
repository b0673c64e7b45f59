"""Bookings that do not stop, whatever dies: a client that repeats with its client_trade_id."""

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self
from uuid import uuid4

import requests

from tests.compose.project import Failed
from tests.stack.client import Client

EVERY_SECONDS = 0.2
TICKERS = ("AAPL", "IBM", "MSFT", "JNJ")
GIVE_UP_SECONDS = 120


class Trickle:
    """Books one share after another until the end of the `with`; each is repeated until it is
    acknowledged. `acknowledged` maps client_trade_id to the trade's id."""

    def __init__(self, client: Client, account: str) -> None:
        self._client, self._account = client.another(), account
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.acknowledged: dict[str, str] = {}
        self.sent = 0
        self.attempts = 0
        self.repeated = Counter[str]()
        self.longest = 0.0
        self.failure: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.set()
        self._thread.join(GIVE_UP_SECONDS + 30)
        if kind is None:
            self.check()

    def check(self) -> None:
        if self.failure is not None:
            raise Failed(f"booking failed: {self.failure}") from self.failure

    def wait_more(self, number: int, seconds: float = 90) -> None:
        """Wait until so many more are acknowledged: the system goes on."""
        wanted, deadline = len(self.acknowledged) + number, time.monotonic() + seconds
        while len(self.acknowledged) < wanted:
            self.check()
            if time.monotonic() > deadline:
                raise Failed(f"not {number} more bookings in {seconds:.0f} s: {self.repeated}")
            time.sleep(0.05)

    def _run(self) -> None:
        try:
            while not self._ends.is_set():
                self.book(TICKERS[self.sent % len(TICKERS)])
                self._ends.wait(EVERY_SECONDS)
        except Exception as error:  # noqa: BLE001 - told by `check`, in the other thread
            self.failure = error

    def book(self, ticker: str, own_id: str = "") -> None:
        """Book one, repeating until it is acknowledged; with an id that was sent before, again."""
        self.sent += not own_id
        own_id = own_id or str(uuid4())
        began = time.monotonic()
        while True:
            self.attempts += 1
            why = self._try(own_id, ticker)
            self.longest = max(self.longest, time.monotonic() - began)
            if not why:
                return
            self.repeated[why] += 1
            if time.monotonic() - began > GIVE_UP_SECONDS:
                raise Failed(f"not acknowledged in {GIVE_UP_SECONDS} s: {self.repeated}")
            time.sleep(0.1)

    def _try(self, own_id: str, ticker: str) -> str:
        """Why it must be repeated; nothing when it is acknowledged."""
        try:
            answer = self._client.post(
                "trades/",
                account=self._account,
                ticker=ticker,
                side="buy",
                quantity="1",
                price="100",
                client_trade_id=own_id,
            )
        except requests.RequestException as error:
            return type(error).__name__
        if answer.status_code in (200, 201):
            self.acknowledged[own_id] = answer.json()["id"]
            return ""
        if answer.status_code in (502, 503, 504):
            return str(answer.status_code)
        raise Failed(f"a booking was answered {answer.status_code}: {answer.text}")
