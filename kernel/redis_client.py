"""A client of the Redis that everything shares, which waits so long and no longer."""

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


def redis_client(seconds: float, *, again: bool = True) -> "redis.Redis":
    """`seconds` are those of a connection and of each answer; a call that takes longer raises
    redis.RedisError. `again`: what a lost connection cut off is tried again; who has better to do
    than to wait says False."""
    given = {} if again else {"retry": Retry(NoBackoff(), 0)}
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=seconds, socket_connect_timeout=seconds, **given
    )
