"""The queues that the system's workers consume from."""

from django.conf import settings


def queue_names() -> list[str]:
    """Those of the ledger's readers, and prices, imports and default."""
    named = {reader["queue"] for reader in settings.LEDGER_CONSUMERS.values()}
    return sorted(named | {"default", "prices", "imports"})
