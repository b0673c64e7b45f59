"""The quotas of one user's imports, at a time and in a day."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Min, Sum

from accounts.selectors import account_rights
from kernel.errors import NotEntitled, TooMany
from kernel.locks import KeyedLock, keyed_transaction_lock
from trades.models import Import
from trades.models.imports import OPEN_STATES

DAY = timedelta(days=1)
# An import of usual size ends in seconds.
OPEN_RETRY_SECONDS = 10


class ImportQuota(TooMany):
    code = "import_quota"


def import_allowed(user: AbstractBaseUser) -> None:
    """Raise NotEntitled for who can book nowhere: nothing of their file could be booked."""
    if not any(right.can_book for right in account_rights(user)):
        raise NotEntitled("You may not book in any account.")


def quota_take(*, user_id: int, size: int, now: datetime) -> None:
    """Raise ImportQuota if another file of `size` bytes is too much for the user.

    In the transaction that stores the file, before it is stored: the user's next upload waits for
    its end, so that of many at once no more get in than may. The lock is no row's and holds no
    reader of the ledger back.
    """
    keyed_transaction_lock(KeyedLock.IMPORT_QUOTA, user_id)
    mine = Import.objects.filter(user_id=user_id)
    if mine.filter(state__in=OPEN_STATES).count() >= settings.IMPORT_OPEN_MAX:
        raise ImportQuota(
            f"{settings.IMPORT_OPEN_MAX} of your imports are waiting or running: let one end.",
            retry_after=OPEN_RETRY_SECONDS,
        )
    today = mine.filter(accepted_at__gt=now - DAY).aggregate(Sum("size"), first=Min("accepted_at"))
    if today["first"] and today["size__sum"] + size > settings.IMPORT_BYTES_PER_DAY:
        raise ImportQuota(
            f"Your files of the last 24 hours have {today['size__sum']:,} bytes; with this one they"
            f" would have more than {settings.IMPORT_BYTES_PER_DAY:,}.",
            retry_after=(today["first"] + DAY - now).total_seconds(),
        )
