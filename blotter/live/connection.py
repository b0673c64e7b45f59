"""One websocket: reads subscriptions, sends what its boards hold with a gapless `seq`.

It holds what it watches and up to which version of the boards it has been told; one task of its
own does the sending, so that a slow client holds up nobody and is told the latest.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from blotter.live.composing import BEHIND, Text, View
from blotter.live.hub import Hub, hub
from blotter.live.logins import Login
from blotter.live.protocol import Outlet
from blotter.live.subscription import HELP, Malformed, subscription_of
from kernel import clock

logger = logging.getLogger(__name__)

NOT_AUTHENTICATED = 4401
TOO_SLOW = 4408
TOO_MANY = 4429
TRY_AGAIN = 1013
UNAVAILABLE = (TRY_AGAIN, "unavailable", "Try again in a moment.")
MOST_ERRORS = 10
"""Errors that wait to be read; with more the connection ends."""
# The hub reads each 2 s, so a page hears something within 4; it takes 5 s of silence for no news.
HEARTBEAT_SECONDS = 1.5
LAST_WORD_SECONDS = 1.0
"""A connection that is to end and cannot be told so is cut off after so long."""


class Connection(AsyncWebsocketConsumer):
    # The hub listens for all connections; one of their own would need Redis to open at all.
    channel_layer_alias = ""

    # Channels' type knows neither what LoginScope adds nor uvicorn's state.
    scope: Any
    user_id: int
    login: Login
    view: View
    _sender: asyncio.Task[None] | None

    async def connect(self) -> None:
        self._begin()
        self._hub: Hub = hub()
        await self.accept()
        if self._hub.places.is_full():
            await self._end_with(TRY_AGAIN, "busy", "Too many are connected. Try again later.")
            return
        self.login = self.scope["login"]
        try:
            user = await self._hub.admission.user_of(self.login)
        except Exception:  # whatever the database's client raises
            logger.exception("a login could not be looked at")
            await self._end_with(*UNAVAILABLE)
            return
        if user is None:
            await self._end_with(NOT_AUTHENTICATED, "not_authenticated", "Log in.")
            return
        if not self._hub.places.take(user):
            most = settings.LIVE_CONNECTIONS_PER_USER
            await self._end_with(TOO_MANY, "too_many_connections", f"You may have {most} at once.")
            return
        self.user_id = user
        self._sender = asyncio.create_task(self._send_forever())
        self._hub.join(self)

    def _begin(self) -> None:
        self.view = View()
        self._told: int | None = None
        self._floor = ""
        self._seq = 0
        self._errors: list[dict[str, Any]] = []
        self._imports: dict[str, dict[str, Any]] = {}
        self._breaches: dict[str, dict[str, Any]] = {}
        self._alerts: dict[str, dict[str, Any]] = {}
        self._wake = asyncio.Event()
        self._beats = False
        self._is_subscribed = False
        self._is_idle = False
        self._sender = None
        self._end: tuple[int, str, str] | None = None
        self._outlet: Outlet | None = self.scope.get("state", {}).get("outlet")
        self._loop = asyncio.get_running_loop()
        self._last_said = self._loop.time()
        self._blocked_since: float | None = None

    async def disconnect(self, code: int) -> None:
        if self._sender is not None:
            self._sender.cancel()
            self._sender = None
            self._hub.places.give_back(self.user_id)
            await self._hub.leave(self)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any
    ) -> None:
        if self._sender is None:
            return
        # While this waits nothing more is read of the client: what it sends stays with it.
        await asyncio.sleep(self._hub.pace.delay(self.user_id, self._loop.time()))
        try:
            asked = subscription_of(text_data)
        except Malformed:
            self._error("invalid", HELP)
            return
        try:
            refused = await self._hub.subscribe(self, asked)
        except Exception:
            # Channels would end the consumer without `disconnect`, and the hub would keep it.
            logger.exception("a subscription failed")
            self._end_soon(*UNAVAILABLE)
            return
        if refused:
            self.send_not_entitled(refused)

    # --- called by the hub ----------------------------------------------------------------------

    def set_view(self, view: View) -> None:
        """Watch this from now on; a snapshot of it comes next."""
        self.view = view
        self._told = None
        self._is_subscribed = True
        self._wake.set()

    def tell(self) -> None:
        """Something of what it watches changed: it goes out at once if nothing waits before it.
        Else, and for a client that is behind or slow, its own task sends when its turn comes."""
        outlet = self._outlet
        is_next = self._is_idle and self._is_subscribed and not self._wake.is_set()
        if outlet is None or not is_next or not outlet.is_free():
            self._wake.set()
            return
        text = self._news()
        if text is BEHIND:
            self._wake.set()
        elif text is not None:
            try:
                self._put(outlet, *self._parts("update", text))
            except OSError:
                return  # the client has gone: `disconnect` comes
            if not outlet.is_free():
                self._wake.set()  # its task waits until the client has taken it

    def send_import(self, row: dict[str, Any]) -> None:
        """An import of this user as it is now; the latest of each is what goes out."""
        self._imports[row["id"]] = row
        self._wake.set()

    def send_breach(self, row: dict[str, Any]) -> None:
        """A breach of a limit of accounts that are watched; the latest of each is what goes out."""
        self._breaches[row["id"]] = row
        self._wake.set()

    def send_alert(self, row: dict[str, Any]) -> None:
        """A firing of an alert of this user; the latest of each is what goes out."""
        self._alerts[row["id"]] = row
        self._wake.set()

    def send_not_entitled(self, codes: list[str]) -> None:
        self._error("not_entitled", f"You may not view {', '.join(codes)}.")

    def beat(self) -> None:
        """The hub has just read the database: after a silence an update that changes nothing
        tells the page that what it shows still holds."""
        if self._loop.time() - self._last_said >= HEARTBEAT_SECONDS:
            self._beats = True
            self.tell()

    def end_login(self) -> None:
        """End it: the login that let it in holds no more."""
        self._end_soon(NOT_AUTHENTICATED, "not_authenticated", "Log in.")

    def unsent(self) -> int:
        return 0 if self._outlet is None else self._outlet.unsent()

    def blocked_for(self) -> float:
        """Seconds for which the client has not taken what it was sent."""
        return 0.0 if self._blocked_since is None else self._loop.time() - self._blocked_since

    def cut_off(self) -> None:
        """It takes too little: end it, as `TOO_SLOW` if it can be told."""
        if self._end is None:
            self._hub.figures.cut_off += 1
        self._end_soon(TOO_SLOW, "too_slow", "You read too slowly. Connect again.")

    # --- sending --------------------------------------------------------------------------------

    def _error(self, code: str, detail: str) -> None:
        self._errors.append({"type": "error", "code": code, "detail": detail})
        if len(self._errors) > MOST_ERRORS:
            self._errors.clear()
            self._end_soon(TOO_MANY, "too_many_errors", "Read what you are answered.")
        self._wake.set()

    def _end_soon(self, code: int, reason: str, detail: str) -> None:
        if self._end is None:
            self._end = code, reason, detail
            self._wake.set()
            self._loop.call_later(LAST_WORD_SECONDS, self._cut)

    def _cut(self) -> None:
        if self._outlet is not None:
            self._outlet.cut()

    async def _send_forever(self) -> None:
        # When the client has gone, uvicorn's send raises one.
        with suppress(OSError):
            while True:
                self._is_idle = True
                await self._wake.wait()
                self._is_idle = False
                self._wake.clear()
                await self._drained()
                if self._end is not None:
                    await self._end_with(*self._end)
                    return
                await self._say_words()
                if self._is_subscribed:
                    await self._say_rows()

    async def _say_words(self) -> None:
        """Errors, imports, breaches and alerts, which have no place in the numbering."""
        errors, self._errors = self._errors, []
        imports, self._imports = self._imports, {}
        for error in errors:
            await self._say(orjson.dumps(error))
        for row in imports.values():
            await self._say(orjson.dumps({"type": "import", "import": row}))
        breaches, self._breaches = self._breaches, {}
        for row in breaches.values():
            await self._say(orjson.dumps({"type": "breach", "breach": row}))
        alerts, self._alerts = self._alerts, {}
        for row in alerts.values():
            await self._say(orjson.dumps({"type": "alert", "alert": row}))

    async def _say_rows(self) -> None:
        text = self._news()
        if text is BEHIND:
            await self._say_snapshot()
        elif text is not None:
            await self._say(*self._parts("update", text))

    def _news(self) -> Text | None:
        """What it has not been told; `BEHIND` if that takes a snapshot."""
        if self._told is None:
            return BEHIND
        composer = self._hub.composer
        beats, self._beats = self._beats, False
        text = composer.update(self.view, self._told, self._floor, clock.now())
        if text is None and beats:
            text = composer.nothing(self._told, self._floor)
        return text

    async def _say_snapshot(self) -> None:
        composer, view = self._hub.composer, self.view
        if not composer.ready(view):
            return  # what is missing is being read, and wakes it
        await self._hub.room.enter(composer.size(view))
        if view is not self.view or not composer.ready(view):
            self._wake.set()
            return
        await self._say(*self._parts("snapshot", composer.snapshot(view, clock.now())))

    def _parts(self, kind: str, text: Text) -> tuple[bytes, bytes]:
        """The message that has the next number; whoever asks sends it."""
        self._told, self._floor = text.version, text.floor
        self._seq += 1
        figures = self._hub.figures
        figures.text_bytes += len(text.body)
        if kind == "snapshot":
            figures.snapshots += 1
        else:
            figures.updates += 1
        return b'{"type":"%s","seq":%d,' % (kind.encode(), self._seq), text.body

    async def _say(self, *parts: bytes) -> None:
        if self._outlet is None:
            self._last_said = self._blocked_since = self._loop.time()
            text = b"".join(parts).decode()
            await self.base_send({"type": "websocket.send", "bytes": None, "text": text})
            self._blocked_since = None
        else:
            self._put(self._outlet, *parts)
            await self._drained()

    def _put(self, outlet: Outlet, *parts: bytes) -> None:
        """Give it to the client, who may be slow to take it."""
        self._last_said = self._loop.time()
        outlet.send(*parts)
        if not outlet.is_free():
            self._blocked_since = self._last_said

    async def _drained(self) -> None:
        if self._outlet is not None:
            await self._outlet.drained()
        self._blocked_since = None

    async def _end_with(self, code: int, reason: str, detail: str) -> None:
        await self._say(orjson.dumps({"type": "error", "code": reason, "detail": detail}))
        await self.close(code)
