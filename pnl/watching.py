"""Measurements that follow the ledger's readers: of many batches a second, one asks."""

import logging

import redis

from trades.ledger import mailbox

AFTER_SECONDS, EXPIRES_SECONDS = 1, 50
"""What a batch asks for is done a second later, with what other batches applied meanwhile; what
nobody did within a minute is done by the minute."""
_DUE, _DUE_MS = "eqtrade:{}:due", 1_500
logger = logging.getLogger(__name__)


def is_due(what: str) -> bool:
    """Whether this measurement is to be asked for: none was within a second or so. A Redis that is
    away leaves it to the minute."""
    try:
        with mailbox.connect() as client:
            return bool(client.set(_DUE.format(what), 1, nx=True, px=_DUE_MS))
    except redis.RedisError as error:
        logger.warning("%s are measured by the minute: %r", what, error)
        return False
