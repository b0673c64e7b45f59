"""Settings of the live blotter: the bounds of one ws process (docs/runbooks/scale.md)."""

from eqtrade.environment import env

LIVE_CONNECTIONS = env.int("LIVE_CONNECTIONS", default=5_000)
LIVE_CONNECTIONS_PER_USER = env.int("LIVE_CONNECTIONS_PER_USER", default=20)
# Of one user: so many at once, as when all of a desk's pages come back, then so many a second.
LIVE_MESSAGES_AT_ONCE = env.int("LIVE_MESSAGES_AT_ONCE", default=40)
LIVE_MESSAGES_PER_SECOND = env.float("LIVE_MESSAGES_PER_SECOND", default=4.0)
# Given to sockets and not taken by clients; snapshots wait while there is more.
LIVE_UNSENT_BYTES = env.int("LIVE_UNSENT_BYTES", default=64 * 1024 * 1024)
# A client that takes nothing for so long is cut off.
LIVE_SLOW_SECONDS = env.float("LIVE_SLOW_SECONDS", default=30.0)
LIVE_READING_THREADS = env.int("LIVE_READING_THREADS", default=2)
