"""Users of sessions, found by one prepared statement, or by what somebody has asked already."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from asgiref.sync import sync_to_async
from axes.backends import AxesStandaloneBackend
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.callers import caller_by_id
from accounts.doors import refuse, try_begin
from accounts.hashing import TooManyLogins, slots
from accounts.second_factor import has_second_factor
from accounts.services import tokens_keep

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
        # What is noted at REST framework's own request, axes' middleware would not find.
        request = getattr(request, "_request", request)
        # Raises PermissionDenied, which ends the login.
        tried = try_begin(request, username)
        try:
            with slots.one():
                user = self._look(request, username, password)
        except TooManyLogins as refusal:
            tried.take_back()
            refuse(request, refusal, username)
        if user is None:
            tried.was_wrong()
        elif has_second_factor(user):
            # Whoever has the password alone is not known here yet.
            tried.take_back()
        else:
            tried.was_right()
        return user

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **more: Any,
    ) -> User | None:
        """The same, for who asks from an event loop."""
        return await sync_to_async(self.authenticate)(request, username, password, **more)

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
