"""Attempts to log in, counted in the database: it is there whenever a login could succeed, and one
count holds for all processes.

1. *Counted first.* An attempt is written down as a wrong one before its password is looked at, in a
   transaction that lets one attempt of a name, and of an address, by at a time. So of any number
   at once no more passwords are looked at than may.
2. *Taken back.* The right password takes it back, and notes that this name logs in from there.
3. *Once.* A code of a second factor lets in once, whichever process it is sent to.
4. *Nothing in clear.* Names are kept as hashes: people type passwords into that field.

The tables are django-axes's; what it counts by itself is not what is wanted here.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessFailureLog, AccessLog
from django.conf import settings
from django.db import connection, transaction

from accounts.models import UsedCode
from accounts.throttle import KNOWN_FOR, WINDOW, Limits, Wrong, wait_for
from kernel.locks import KeyedLock, keyed_transaction_lock

# Kept for people who look at an attack afterwards.
_FAILURES_KEPT = timedelta(days=1)
# Longer than any code of a second factor is taken.
CODE_HOLDS = timedelta(minutes=5)

_WRONG = """
    SELECT attempt_time, username = %(name)s, ip_address = %(address)s::inet
      FROM axes_accessfailurelog
     WHERE attempt_time > %(since)s
       AND (username = %(name)s OR ip_address = %(address)s::inet)
"""
_IS_KNOWN = """
    SELECT EXISTS (SELECT FROM axes_accesslog
                    WHERE username = %(name)s AND ip_address = %(address)s::inet
                      AND attempt_time > %(since)s)
"""
_INSERT = """
    INSERT INTO axes_accessfailurelog
           (username, ip_address, attempt_time, path_info, user_agent, http_accept, locked_out)
    VALUES (%(name)s, %(address)s, %(now)s, %(path)s, '', '', false)
    RETURNING id
"""
_KNOW_AGAIN = """
    UPDATE axes_accesslog SET attempt_time = %(now)s
     WHERE username = %(name)s AND ip_address = %(address)s::inet
"""
_KNOW = """
    INSERT INTO axes_accesslog
           (username, ip_address, attempt_time, path_info, user_agent, http_accept, session_hash)
    VALUES (%(name)s, %(address)s, %(now)s, '', '', '', '')
"""


_USE_CODE = """
    INSERT INTO accounts_usedcode AS u (user_id, digest, used_at)
    VALUES (%(user)s, %(digest)s, %(now)s)
    ON CONFLICT (user_id, digest) DO UPDATE SET used_at = %(now)s WHERE u.used_at < %(since)s
"""


def name_key(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def login_wait(*, name: str, address: str, now: datetime) -> timedelta | None:
    """How long the name has to wait at this address before it may try; None when it may now."""
    asked = {"name": name_key(name), "address": address}
    limits = Limits(settings.LOGIN_WRONG_PAIR, settings.LOGIN_WRONG_NAME,
                    settings.LOGIN_WRONG_ADDRESS)  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_WRONG, {**asked, "since": now - WINDOW})
        wrong = [Wrong(*row) for row in cursor.fetchall()]
        cursor.execute(_IS_KNOWN, {**asked, "since": now - KNOWN_FOR})
        (is_known,) = cursor.fetchone()
    return wait_for(wrong, is_known=is_known, limits=limits, now=now)


def attempt_begin(*, name: str, address: str, path: str, now: datetime) -> int | timedelta:
    """Count an attempt as wrong, for now; its id. How long to wait when there were too many: then
    nothing is counted."""
    with transaction.atomic():
        # Always in this order, so that no two wait for each other.
        keyed_transaction_lock(KeyedLock.LOGIN_NAME, name)
        keyed_transaction_lock(KeyedLock.LOGIN_ADDRESS, address)
        wait = login_wait(name=name, address=address, now=now)
        if wait is not None:
            return wait
        with connection.cursor() as cursor:
            given: dict[str, Any] = {"name": name_key(name), "address": address, "now": now}
            cursor.execute(_INSERT, {**given, "path": path[:255]})
            attempt: int = cursor.fetchone()[0]
            return attempt


def attempt_take_back(attempt: int) -> None:
    """It was not wrong, or nobody looked at it."""
    AccessFailureLog.objects.filter(pk=attempt).delete()


def attempt_was_right(attempt: int, *, name: str, address: str, now: datetime) -> None:
    """Take the attempt back, and remember that the name logs in from this address."""
    given: dict[str, Any] = {"name": name_key(name), "address": address, "now": now}
    with transaction.atomic(), connection.cursor() as cursor:
        attempt_take_back(attempt)
        cursor.execute(_KNOW_AGAIN, given)
        if not cursor.rowcount:
            cursor.execute(_KNOW, given)


def code_used(*, user: int, code: str, now: datetime) -> bool:
    """Note that the code was used; False when it was, within the time that it holds."""
    digest = hashlib.sha256(f"{user}:{code}".encode()).digest()
    given: dict[str, Any] = {
        "user": user, "digest": digest, "now": now, "since": now - CODE_HOLDS,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_USE_CODE, given)
        return bool(cursor.rowcount)


def name_unlock(name: str) -> int:
    """Forget all wrong passwords of this name; how many there were. Addresses that tried other
    names too many times stay refused."""
    forgotten: int = AccessFailureLog.objects.filter(username=name_key(name)).delete()[0]
    return forgotten


def attempts_tidy(*, now: datetime) -> int:
    """Drop what counts no more; how many rows."""
    old: tuple[tuple[Any, timedelta], ...] = (
        (AccessFailureLog, _FAILURES_KEPT), (AccessLog, KNOWN_FOR)
    )  # fmt: skip
    codes = UsedCode.objects.filter(used_at__lt=now - CODE_HOLDS).delete()[0]
    return codes + sum(
        int(model.objects.filter(attempt_time__lt=now - kept).delete()[0]) for model, kept in old
    )
