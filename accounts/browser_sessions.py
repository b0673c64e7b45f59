"""Sessions of browsers, kept under a hash of their key: neither the database nor a copy of it holds
anything that lets somebody in. Django's own store but for that and for when a session ends.

It ends SESSION_IDLE_SECONDS after its last use, and in any case SESSION_COOKIE_AGE after its login.
The first is written seldom: a use is noted within a hundredth of that time.
"""

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.http import HttpRequest

from accounts.callers import budget_tag
from kernel import clock

STARTED = "_started"


def stored_key(key: str) -> str:
    """What is kept of a key, as long as the column is. No slow hash: a key is 165 random bits."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]


def sessions_used(keys: Collection[str], now: datetime) -> None:
    """Put off the end of these sessions, given by the keys that browsers have, where that is due;
    for what uses a session without asking for a page."""
    if not keys:
        return
    stored = [stored_key(key) for key in keys]
    soon = now + timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    for session in Session.objects.filter(
        session_key__in=stored, expire_date__gt=now, expire_date__lt=soon
    ):
        _use(session, session.get_decoded(), now)


def logged_in(*, request: HttpRequest, **_: Any) -> None:
    """Django changes a session's key before it says whose it is: once more, now that it is
    somebody's."""
    request.session.cycle_key()


def _use(session: Session, data: dict[str, Any], now: datetime) -> None:
    later = _ends_at(data, now)
    if later - session.expire_date >= timedelta(seconds=settings.SESSION_IDLE_SECONDS) / 100:
        Session.objects.filter(session_key=session.session_key).update(expire_date=later)


def _ends_at(data: dict[str, Any], now: datetime) -> datetime:
    started = datetime.fromtimestamp(data.get(STARTED, 0), UTC)
    return min(
        now + timedelta(seconds=settings.SESSION_IDLE_SECONDS),
        started + timedelta(seconds=settings.SESSION_COOKIE_AGE),
    )


class SessionStore(db.SessionStore):
    # Signed data is of one class by its name: Django's own `Session.get_decoded` reads ours.

    def load(self) -> dict[str, Any]:
        now = clock.now()
        try:
            session = Session.objects.get(
                session_key=stored_key(self.session_key or ""), expire_date__gt=now
            )
        except Session.DoesNotExist:
            self._session_key = None
            return {}
        data: dict[str, Any] = self.decode(session.session_data)
        _use(session, data, now)
        return data

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        now = clock.now()
        data.setdefault(STARTED, int(now.timestamp()))
        return Session(
            session_key=stored_key(self._get_or_create_session_key()),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=_ends_at(data, now),
        )

    def cycle_key(self) -> None:
        """A login: its time begins anew."""
        super().cycle_key()
        self[STARTED] = int(clock.now().timestamp())

    def _get_new_session_key(self) -> str:
        """Of who is logged in, with what nginx counts their calls by."""
        known: dict[str, Any] = getattr(self, "_session_cache", {})
        key: str = super()._get_new_session_key()  # type: ignore[misc]
        return budget_tag(known[SESSION_KEY]) + key if SESSION_KEY in known else key

    def exists(self, session_key: str) -> bool:
        return super().exists(stored_key(session_key))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(stored_key(key))

    # What asks asynchronously gets the same.

    async def aload(self) -> dict[str, Any]:
        return await sync_to_async(self.load)()

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)

    async def acreate(self) -> None:
        await sync_to_async(self.create)()

    async def acycle_key(self) -> None:
        await sync_to_async(self.cycle_key)()

    async def aexists(self, session_key: str) -> bool:
        return await sync_to_async(self.exists)(session_key)

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)
