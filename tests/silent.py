"""A server as it is when it is frozen: its kernel takes connections, and nobody answers them."""

import socket
from pathlib import Path
from types import TracebackType
from typing import Self


class Silent:
    """In the place of a PostgreSQL in `directory`."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._came: list[socket.socket] = []
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(directory / ".s.PGSQL.5432"))
        self._door.listen(128)
        self._door.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in (self._door, *self._came):
            one.close()

    def callers(self) -> int:
        """How many connected up to now."""
        while True:
            try:
                self._came.append(self._door.accept()[0])
            except BlockingIOError:
                return len(self._came)
