"""Files whose bytes have been imported before, into the same accounts."""

from django.db.models import Q

from kernel.errors import Conflict
from kernel.locks import KeyedLock, keyed_transaction_lock
from trades.models import Import, ImportState
from trades.models.imports import OPEN_STATES


class FileSeen(Conflict):
    code = "file_seen"


def file_seen(job: Import) -> None:
    """Raise FileSeen where `seen_before` says something. In the transaction that stores the file:
    of two at the same time the second waits for the first."""
    keyed_transaction_lock(KeyedLock.IMPORT_FILE, job.file_hash)
    if before := seen_before(job.file_hash, job.accounts):
        raise FileSeen(before)


def seen_before(file_hash: str, accounts: list[str]) -> str | None:
    """Of an import of these bytes into one of these accounts that stands, queued, running or with
    trades that were not undone: whose it was and when. Dry runs do not count.

    `accounts` are such as the asking user may view, so that nobody is told of others.
    """
    stands = Q(state__in=OPEN_STATES) | (Q(rows_booked__gt=0) & ~Q(state=ImportState.UNDONE))
    before = (
        Import.objects.filter(
            stands, file_hash=file_hash, dry_run=False, accounts__overlap=accounts
        )
        .select_related("user")
        .order_by("-id")
        .first()
    )
    if before is None:
        return None
    when = before.accepted_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    into = ", ".join(sorted(set(before.accounts) & set(accounts)))
    return (
        f"{before.user.get_username()} imported this very file on {when}, into {into}. Say again if"
        " all of its trades are meant once more."
    )
