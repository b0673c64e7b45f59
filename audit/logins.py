"""Logins and logouts of sessions, as Django says them. Each door records its own failures."""

from typing import Any

from django.contrib.auth.models import User

from audit.recording import record


def logged_in(*, user: User, **_: Any) -> None:
    record("login.succeeded", actor=user, object_id=user.pk, about=user.get_username())


def logged_out(*, user: User | None, **_: Any) -> None:
    """Also said of a session that was nobody's."""
    if user is not None:
        record("logout", actor=user, object_id=user.pk, about=user.get_username())
