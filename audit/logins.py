"""Logins and logouts, as Django says them. What fails or is refused at a door is for the door to
record: it knows why."""

from typing import Any

from django.contrib.auth.models import User

from audit.recording import record


def logged_in(*, user: User, **_: Any) -> None:
    record("login.succeeded", actor=user, object_id=user.pk, about=user.get_username())


def logged_out(*, user: User | None, **_: Any) -> None:
    """Also said of a session that was nobody's."""
    if user is not None:
        record("logout", actor=user, object_id=user.pk, about=user.get_username())
