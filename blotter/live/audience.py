"""Audiences: connections, by what they watch. Pure.

Connections that watch the same are an audience: what concerns one of them concerns all, so it is
asked once for each audience, and all of them share one `View`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from blotter.live.boards import Changed
from blotter.live.composing import View
from blotter.live.day_trades import share_of

Each = TypeVar("Each")


@dataclass(eq=False)
class Audience(Generic[Each]):
    view: View
    watchers: set[Each] = field(default_factory=set)

    def is_concerned(self, changed: Changed) -> bool:
        if changed.all or not changed.accounts.isdisjoint(self.view.accounts):
            return True
        if not changed.prices:
            return False
        return self.view.prices is None or not self.view.prices.isdisjoint(changed.prices)


class Audiences(Generic[Each]):
    def __init__(self) -> None:
        self._by_view: dict[View, Audience[Each]] = {}
        self._by_account: dict[int, set[Audience[Each]]] = {}

    def add(self, watcher: Each, view: View) -> View:
        """Have it watch this; the view that all who watch the same share."""
        audience = self._by_view.get(view)
        if audience is None:
            audience = self._by_view[view] = Audience(view)
            for account in view.accounts:
                self._by_account.setdefault(account, set()).add(audience)
        audience.watchers.add(watcher)
        return audience.view

    def remove(self, watcher: Each, view: View) -> None:
        """It watches this no more; nothing happens if it did not."""
        audience = self._by_view.get(view)
        if audience is None:
            return
        audience.watchers.discard(watcher)
        if audience.watchers:
            return
        del self._by_view[view]
        for account in view.accounts:
            self._by_account[account].discard(audience)
            if not self._by_account[account]:
                del self._by_account[account]

    def window(self, account: int) -> int | None:
        """The longest window of trades that somebody who watches the account has; None if nobody
        watches it."""
        audiences = self._by_account.get(account)
        return max(a.view.trades for a in audiences) if audiences else None

    def share(self, account: int) -> int:
        """The most of its trades that are likely in one of those windows."""
        views = [audience.view for audience in self._by_account.get(account, ())]
        return max((share_of(view.trades, len(view.accounts)) for view in views), default=0)

    def with_any(self, accounts: Iterable[int]) -> list[View]:
        """What is watched of any of these accounts."""
        audiences = {each for a in accounts for each in self._by_account.get(a, ())}
        return [audience.view for audience in audiences]

    def concerned(self, changed: Changed) -> Iterator[Each]:
        """Whom a change concerns."""
        for audience in list(self._by_view.values()):
            if audience.is_concerned(changed):
                yield from list(audience.watchers)
