"""The retention of uploaded files."""

from datetime import datetime, timedelta

from django.conf import settings

from trades.models import ImportChunk


def imports_tidy(*, now: datetime) -> int:
    """Drop the files of imports that ended `IMPORT_KEEP_DAYS` ago or earlier; how many pieces they
    had. The imports themselves, what they booked and their rejected rows stay for ever, and an
    undo needs no file."""
    before = now - timedelta(days=settings.IMPORT_KEEP_DAYS)
    dropped, _ = ImportChunk.objects.filter(import_job__finished_at__lt=before).delete()
    return dropped
