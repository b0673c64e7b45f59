"""Bookings that do not stop, whatever dies: each is repeated with its client_trade_id."""

import itertools
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self
from uuid import uuid4

import requests

from tests.stack.client import Client

TICKERS = ("AAPL", "IBM", "MSFT", "JNJ")
GIVE_UP_SECONDS = 120.0
CALL_SECONDS = 8.0
READ_EVERY_SECONDS = 0.1
COME_AGAIN = "come again"
"""Nobody else than nginx and the api say so."""


class Bookings:
    """So many a second until the end of the `with`, by so many senders; with `reads` somebody looks
    at positions all the while. `acknowledged` maps client_trade_id to the trade's id; `given_up`
    were never answered with success. Times are those of the acknowledgements and of answers to who
    reads; `refused` has the beginning of each try that had to be repeated, and why."""

    def __init__(
        self,
        client: Client,
        account: str,
        *,
        a_second: float,
        senders: int = 1,
        reads: bool = False,
    ) -> None:
        self.account, self._a_second = account, a_second
        self._client = client
        self._clients = threading.local()
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._pace, daemon=True)]
        if reads:
            self._threads.append(threading.Thread(target=self._read, daemon=True))
        self._senders = ThreadPoolExecutor(senders)
        self._lock = threading.Lock()
        self.sent = self.attempts = 0
        self.acknowledged: dict[str, str] = {}
        self.given_up: list[str] = []
        self.repeated = Counter[str]()
        self.wrong: list[str] = []
        self.slowest = 0.0
        self.times: list[float] = []
        self.read_times: list[float] = []
        self.refused: list[tuple[float, str]] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()
        self._senders.shutdown()

    def check(self) -> None:
        """Each that was sent is acknowledged, or still on its way."""
        assert not self.wrong, self.wrong[:5]
        assert not self.given_up, f"not acknowledged: {self.repeated}"

    def wait_more(self, number: int, seconds: float = 90) -> None:
        """Wait until so many more are acknowledged: the system goes on."""
        wanted, deadline = len(self.acknowledged) + number, time.monotonic() + seconds
        while len(self.acknowledged) < wanted:
            self.check()
            late = time.monotonic() > deadline
            assert not late, f"not {number} more bookings in {seconds:.0f} s: {self.repeated}"
            time.sleep(0.05)

    def book(self, ticker: str, own_id: str = "") -> None:
        """Book one, from the caller's thread; with an id that was sent before, again."""
        if not own_id:
            self.sent += 1
        self._book(own_id or str(uuid4()), ticker)
        self.check()

    def _own(self) -> Client:
        if not hasattr(self._clients, "one"):
            self._clients.one = self._client.another()
        found: Client = self._clients.one
        return found

    def _pace(self) -> None:
        began = time.monotonic()
        for number in itertools.count(1):
            if self._ends.wait(max(0.0, began + number / self._a_second - time.monotonic())):
                return
            self.sent += 1
            self._senders.submit(self._book, str(uuid4()), TICKERS[number % len(TICKERS)])

    def _book(self, own_id: str, ticker: str) -> None:
        began = time.monotonic()
        while time.monotonic() < began + GIVE_UP_SECONDS:
            tried = time.monotonic()
            why = self._try(own_id, ticker)
            with self._lock:
                self.attempts += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
                if not why:
                    return
                self.repeated[why] += 1
                self.refused.append((tried, why))
            time.sleep(0.2)
        with self._lock:
            self.given_up.append(own_id)

    def _try(self, own_id: str, ticker: str) -> str:
        """Why it must be repeated; nothing when it is acknowledged."""
        try:
            own = self._own()
            answer = own.session.post(
                f"{own.url}/api/v1/trades/",
                json={
                    "account": self.account,
                    "ticker": ticker,
                    "side": "buy",
                    "quantity": "1",
                    "price": "100",
                    "client_trade_id": own_id,
                },
                timeout=CALL_SECONDS,
            )
        except requests.RequestException as error:
            return type(error).__name__
        if answer.status_code in (200, 201):
            with self._lock:
                self.acknowledged[own_id] = answer.json()["id"]
                self.times.append(time.monotonic())
            return ""
        if answer.status_code in (502, 503, 504):
            again = f", {COME_AGAIN}" if "Retry-After" in answer.headers else ""
            return f"{answer.status_code}{again}"
        with self._lock:
            self.wrong.append(f"{answer.status_code}: {answer.text[:300]}")
        return str(answer.status_code)

    def _read(self) -> None:
        client = self._client.another()
        while not self._ends.wait(READ_EVERY_SECONDS):
            try:
                answer = client.session.get(
                    f"{client.url}/api/v1/positions/",
                    params={"account": self.account},
                    timeout=CALL_SECONDS,
                )
            except requests.RequestException:
                continue
            if answer.status_code == 200:
                self.read_times.append(time.monotonic())

    @staticmethod
    def longest(times: list[float], since: float, until: float) -> float:
        """The longest time without any of these, between the two."""
        inside = sorted(t for t in list(times) if since <= t <= until)
        return max(b - a for a, b in itertools.pairwise([since, *inside, until]))
