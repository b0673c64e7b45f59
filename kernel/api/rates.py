"""A user's rate of calls, where one is set. It is counted in Redis, and without Redis not at all:
whoever may call must not wait for what only keeps order."""

import logging
from typing import Any

import redis
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from kernel import clock
from kernel.redis_client import redis_client

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
_TIMEOUT_SECONDS = 0.1
_client: "redis.Redis | None" = None


def _redis() -> "redis.Redis":
    global _client
    if _client is None:
        _client = redis_client(_TIMEOUT_SECONDS)
    return _client


class CallRate(BaseThrottle):
    """`API_CALLS_PER_MINUTE` calls in each minute of the clock."""

    def allow_request(self, request: Request, view: Any) -> bool:
        user = getattr(request.user, "pk", None)
        if user is None:
            return True
        now = int(clock.now().timestamp())
        self._left = WINDOW_SECONDS - now % WINDOW_SECONDS
        key = f"eqtrade:rate:{user}:{now // WINDOW_SECONDS}"
        try:
            with _redis().pipeline(transaction=False) as pipe:
                pipe.incr(key)
                pipe.expire(key, 2 * WINDOW_SECONDS)
                calls, _ = pipe.execute()
        except redis.RedisError as error:
            logger.warning("calls are not counted: %s", error)
            return True
        return bool(calls <= settings.API_CALLS_PER_MINUTE)

    def wait(self) -> float:
        return self._left
