"""Notices: which keys changed, published after commit for whoever watches.

A notice carries no state, so a lost one costs freshness only; the live hub finds out by itself.
Publishing goes straight to Redis in the channel layer's own format: the layer's `group_send`
needs an event loop, and `async_to_sync` in a worker piles up one loop's connections a call.
"""

import logging
from collections.abc import Iterable
from typing import Any

import redis
from channels_redis.serializers import registry
from django.conf import settings

from kernel.redis_client import redis_client

logger = logging.getLogger(__name__)

ACCOUNT_GROUP = "account.{}"
USER_GROUP = "user.{}"
QUOTES_GROUP = "quotes"
LEDGER_GROUP = "ledger"

_TIMEOUT_SECONDS = 0.5
_serializer = registry.get_serializer("msgpack")
_client: "redis.Redis | None" = None


def _redis() -> "redis.Redis":
    global _client
    if _client is None:
        _client = redis_client(_TIMEOUT_SECONDS)
    return _client


def channel_of(group: str) -> str:
    """The Redis channel of a group, as RedisPubSubChannelLayer names it."""
    layers: dict[str, Any] = settings.CHANNEL_LAYERS
    prefix = layers["default"]["CONFIG"]["prefix"]
    return f"{prefix}__group__{group}"


def publish(notices: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Publish (group, message) pairs in one round trip. Never raises: a notice is a convenience."""
    try:
        with _redis().pipeline(transaction=False) as pipe:
            for group, message in notices:
                pipe.publish(channel_of(group), _serializer.serialize(message))
            pipe.execute()
    except redis.RedisError as error:
        logger.warning("notices not published: %s", error)


def account_changed(
    account: int,
    *,
    instruments: Iterable[int] | None = (),
    trades: Iterable[str] | None = (),
    requests: Iterable[str] = (),
) -> tuple[str, dict[str, Any]]:
    """These keys of an account changed, by these requests as far as that is known. None: too many
    to name, all of them."""
    return ACCOUNT_GROUP.format(account), {
        "type": "changed",
        "account": account,
        "instruments": None if instruments is None else list(instruments),
        "trades": None if trades is None else list(trades),
        "requests": list(requests),
    }


def account_followed(account: int, requests: Iterable[str]) -> tuple[str, dict[str, Any]]:
    """What these requests changed in an account was told before, without their names."""
    return ACCOUNT_GROUP.format(account), {
        "type": "followed",
        "account": account,
        "requests": list(requests),
    }


def reader_moved(
    consumer: str, shard: int, after: Iterable[str], upto: Iterable[str]
) -> tuple[str, dict[str, Any]]:
    """A reader of the ledger moved between two places. Published after the batch's other notices,
    so that who gets it has got those."""
    return LEDGER_GROUP, {
        "type": "moved",
        "consumer": consumer,
        "shard": shard,
        "after": list(after),
        "upto": list(upto),
    }


def import_moved(user: int, import_id: str) -> tuple[str, dict[str, Any]]:
    """An import of this user came further, or changed its state."""
    return USER_GROUP.format(user), {"type": "import", "user": user, "import": import_id}


def breach_moved(breach_id: str, accounts: Iterable[int]) -> tuple[str, dict[str, Any]]:
    """A breach of a limit of these accounts opened, changed or closed. It is told in the group of
    the first: who may hear of it watches them all."""
    told = sorted(accounts)
    return ACCOUNT_GROUP.format(told[0]), {
        "type": "breach",
        "breach": breach_id,
        "accounts": told,
    }


def alert_moved(user: int, firing_id: str) -> tuple[str, dict[str, Any]]:
    """An alert of this user fired, or they said that they have seen it."""
    return USER_GROUP.format(user), {"type": "alert", "user": user, "firing": firing_id}


def quotes_changed(instruments: Iterable[int]) -> tuple[str, dict[str, Any]]:
    """Quotes, closes or overrides of these instruments changed."""
    return QUOTES_GROUP, {"type": "quotes", "instruments": list(instruments)}
