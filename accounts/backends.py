"""Users of sessions, found by one prepared statement, or by what somebody has asked already."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from axes.backends import AxesStandaloneBackend
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.attempts import attempt_begin, attempt_was_right
from accounts.callers import caller_by_id
from accounts.doors import address_of, refuse, tell_wrong, too_many_wrong
from accounts.hashing import TooManyLogins, slots
from accounts.services import tokens_keep
from kernel import clock

# As long as the user model has a name; no form takes a longer password.
MOST_NAME, MOST_PASSWORD = 150, 4096

_found: ContextVar[User | None] = ContextVar("found", default=None)


@contextmanager
def caller_found(user: User | None) -> Iterator[None]:
    """Within this block the session's user need not be read again if it is this one. Whether the
    session holds for them is still for Django to say."""
    token = _found.set(user)
    try:
        yield
    finally:
        _found.reset(token)


class CallerBackend(AxesStandaloneBackend, ModelBackend):
    """Django's own backend but for the query of each request, and for who may try a password."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **more: Any,
    ) -> User | None:
        """The user whose password this is. Whoever tried too often is refused before it is looked
        at, and it costs nothing to send a name or a password that nobody can have.

        Without a request, as scripts ask, nothing is counted.
        """
        if not username or password is None:
            return None
        if len(username) > MOST_NAME or len(password) > MOST_PASSWORD:
            return None
        if request is None:
            return self._look(request, username, password)
        # What axes notes at REST framework's own request, its middleware would not find.
        request = getattr(request, "_request", request)
        # Raises PermissionDenied, which ends the login.
        super().authenticate(request, username, password)
        try:
            with slots.one():
                return self._counted(request, username, password)
        except TooManyLogins as refusal:
            refuse(request, refusal, username)

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **more: Any,
    ) -> User | None:
        """The same, for who asks from an event loop."""
        return await sync_to_async(self.authenticate)(request, username, password, **more)

    def _counted(self, request: HttpRequest, username: str, password: str) -> User | None:
        address = address_of(request)
        attempt = attempt_begin(name=username, address=address, path=request.path, now=clock.now())
        if isinstance(attempt, timedelta):
            refuse(request, too_many_wrong(attempt), username)
        user = self._look(request, username, password)
        if user is None:
            tell_wrong(request, username)
        else:
            attempt_was_right(attempt, name=username, address=address, now=clock.now())
        return user

    def _look(self, request: HttpRequest | None, username: str, password: str) -> User | None:
        """A password that a login hashes anew, as with each of Django's versions, is the same
        password: tokens that stand on it go on."""
        hashes = User.objects.filter(username=username).values_list("password", flat=True)
        before = hashes.first()
        user = ModelBackend.authenticate(self, request, username, password)
        if not isinstance(user, User):
            return None
        if before is not None and user.password != before:
            tokens_keep(user=user, before=before)
        return user

    def get_user(self, user_id: int) -> User | None:
        user = _found.get()
        if user is None or user.pk != user_id:
            caller = caller_by_id(user_id)
            user = caller and caller.user
        return user if user is not None and self.user_can_authenticate(user) else None
