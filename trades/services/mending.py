"""Rebuilds asked for by a person."""

from collections.abc import Iterable

from celery import current_app

from trades.ledger.registry import reader_of
from trades.models import VerificationBreak


def rebuild_request(breaks: Iterable[VerificationBreak]) -> list[tuple[str, str]]:
    """Have the accounts of these breaks computed anew by their consumers' workers; the
    (consumer, account) pairs that were asked for, each once."""
    pairs = sorted({(b.consumer, b.account.code) for b in breaks if b.consumer and b.account})
    for consumer, code in pairs:
        reader = reader_of(consumer)
        current_app.send_task(reader.rebuild, args=[[code]], queue=reader.queue)
    return pairs
