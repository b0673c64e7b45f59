"""One hub in each ASGI process: who watches what, and whom a change concerns.

State, not messages: a notice only names keys. The hub joins the groups of the accounts that its
connections watch and marks what changed on their boards (`blotter.live.boards`); readers read it,
once for all; connections send what lies between what they were told and what the boards hold now.

A lost notice does not stay lost. The pulse, every 2 s, finds what moved without one
(`blotter.live.noting`), beacons find a lost connection to Redis (`blotter.live.listening`), and
whatever else might have been missed is found by reading the boards again whole, one after the other
(`blotter.live.comparison`).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from django.conf import settings

from blotter.live import board_rows
from blotter.live.admission import Admission
from blotter.live.alert_news import AlertNews
from blotter.live.audience import Audiences
from blotter.live.boards import Boards, Changed
from blotter.live.breach_news import BreachNews
from blotter.live.comparison import Comparison
from blotter.live.composing import Composer, View
from blotter.live.figures import Figures, write_figures
from blotter.live.following import Following
from blotter.live.import_news import ImportNews
from blotter.live.kinds import KINDS
from blotter.live.limits import Pace, Places, Room
from blotter.live.listening import Listener
from blotter.live.next_boards import RETRY_SECONDS, Readers
from blotter.live.noting import ALWAYS, Noting
from blotter.live.pulse import Pulse, read_pulse
from blotter.live.revocation import Revocation
from blotter.live.subscription import Subscription
from blotter.live.watcher import Watcher
from blotter.rows import price_age
from kernel.notices import ACCOUNT_GROUP, USER_GROUP

logger = logging.getLogger(__name__)

PULSE_SECONDS = 2.0
SLOW_POLL_SECONDS = 1.0
LINGER_SECONDS = 10.0
"""So long a board is kept that nobody watches: a page that is loaded anew finds it."""

Result = TypeVar("Result")


class Hub:
    """Lives as long as it has connections. `join` and `leave` are called by connections."""

    def __init__(self) -> None:
        self.connections: set[Watcher] = set()
        self.boards = Boards(KINDS)
        self.composer = Composer(self.boards, price_age)
        self.admission = Admission()
        self.places = Places(settings.LIVE_CONNECTIONS_PER_USER, settings.LIVE_CONNECTIONS)
        self.pace = Pace(settings.LIVE_MESSAGES_PER_SECOND, settings.LIVE_MESSAGES_AT_ONCE)
        self.room = Room(settings.LIVE_UNSENT_BYTES, self.unsent, self._make_room)
        self.comparison = Comparison(self.boards)
        self.figures = Figures()
        self._noting = Noting(self.boards, self.comparison)
        self._following = Following()
        self._audiences: Audiences[Watcher] = Audiences()
        self._unwatched: dict[int, float] = {}
        self._listener = Listener(self._heard, self._lost)
        self._readers = Readers(
            self.boards,
            settings.LIVE_READING_THREADS,
            self._told,
            self.comparison.compared,
            self.figures,
        )
        self._revocation = Revocation(self)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="hub-pulse")
        self._pulse: Pulse | None = None
        self._pulse_lock = asyncio.Lock()
        self._import_news = ImportNews(self.connections, self.run)
        self._breach_news = BreachNews(self.connections, self.run)
        self._alert_news = AlertNews(self.connections, self.run)
        self._tasks: list[asyncio.Task[None]] = []

    # --- connections ----------------------------------------------------------------------------

    def join(self, connection: Watcher) -> None:
        """Take a connection in, before its first subscription. The caller has taken a place for
        it."""
        self.connections.add(connection)
        if not self._tasks:
            loops = (
                *(self._listener.listen, self._listener.beat, self._poll),
                *(self._import_news.tell, self._breach_news.tell, self._alert_news.tell),
                *(self._revocation.watch, self._cut_off_slow),
            )
            self._tasks = [asyncio.create_task(self._forever(work)) for work in loops]
            self._tasks += self._readers.tasks()

    async def leave(self, connection: Watcher) -> None:
        self.connections.discard(connection)
        self._set_view(connection, None)
        if self.connections:
            return
        for task in self._tasks:
            task.cancel()
        self._tasks = []
        self._listener.stop()
        for account in list(self.boards.by_account):
            self.boards.remove(account)
        self._unwatched.clear()
        self._pulse = None
        self._noting.forget()

    async def subscribe(self, connection: Watcher, asked: Subscription) -> list[str]:
        """Have the connection watch this; the codes that the user may not view, in which case
        nothing changes."""
        found = await self.admission.accounts_of(connection.user_id, asked.accounts)
        refused = sorted(code for code, account in found.items() if account is None)
        if refused:
            return refused
        accounts = {account: code for code, account in found.items() if account is not None}
        await self.watch(connection, accounts, asked.trades, asked.prices)
        return []

    async def watch(
        self,
        connection: Watcher,
        accounts: Mapping[int, str],
        trades: int,
        prices: frozenset[str] | None,
    ) -> None:
        """Watch these accounts, which the user may view; it is for a snapshot."""
        await self._first_pulse()
        # Before they are read: what changes after that is told.
        groups = {ACCOUNT_GROUP.format(account) for account in accounts}
        await self._listener.join({*groups, USER_GROUP.format(connection.user_id), *ALWAYS})
        if connection not in self.connections:
            return  # it left meanwhile
        self._alert_news.came(connection.user_id)
        for account, code in accounts.items():
            self.boards.add(account, code)
        in_order = tuple(sorted(accounts, key=lambda account: accounts[account]))
        self._set_view(connection, View(in_order, trades, prices))
        self._readers.wake()

    def _set_view(self, connection: Watcher, asked: View | None) -> None:
        """Have it watch this instead of what it watched; None: nothing more."""
        left, view = connection.view, asked or View()
        self.boards.prices.watch(view.watches_prices - left.watches_prices)
        self._audiences.remove(connection, left)
        if asked is not None:
            connection.set_view(self._audiences.add(connection, view))
        for account in {*left.accounts, *view.accounts}:
            self._set_depth(account)
        self.boards.fill(view.accounts, view.trades)

    def _set_depth(self, account: int) -> None:
        window = self._audiences.window(account)
        if window is not None:
            self._unwatched.pop(account, None)
            share = self._audiences.share(account)
            self.boards.deepen(self.boards.by_account[account], window, share)
        else:
            self._unwatched[account] = asyncio.get_running_loop().time()

    def accounts_of(self, view: View) -> dict[int, str]:
        return {account: self.boards.by_account[account].code for account in view.accounts}

    # --- what changed ---------------------------------------------------------------------------

    def _groups(self) -> set[str]:
        accounts = {ACCOUNT_GROUP.format(account) for account in self.boards.by_account}
        users = {USER_GROUP.format(c.user_id) for c in self.connections}
        return {*accounts, *users, *ALWAYS}

    def _heard(self, message: dict[str, Any]) -> None:
        """A notice of `kernel.notices`."""
        if message.get("requests") and message["account"] in self.boards.by_account:
            self._following.heard(message["requests"])
        if message["type"] == "import":
            self._import_news.heard(message["user"], message["import"])
        elif message["type"] == "breach":
            self._breach_news.heard(message["breach"], message["accounts"])
        elif message["type"] == "alert":
            self._alert_news.heard(message["firing"])
        else:
            began = time.thread_time()
            self._noting.heard(message)
            self.figures.comparing_seconds += time.thread_time() - began
            self._readers.wake()

    def _lost(self, groups: set[str]) -> None:
        self._noting.lost(groups)
        for user in {c.user_id for c in self.connections}:
            if USER_GROUP.format(user) in groups:
                self._alert_news.came(user)
        self._readers.wake()

    def _told(self, changed: Changed) -> None:
        """Tell whom a change concerns."""
        for view in self._audiences.with_any(changed.shorter):
            self.boards.fill(view.accounts, view.trades)
        for connection in self._audiences.concerned(changed):
            connection.tell()
        self._following.told(changed.accounts)

    # --- the pulse ------------------------------------------------------------------------------

    async def run(self, job: Callable[[], Result]) -> Result:
        """Run a blocking job in the pulse's thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(board_rows.with_connection, job))

    async def _first_pulse(self) -> None:
        """Take the pulse before the first board is read: what changes after it differs from
        this."""
        async with self._pulse_lock:
            if self._pulse is None:
                self._pulse = await self.run(read_pulse)
                self._noting.begin(self._pulse)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            if self._pulse is None:
                # Nobody has subscribed yet: the first subscription takes the first pulse.
                continue
            await self._take_pulse(self._pulse, await self.run(read_pulse))

    async def _take_pulse(self, before: Pulse, pulse: Pulse) -> None:
        self._noting.compare(before, pulse)
        self._forget_unwatched()
        await self._listener.follow(self._groups())
        self.comparison.go_on(PULSE_SECONDS)
        self._readers.wake()
        # Last: whatever failed above is done again with the same comparison, and no heartbeat
        # says that all is well.
        self._pulse = pulse
        self.boards.holds_at = pulse.today.now
        self.composer.forget()
        self.pace.forget(asyncio.get_running_loop().time())
        for connection in self.connections:
            connection.beat()
        await self.run(partial(write_figures, self._figures_now()))

    def _figures_now(self) -> Figures:
        figures, boards = self.figures, self.boards.by_account.values()
        figures.connections, figures.boards = len(self.connections), len(boards)
        figures.rows = sum(map(len, boards))
        figures.unsent_bytes = self.unsent()
        figures.texts, figures.composing_seconds = self.composer.texts, self.composer.seconds
        figures.differences = self.comparison.differences
        return figures

    def _forget_unwatched(self) -> None:
        now = asyncio.get_running_loop().time()
        for account, since in list(self._unwatched.items()):
            if now - since >= LINGER_SECONDS:
                del self._unwatched[account]
                self.boards.remove(account)

    # --- what is not sent yet -------------------------------------------------------------------

    def unsent(self) -> int:
        """Bytes that were given to sockets and that clients have not taken."""
        return sum(connection.unsent() for connection in self.connections)

    async def _cut_off_slow(self) -> None:
        while True:
            await asyncio.sleep(SLOW_POLL_SECONDS)
            for connection in list(self.connections):
                if connection.blocked_for() > settings.LIVE_SLOW_SECONDS:
                    connection.cut_off()

    def _make_room(self) -> None:
        """Cut off who has not taken what it was sent for the longest time, if that is long."""
        slow = max(self.connections, key=lambda c: c.blocked_for(), default=None)
        if slow is not None and slow.blocked_for() > settings.LIVE_SLOW_SECONDS / 6:
            slow.cut_off()

    async def _forever(self, work: Callable[[], Any]) -> None:
        """Keep one of the hub's loops going through outages of Redis and PostgreSQL."""
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever their clients raise
                logger.warning("hub %s: %r; going on", work.__name__, error)
                await asyncio.sleep(RETRY_SECONDS)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """The hub of this process (of this event loop)."""
    loop = asyncio.get_running_loop()
    for closed in [known for known in _hubs if known.is_closed()]:
        del _hubs[closed]
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
