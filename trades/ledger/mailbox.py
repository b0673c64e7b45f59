"""A task's mailbox: the shards that its readers were nudged for, kept in Redis until a reader takes
them.

Beside the set of shards stands a key that says that somebody is called: a message is on its way to
the queue, or a reader is at it and will look again. While it stands a nudge is its shards in the
set and nothing else, so at most one message a task is on its way, whoever nudges and however often.

No nudge falls between the two: it adds its shards before it looks for the key, in one step, and a
reader that finds the set empty takes the key away, in one step. What a reader that dies has taken
is found by the sweep; the key it leaves is gone within a second.
"""

import logging
from collections.abc import Iterable
from typing import Any

import redis

from kernel.following import Followed
from kernel.redis_client import redis_client

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.1
CALLED_MS = 1000
_MOST_TAKEN = 1000
_MOST_PUT = 200

# KEYS: the set, the key, whose requests. ARGV: how long the key stands, how many shards, the shards
# and then the requests, of which the last ones stay for a minute. Whether somebody must be
# called.
_PUT = """
local last = 2 + ARGV[2]
redis.call('SADD', KEYS[1], unpack(ARGV, 3, last))
if #ARGV > last then
    redis.call('RPUSH', KEYS[3], unpack(ARGV, last + 1))
    redis.call('LTRIM', KEYS[3], -200, -1)
    redis.call('EXPIRE', KEYS[3], 60)
end
return redis.call('SET', KEYS[2], '', 'NX', 'PX', ARGV[1])
"""
# ARGV: how long the key stands, whether the reader stays in any case, how many to take.
_TAKE = """
local shards = redis.call('SPOP', KEYS[1], ARGV[3])
local whose = {}
if #shards > 0 then
    whose = redis.call('LRANGE', KEYS[3], 0, -1)
    redis.call('DEL', KEYS[3])
end
if #shards > 0 or ARGV[2] == '1' then
    redis.call('SET', KEYS[2], '', 'PX', ARGV[1])
else
    redis.call('DEL', KEYS[2])
end
return {shards, whose}
"""
_LEAVE = "return redis.call('DEL', KEYS[2])"


def _keys(task: str) -> tuple[str, str, str]:
    return f"eqtrade:nudged:{task}", f"eqtrade:called:{task}", f"eqtrade:followed:{task}"


def connect() -> "redis.Redis":
    """A client that gives up at once: whoever nudges or reads has better to do."""
    return redis_client(TIMEOUT_SECONDS, again=False)


def put(pipe: Any, task: str, shards: Iterable[int], whose: Iterable[Followed] = ()) -> None:
    """Add shards, and the requests that left something there. The pipeline's answer is true when
    somebody must be called, else None."""
    given, texts = sorted(shards), [one.as_text() for one in whose if one.accounts]
    pipe.eval(_PUT, 3, *_keys(task), CALLED_MS, len(given), *given, *texts[:_MOST_PUT])


class Mailbox:
    """A task's mailbox, as one run of the task takes from it. Never raises: after one failure it
    stays empty, and the sweep finds what is in it."""

    def __init__(self, task: str) -> None:
        self._keys = _keys(task)
        self._whose: list[Followed] = []
        self._is_away = False

    def take(self, *, stay: bool) -> set[int]:
        """The shards that were put since. Whoever takes some must look at them, and take again
        after that; with none, and unless it stays, it has left: the next nudge calls somebody."""
        shards, whose = self._ask(_TAKE, CALLED_MS, int(stay), _MOST_TAKEN) or ((), ())
        self._whose += [Followed.of_text(text.decode()) for text in whose]
        return {int(shard) for shard in shards}

    def whose(self) -> list[Followed]:
        """The requests that left something in the shards taken since this was last asked."""
        found, self._whose = self._whose, []
        return found

    def leave(self) -> None:
        """Have whoever nudges from now on call somebody."""
        self._ask(_LEAVE)

    def _ask(self, script: str, *arguments: int) -> Any:
        global _client
        if self._is_away:
            return None
        try:
            if _client is None:
                _client = connect()
            return _client.eval(script, 3, *self._keys, *arguments)
        except redis.RedisError as error:
            self._is_away = True
            logger.warning("nudged shards not taken: %s", error)
            return None


_client: "redis.Redis | None" = None
