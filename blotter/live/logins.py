"""The login of a connection: a session or a token, and the check that it still holds. Blocking, in
the hub's threads."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.utils.crypto import constant_time_compare

from accounts.browser_sessions import stored_key
from accounts.callers import digest_of, users_by_token
from accounts.second_factor import missing_among
from kernel.authorization import may_open

ADDRESS = "ws/v1/blotter/"


@dataclass(frozen=True)
class Login:
    """A session's key or a token's, the other one empty."""

    session: str = ""
    token: str = ""


def users_of(logins: Collection[Login], now: datetime) -> dict[Login, int]:
    """The users whom these let in. Left out are those that let nobody in: logged out, expired,
    taken back, the password changed since, the user inactive, without the second factor that they
    must have, or not to open it by the table of authorization. Three queries in all, or four."""
    digests = {x.token: digest_of(x.token) for x in logins if x.token}
    tokens = users_by_token(digests.values(), now)
    keys = {stored_key(x.session) for x in logins if x.session}
    found = Session.objects.filter(session_key__in=keys, expire_date__gt=now)
    sessions = {
        key: _of_session(data) for key, data in found.values_list("session_key", "session_data")
    }
    users = {*tokens.values(), *(user for user, _ in sessions.values())}
    people = list(get_user_model().objects.filter(pk__in=users, is_active=True))
    missing = missing_among(people)
    active: dict[int, Any] = {
        user.pk: user for user in people if may_open(user, ADDRESS) and user.pk not in missing
    }

    def user_of(login: Login) -> int | None:
        if login.token:
            return tokens.get(digests[login.token])
        user, stored = sessions.get(stored_key(login.session), (0, ""))
        return user if user in active and _is_of_password(stored, active[user]) else None

    return {login: user for login in logins if (user := user_of(login)) in active}


@lru_cache(maxsize=10_000)
def _of_session(data: str) -> tuple[int, str]:
    """The user and the password's hash in a session; asked every second for all that are open."""
    values = Session(session_data=data).get_decoded()
    return int(values.get(SESSION_KEY, 0)), str(values.get(HASH_SESSION_KEY, ""))


def _is_of_password(stored: str, user: Any) -> bool:
    """True if the session was made under the password that the user has now."""
    valid = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(stored, each) for each in valid)
