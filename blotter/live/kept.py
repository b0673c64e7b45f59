"""Rows by key, encoded, in the order in which they last changed; and keys that are gone. Pure.

All versions come from one counter (`blotter.live.boards`), which moves on when something changed.
Who has been told up to a version is missing what stands at the end: the rows that changed later,
and the keys that went later.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Entry:
    """A row: its JSON, the version at which it last changed, and what its kind needs besides."""

    body: bytes
    at: int
    more: Any = None


class Kept:
    """One kind of row of one board. `remembers` so many keys that are gone. Who was told up to a
    version before `forgotten` is behind: it cannot be told what went, and needs a snapshot."""

    def __init__(self, remembers: int, forgotten: int = 0) -> None:
        self.entries: dict[str, Entry] = {}
        self.forgotten = forgotten
        self._remembers = remembers
        self._gone: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, key: object) -> bool:
        return key in self.entries

    def put(self, key: str, body: bytes, at: int, more: Any = None) -> bool:
        """Take a row over if it differs; whether it did."""
        old = self.entries.get(key)
        if old is not None:
            if old.body == body:
                return False
            # Entered anew, it stands at the end.
            del self.entries[key]
        self._gone.pop(key, None)
        self.entries[key] = Entry(body, at, more)
        return True

    def drop(self, key: str, at: int) -> bool:
        """A row is no more; whether there was one."""
        if self.entries.pop(key, None) is None:
            return False
        self._gone[key] = at
        while len(self._gone) > self._remembers:
            _, self.forgotten = self._gone.popitem(last=False)
        return True

    def since(self, version: int) -> Iterator[tuple[str, Entry]]:
        """The rows that changed after a version, latest change first."""
        for key, entry in reversed(self.entries.items()):
            if entry.at <= version:
                return
            yield key, entry

    def gone_since(self, version: int) -> Iterator[str]:
        """Keys that went after a version and have not come back; of no use to who is `behind`."""
        for key, at in reversed(self._gone.items()):
            if at <= version:
                return
            yield key

    def behind(self, version: int) -> bool:
        """True if something that went after this version is no longer remembered."""
        return version < self.forgotten
