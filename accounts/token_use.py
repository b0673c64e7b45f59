"""When a token was last used, within some minutes: written by a thread, so that no request waits
for it, and seldom, so that a busy token is not a row that all its requests write."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import Q

from accounts.callers import Credential
from accounts.models import AccessToken

logger = logging.getLogger(__name__)

WRITTEN_EVERY = timedelta(minutes=5)
_MOST_NOTED = 10_000

_noted: dict[int, datetime] = {}
"""What this process wrote last: requests that come before it can be read write nothing."""
_writer = ThreadPoolExecutor(1, thread_name_prefix="token-use")


def token_used(token: Credential, now: datetime) -> None:
    """Note a use, if the last one that is noted is long ago."""
    if token.last_used_at is not None and now - token.last_used_at < WRITTEN_EVERY:
        return
    noted = _noted.get(token.id)
    if noted is not None and now - noted < WRITTEN_EVERY:
        return
    if len(_noted) >= _MOST_NOTED:
        _noted.clear()
    _noted[token.id] = now
    _writer.submit(_write, token.id, now)


def _write(token: int, now: datetime) -> None:
    try:
        earlier = Q(last_used_at=None) | Q(last_used_at__lt=now)
        AccessToken.objects.filter(earlier, pk=token).update(last_used_at=now)
    except DatabaseError as error:
        # The next use after that time is written; nothing but what people are shown depends on it.
        logger.warning("the use of a token could not be noted: %s", error)
    finally:
        connection.close()
