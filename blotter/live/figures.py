"""Figures of a ws process's work, for metrics, which any api process answers, and for benchmarks.

Each process leaves its own in Redis every two seconds, for half a minute; without Redis there are
none to be seen.
"""

import json
import logging
import os
import socket
from dataclasses import asdict, dataclass, field

import redis

from kernel.redis_client import redis_client

logger = logging.getLogger(__name__)

KEY = "eqtrade:live:{}"
KEPT_SECONDS = 30
TIMEOUT_SECONDS = 0.5


@dataclass
class Figures:
    """Counted since the process began, but for the first four. Seconds are of CPU, but for
    `read_seconds`, which a reading took with all that it waited for."""

    connections: int = 0
    boards: int = 0
    rows: int = 0
    unsent_bytes: int = 0
    snapshots: int = 0
    updates: int = 0
    text_bytes: int = 0
    readings: int = 0
    rows_read: int = 0
    reading_seconds: float = 0.0
    read_seconds: float = 0.0
    comparing_seconds: float = 0.0
    texts: int = 0
    composing_seconds: float = 0.0
    cut_off: int = 0
    differences: int = 0
    process: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")


def write_figures(figures: Figures) -> None:
    """Blocking. Never raises: they are a convenience."""
    try:
        with _redis() as client:
            key = KEY.format(figures.process)
            client.set(key, json.dumps(asdict(figures)), ex=KEPT_SECONDS)
    except redis.RedisError as error:
        logger.warning("figures not written: %s", error)


def read_figures() -> list[Figures]:
    """The figures of all ws processes, by process. Raises RedisError."""
    with _redis() as client:
        keys = list(client.scan_iter(match=KEY.format("*"), count=1_000))
        found = client.mget(keys) if keys else []
    return sorted(
        (Figures(**json.loads(text)) for text in found if text is not None),
        key=lambda figures: figures.process,
    )


def _redis() -> "redis.Redis":
    return redis_client(TIMEOUT_SECONDS)
