"""Telling whoever watches that prices changed, once the change can be seen."""

from collections.abc import Iterable

from django.db import transaction

from kernel.notices import publish, quotes_changed


def publish_changed(instruments: Iterable[int]) -> None:
    """Publish these instruments' ids after commit; nothing for none."""
    ids = sorted(set(instruments))
    if ids:
        transaction.on_commit(lambda: publish([quotes_changed(ids)]), robust=True)
