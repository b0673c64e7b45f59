"""Users of sessions, found by one prepared statement, or by what somebody has asked already."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.callers import caller_by_id
from accounts.services import tokens_keep

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


class CallerBackend(ModelBackend):
    """Django's own backend but for the query of each request, and for tokens: a password that a
    login hashes anew, as with each of Django's versions, is the same password."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **more: Any,
    ) -> User | None:
        hashes = User.objects.filter(username=username).values_list("password", flat=True)
        before = hashes.first()
        user = super().authenticate(request, username, password, **more)
        if isinstance(user, User) and before is not None and user.password != before:
            tokens_keep(user=user, before=before)
        return user if isinstance(user, User) else None

    def get_user(self, user_id: int) -> User | None:
        user = _found.get()
        if user is None or user.pk != user_id:
            caller = caller_by_id(user_id)
            user = caller and caller.user
        return user if user is not None and self.user_can_authenticate(user) else None
