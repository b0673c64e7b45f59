"""Loops of strangers who try wrong passwords, from as many addresses as they like, past nginx: the
worst that the application itself can meet."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from tests.stack.client import Client


class AtSocket(HTTPConnection):
    """A connection to the api's own socket, where `X-Real-IP` is believed."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(str(self._path))


def token_asked(api: Path, name: str, password: str, address: str) -> tuple[int, str]:
    """What `POST token/` answers to this name at this address: the status and the body."""
    connection = AtSocket(api)
    body = json.dumps({"username": name, "password": password})
    headers = {"Content-Type": "application/json", "X-Real-IP": address}
    connection.request("POST", "/api/v1/token/", body, headers)
    answer = connection.getresponse()
    said = answer.read().decode()
    connection.close()
    return answer.status, said


class Loops:
    """`loops` at a time, each with one try after the other as `name`, each try from an address of
    its own: no count stops them, but that of the name does."""

    def __init__(self, api: Path, name: str, loops: int) -> None:
        self._api, self._name = api, name
        self._ends = threading.Event()
        self.answered: Counter[int] = Counter()
        self.failed: list[Exception] = []
        self._threads = [threading.Thread(target=self._loop, args=(n,)) for n in range(loops)]

    def _loop(self, loop: int) -> None:
        tries = 0
        while not self._ends.is_set():
            tries += 1
            address = f"198.{18 + loop % 2}.{loop}.{tries % 250}"
            # Half of them try names that nobody has, which nothing refuses for long.
            name = self._name if loop % 2 else f"{self._name} {loop} {tries}"
            try:
                status, _ = token_asked(self._api, name, "wrong", address)
            except OSError as error:
                self.failed.append(error)
                continue
            self.answered[status] += 1

    @contextmanager
    def running(self) -> Iterator["Loops"]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._ends.set()
            for thread in self._threads:
                thread.join()


def seconds_of(client: Client, asked: int) -> list[float]:
    """How long each of so many `GET accounts/` took, sorted; each must be answered."""
    took = []
    for _ in range(asked):
        began = time.perf_counter()
        assert client.get("accounts/").status_code == 200
        took.append(time.perf_counter() - began)
    return sorted(took)
