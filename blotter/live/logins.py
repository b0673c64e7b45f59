"""By what a connection was let in, and whether that still holds. Blocking, in the hub's thread."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.utils.crypto import constant_time_compare
from rest_framework.authtoken.models import Token


@dataclass(frozen=True)
class Login:
    """A session's key or a token's, the other one empty."""

    user_id: int
    session: str = ""
    token: str = ""


def ended_logins(logins: Collection[Login], now: datetime) -> set[Login]:
    """Those that would not be let in any more: logged out, expired, taken back, the password
    changed since, or the user inactive. Three queries, however many there are."""
    users = get_user_model().objects.filter(pk__in={x.user_id for x in logins}, is_active=True)
    active: dict[int, Any] = {user.pk: user for user in users}
    tokens = dict(
        Token.objects.filter(key__in={x.token for x in logins if x.token}).values_list(
            "key", "user_id"
        )
    )
    keys = {x.session for x in logins if x.session}
    sessions = Session.objects.filter(session_key__in=keys, expire_date__gt=now)
    hashes = {s.session_key: s.get_decoded().get(HASH_SESSION_KEY, "") for s in sessions}

    def holds(login: Login) -> bool:
        user = active.get(login.user_id)
        if user is None:
            return False
        if login.token:
            return tokens.get(login.token) == login.user_id
        return login.session in hashes and _is_of_password(hashes[login.session], user)

    return {login for login in logins if not holds(login)}


def _is_of_password(stored: str, user: Any) -> bool:
    """Whether the session was made under the password that the user has now."""
    valid = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(stored, each) for each in valid)
