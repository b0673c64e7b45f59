"""Measurements that follow the ledger's readers: of many batches a second, one asks.

None is missed: what is applied once a measurement has begun asks for another, and who finds
another one measuring asks again.
"""

import logging

import redis

from trades.ledger import mailbox

AFTER_SECONDS, EXPIRES_SECONDS = 1, 50
"""What a batch asks for is done a second later, with what other batches applied meanwhile; what
nobody did within a minute is done by the minute."""
_DUE, _DUE_MS = "eqtrade:{}:due", 5_000
"""Who asked and was lost is waited for so long."""
logger = logging.getLogger(__name__)


def begun(what: str) -> None:
    """A measurement begins: what is applied from now on asks for the next. To be said before
    anything is read."""
    try:
        with mailbox.connect() as client:
            client.delete(_DUE.format(what))
    except redis.RedisError as error:
        logger.warning("%s are measured by the minute: %r", what, error)


def is_due(what: str) -> bool:
    """Whether this measurement is to be asked for: none was within seconds that has not begun. A
    Redis that is away leaves it to the minute."""
    try:
        with mailbox.connect() as client:
            return bool(client.set(_DUE.format(what), 1, nx=True, px=_DUE_MS))
    except redis.RedisError as error:
        logger.warning("%s are measured by the minute: %r", what, error)
        return False
