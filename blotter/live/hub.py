"""One hub in each ASGI process: from notices to rows, once for all its connections.

State, not messages: a notice only names keys. The hub joins the groups of the accounts that its
connections watch, gathers changed keys (the first at once, then at most every 100 ms), reads their
current rows, and hands each connection what differs from what it knows. All reading goes through
one lock, so that no connection ever gets an older row after a newer one.

A lost notice does not stay lost. Every 2 s the hub reads the pulse: a shard whose checkpoint moved
is read again for its watched accounts, and so is every mark that differs. A lost connection to
Redis, which the channel layer does not report, shows as a missing beacon: the hub sends one to
itself each second, and when they come back after a gap everything watched counts as changed.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from channels.layers import get_channel_layer

from accounts.selectors import accounts_viewable_by
from blotter.live import reading
from blotter.live.changes import Changes
from kernel.notices import ACCOUNT_GROUP, LEDGER_GROUP, QUOTES_GROUP, USER_GROUP

if TYPE_CHECKING:
    from blotter.live.connection import Connection

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.1
PULSE_SECONDS = 2.0
BEACON_SECONDS = 1.0
BEACON_MISSED_SECONDS = 3.0
RETRY_SECONDS = 1.0

Result = TypeVar("Result")


class Hub:
    """Lives as long as it has connections. `join` and `leave` are called by connections."""

    def __init__(self) -> None:
        self._connections: set[Connection] = set()
        self._accounts: dict[int, str] = {}
        self._changes = Changes()
        self._changed = asyncio.Event()
        self._imports: set[tuple[int, str]] = set()
        self._imports_moved = asyncio.Event()
        self._lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hub")
        self._layer: Any = get_channel_layer()
        self._channel = ""
        self._groups: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._last_beacon = 0.0
        self._pulse: reading.Pulse | None = None
        self._places: dict[tuple[str, int], tuple[str, ...]] = {}

    # --- connections ----------------------------------------------------------------------------

    async def join(self, connection: "Connection") -> None:
        self._connections.add(connection)
        if not self._tasks:
            self._last_beacon = time.monotonic()
            self._tasks = [
                asyncio.create_task(self._forever(work))
                for work in (self._listen, self._flush, self._beat, self._poll, self._tell)
            ]
        await self._join_groups()

    async def leave(self, connection: "Connection") -> None:
        self._connections.discard(connection)
        self._watch()
        if not self._connections:
            for task in self._tasks:
                task.cancel()
            self._tasks = []
            # It ended with the task that listened to it.
            self._channel = ""
            self._pulse = None
            self._places = {}

    async def subscribe(self, connection: "Connection", codes: list[str]) -> list[str]:
        """Give the connection these accounts and a fresh snapshot; the codes that the user may
        not view, in which case nothing changes."""
        allowed = await self.run(lambda: reading.read_allowed(connection.user_id, codes))
        refused = sorted(set(codes) - {a.code for a in allowed}) if codes else []
        if refused:
            return refused
        await self._give(connection, {a.pk: a.code for a in allowed} if codes else {})
        return []

    async def _give(self, connection: "Connection", accounts: dict[int, str]) -> None:
        async with self._lock:
            connection.accounts = accounts
            self._watch()
            await self._join_groups()
            if self._pulse is None:
                # Before the snapshot: what changes after it differs from this.
                self._pulse = await self.run(reading.read_pulse)
            today, rows = await self.run(lambda: reading.read_snapshot(accounts))
            connection.send_snapshot(today, rows)

    def _watch(self) -> None:
        self._accounts = {pk: code for c in self._connections for pk, code in c.accounts.items()}

    async def run(self, job: Callable[[], Result]) -> Result:
        """Run a blocking job in the hub's thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: reading.with_connection(job))

    # --- notices --------------------------------------------------------------------------------

    async def _join_groups(self) -> None:
        """Follow what is watched. Without Redis the pulse still finds every change."""
        wanted = {ACCOUNT_GROUP.format(pk) for pk in self._accounts}
        wanted |= {USER_GROUP.format(c.user_id) for c in self._connections}
        wanted |= {QUOTES_GROUP, LEDGER_GROUP}
        if not self._channel:
            return
        try:
            for group in wanted - self._groups:
                await self._layer.group_add(group, self._channel)
                self._groups.add(group)
            for group in self._groups - wanted:
                await self._layer.group_discard(group, self._channel)
            self._groups &= wanted
        except Exception as error:  # noqa: BLE001 - whatever the layer's client raises
            logger.warning("groups not joined, the pulse goes on: %r", error)

    async def _listen(self) -> None:
        self._channel = await self._layer.new_channel("hub")
        self._groups = set()
        await self._join_groups()
        while True:
            message = await self._layer.receive(self._channel)
            if message["type"] == "beacon":
                self._beacon_came()
            elif message["type"] == "moved":
                self._follow(message)
            elif message["type"] == "import":
                self._imports.add((message["user"], message["import"]))
                self._imports_moved.set()
            else:
                self._changes.take_notice(message)
            if self._changes:
                self._changed.set()

    async def _beat(self) -> None:
        while True:
            if self._channel:
                await self._layer.send(self._channel, {"type": "beacon"})
            await asyncio.sleep(BEACON_SECONDS)

    def _beacon_came(self) -> None:
        now = time.monotonic()
        if now - self._last_beacon > BEACON_MISSED_SECONDS:
            logger.warning("notices were lost for a while: reading everything again")
            self._groups = set()
            self._changes.everything(self._accounts)
            self._changed.set()
            asyncio.get_running_loop().create_task(self._join_groups())
        self._last_beacon = now

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            pulse = await self.run(reading.read_pulse)
            before = self._pulse
            if before is None:
                # Nobody has subscribed yet: the first snapshot takes the first pulse.
                continue
            if pulse.today.business_date != before.today.business_date:
                await self._roll()
            moved = pulse.shards_moved(before) - self._announced(pulse)
            for account in self._accounts:
                if reading.shard_of(account) in moved:
                    self._changes.account_whole(account)
            self._changes.instruments |= pulse.marks_moved(before)
            if self._changes:
                self._changed.set()
            await self._join_groups()
            await self._check_logins()
            await self._check_entitlements()
            # Last: whatever failed above is done again with the same comparison, and no heartbeat
            # says that all is well.
            self._pulse = pulse
            for connection in self._connections:
                connection.send_heartbeat()

    def _announced(self, pulse: reading.Pulse) -> set[int]:
        """Shards whose present places all came with notices, one following on the other."""
        places: dict[int, bool] = {}
        for (consumer, shard), place in pulse.checkpoints.items():
            here = self._places.get((consumer, shard)) == place
            places[shard] = places.get(shard, True) and here
        settled = {shard for shard, here in places.items() if here}
        return settled - pulse.shards_apart()

    def _follow(self, message: dict[str, Any]) -> None:
        """A reader moved from one place to another. If it was elsewhere before, as far as we know,
        a notice was lost in between: read the shard's accounts again."""
        key = message["consumer"], message["shard"]
        known = self._places.get(key)
        if known is not None and known != tuple(message["after"]):
            for account in self._accounts:
                if reading.shard_of(account) == message["shard"]:
                    self._changes.account_whole(account)
        self._places[key] = tuple(message["upto"])

    async def _roll(self) -> None:
        """A new business date: everybody starts from a new snapshot."""
        for connection in list(self._connections):
            await self._give(connection, connection.accounts)

    async def _check_logins(self) -> None:
        """End connections of who logged out, or changed the password, since they came."""
        logins = {c.login for c in self._connections}
        ended = await self.run(partial(reading.read_ended_logins, logins))
        for connection in self._connections:
            if connection.login in ended:
                connection.send_end()

    async def _check_entitlements(self) -> None:
        watching = {c: c.accounts for c in self._connections if c.accounts}
        users = {c.user_id for c in watching}
        allowed = await self.run(partial(accounts_viewable_by, users))
        for connection, accounts in watching.items():
            kept = {pk: code for pk, code in accounts.items() if pk in allowed[connection.user_id]}
            # Unless it has subscribed anew meanwhile, which was checked then.
            if len(kept) < len(accounts) and connection.accounts is accounts:
                connection.send_not_entitled(sorted(set(accounts.values()) - set(kept.values())))
                await self._give(connection, kept)

    # --- rows -----------------------------------------------------------------------------------

    async def _flush(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            started = time.monotonic()
            async with self._lock:
                changes, self._changes = self._changes, Changes()
                accounts = dict(self._accounts)
                if accounts and changes:
                    try:
                        _, rows = await self.run(partial(reading.read_changes, changes, accounts))
                    except BaseException:
                        self._changes.merge(changes)
                        self._changed.set()
                        raise
                    for connection in self._connections:
                        connection.send_changes(rows)
            await asyncio.sleep(max(0.0, GATHER_SECONDS - (time.monotonic() - started)))

    # --- imports --------------------------------------------------------------------------------

    async def _tell(self) -> None:
        """Tell users how far their imports are. A lost notice is not looked for: the next one, or
        the page's own question, makes up for it."""
        while True:
            await self._imports_moved.wait()
            self._imports_moved.clear()
            moved, self._imports = self._imports, set()
            rows = await self.run(partial(reading.read_imports, {i for _, i in moved}))
            for connection in self._connections:
                for user, import_id in moved:
                    if user == connection.user_id and import_id in rows:
                        connection.send_import(rows[import_id])
            await asyncio.sleep(GATHER_SECONDS)

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
