"""One websocket: reads subscriptions, writes snapshots and updates with a gapless `seq`."""

import asyncio
import json
import logging
import time
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from blotter.live.board import Board, Reading
from blotter.live.hub import Hub, hub
from blotter.live.logins import Login
from blotter.rows import Today

logger = logging.getLogger(__name__)

NOT_AUTHENTICATED = 4401
TRY_AGAIN = 1013
MAX_MESSAGE = 64 * 1024
MAX_ACCOUNTS = 500
# A page takes a longer silence, of 30 s, for a dead connection.
HEARTBEAT_SECONDS = 20.0


class Connection(AsyncWebsocketConsumer):
    """The hub calls the `send_*` methods; one task of the connection does the sending, so that a
    slow client holds up nobody."""

    # The hub listens for all connections; one of their own would need Redis to open at all.
    channel_layer_alias = ""

    user_id: int
    login: Login
    accounts: dict[int, str]

    async def connect(self) -> None:
        await self.accept()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self._refuse()
            return
        self.user_id = user.pk
        self.login = self._login()
        self._begin()
        self._hub: Hub = hub()
        self._sender = asyncio.create_task(self._send_forever())
        await self._hub.join(self)

    def _login(self) -> Login:
        if token := self.scope.get("token"):
            return Login(self.user_id, token=token)
        return Login(self.user_id, session=self.scope["session"].session_key or "")

    def _begin(self) -> None:
        self.accounts = {}
        self._board = Board()
        self._seq = 0
        self._today: Today | None = None
        self._snapshot: dict[str, Any] | None = None
        self._errors: list[dict[str, Any]] = []
        self._imports: dict[str, dict[str, Any]] = {}
        self._wake = asyncio.Event()
        self._ended = False
        self._beats = False
        self._last_said = time.monotonic()

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "_sender"):
            self._sender.cancel()
            await self._hub.leave(self)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any
    ) -> None:
        accounts = _accounts_asked(text_data)
        if accounts is None:
            self._error(
                "invalid",
                'Send {"type":"subscribe","accounts":[codes]}, with at most'
                f" {MAX_ACCOUNTS} codes.",
            )
            return
        try:
            refused = await self._hub.subscribe(self, accounts)
        except Exception:
            # Channels would end the consumer without `disconnect`, and the hub would keep it.
            logger.exception("a subscription failed")
            await self._say(
                {"type": "error", "code": "unavailable", "detail": "Try again in a moment."}
            )
            await self.close(TRY_AGAIN)
            return
        if refused:
            self.send_not_entitled(refused)

    # --- called by the hub ----------------------------------------------------------------------

    def send_snapshot(self, today: Today, reading: Reading) -> None:
        self._today = today
        self._snapshot = self._board.replace(self.accounts.values(), reading)
        self._wake.set()

    def send_changes(self, reading: Reading) -> None:
        if self._today is not None:
            self._board.apply(reading)
            self._wake.set()

    def send_import(self, row: dict[str, Any]) -> None:
        """An import of this user as it is now; the latest of each is what goes out."""
        self._imports[row["id"]] = row
        self._wake.set()

    def send_not_entitled(self, codes: list[str]) -> None:
        self._error("not_entitled", f"You may not view {', '.join(codes)}.")

    def send_heartbeat(self) -> None:
        """The hub has just read the database: after a silence an update that changes nothing
        tells the page that what it shows still holds."""
        if self._today is not None and time.monotonic() - self._last_said >= HEARTBEAT_SECONDS:
            self._beats = True
            self._wake.set()

    def send_end(self) -> None:
        """What let it in holds no more."""
        self._ended = True
        self._wake.set()

    # --- sending --------------------------------------------------------------------------------

    def _error(self, code: str, detail: str) -> None:
        self._errors.append({"type": "error", "code": code, "detail": detail})
        self._wake.set()

    async def _send_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._ended:
                await self._refuse()
                return
            errors, self._errors = self._errors, []
            for error in errors:
                await self._say(error)
            imports, self._imports = self._imports, {}
            for row in imports.values():
                await self._say({"type": "import", "import": row})
            snapshot, self._snapshot = self._snapshot, None
            if snapshot is not None and self._today is not None:
                await self._say(
                    {
                        "type": "snapshot",
                        "seq": self._next(),
                        "business_date": self._today.business_date.isoformat(),
                        "price_source": self._today.price_source,
                        "accounts": sorted(self.accounts.values()),
                        **snapshot,
                    }
                )
            if self._snapshot_waits():
                # A newer one came while that was on its way; what the board holds comes after it.
                continue
            beats, self._beats = self._beats, False
            update = self._board.take(even_empty=beats)
            if update is not None:
                await self._say({"type": "update", "seq": self._next(), **update})

    def _snapshot_waits(self) -> bool:
        return self._snapshot is not None

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    async def _refuse(self) -> None:
        await self._say({"type": "error", "code": "not_authenticated", "detail": "Log in."})
        await self.close(NOT_AUTHENTICATED)

    async def _say(self, message: dict[str, Any]) -> None:
        self._last_said = time.monotonic()
        await self.send(text_data=json.dumps(message, separators=(",", ":")))


def _accounts_asked(text: str | None) -> list[str] | None:
    """The account codes of a well-formed subscription, else None."""
    if text is None or len(text) > MAX_MESSAGE:
        return None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("type") != "subscribe":
        return None
    accounts = message.get("accounts")
    if not isinstance(accounts, list) or len(accounts) > MAX_ACCOUNTS:
        return None
    if not all(isinstance(a, str) and a.isprintable() for a in accounts):
        return None
    return accounts
