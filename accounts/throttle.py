"""How often a wrong password may be tried. Pure.

A login is refused before its password is looked at when so many wrong ones came within
`WINDOW`: of this name from this address; of this name from anywhere, unless it logged in from this
address lately (so that nobody can keep a trader out by trying from elsewhere); from this address,
for whatever names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

WINDOW = timedelta(minutes=15)
KNOWN_FOR = timedelta(days=30)


class Wrong(NamedTuple):
    """A wrong password, or one that is being looked at."""

    at: datetime
    same_name: bool
    same_address: bool


@dataclass(frozen=True)
class Limits:
    """How many wrong passwords are looked at within `WINDOW`."""

    pair: int
    name: int
    address: int


def wait_for(
    wrong: Iterable[Wrong], *, is_known: bool, limits: Limits, now: datetime
) -> timedelta | None:
    """How long this name has to wait at this address; None when it may try. `is_known` says that it
    logged in from there within `KNOWN_FOR`."""
    recent = sorted((w for w in wrong if w.at > now - WINDOW), reverse=True)
    waits = [
        _wait([w.at for w in recent if w.same_name and w.same_address], limits.pair, now),
        _wait([w.at for w in recent if w.same_address], limits.address, now),
    ]
    if not is_known:
        waits.append(_wait([w.at for w in recent if w.same_name], limits.name, now))
    return max((w for w in waits if w is not None), default=None)


def _wait(newest_first: Sequence[datetime], limit: int, now: datetime) -> timedelta | None:
    """Until fewer than `limit` of them lie within the window."""
    if len(newest_first) < limit:
        return None
    return newest_first[limit - 1] + WINDOW - now
