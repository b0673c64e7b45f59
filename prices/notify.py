"""Watchers are told that prices changed, once the change can be seen."""

from collections.abc import Iterable
from datetime import date

from django.db import transaction

from kernel.notices import publish, quotes_changed
from prices.hooks import closes_recorded, hours_changed


def closes_written(closes: Iterable[tuple[int, date]]) -> None:
    """Tell who listens to `closes_recorded`, in the transaction that recorded these closes
    (instrument id, session), and after it whoever watches."""
    written = sorted(set(closes))
    if not written:
        return
    closes_recorded(written)
    publish_changed(instrument for instrument, _ in written)


def hours_written(days: Iterable[date]) -> None:
    """Tell who listens to `hours_changed`, in the transaction that changed the hours of these
    days."""
    first = min(days, default=None)
    if first is not None:
        hours_changed(first)


def publish_changed(instruments: Iterable[int]) -> None:
    """Publish these instruments' ids after commit; nothing for none."""
    ids = sorted(set(instruments))
    if ids:
        transaction.on_commit(lambda: publish([quotes_changed(ids)]), robust=True)
