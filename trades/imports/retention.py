"""The retention of uploaded files and of their rejected rows."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef

from trades.models import Import, ImportChunk, Rejection


def imports_tidy(*, now: datetime) -> int:
    """Drop the files and the rejected rows of imports that ended `IMPORT_KEEP_DAYS` ago or earlier,
    import by import; how many imports that were. What they booked and how many rows were rejected
    stays for ever, and an undo needs no file."""
    before = now - timedelta(days=settings.IMPORT_KEEP_DAYS)
    mine = {"import_job": OuterRef("pk")}
    old = Import.objects.filter(
        Exists(ImportChunk.objects.filter(**mine)) | Exists(Rejection.objects.filter(**mine)),
        finished_at__lt=before,
    )
    ended = list(old.values_list("pk", flat=True))
    for job in ended:
        Rejection.objects.filter(import_job=job).delete()
        ImportChunk.objects.filter(import_job=job).delete()
    return len(ended)
