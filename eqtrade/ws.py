"""`python -m eqtrade.ws …`: the server of the live blotter, the same on a laptop and in containers.

uvicorn with what thousands of websockets need; further arguments (`--uds`, `--host`, `--port`) are
uvicorn's own.
"""

import resource
import sys

import uvicorn

MESSAGE_BYTES = 65_536
"""Of one message from a client; a longer one ends its connection with 1009."""
OPEN_FILES = 16_384
"""A connection is one; many systems allow a process 1,024 unless it asks for more."""

SETTINGS = (
    *("--lifespan", "off", "--no-access-log", "--log-level", "warning"),
    *("--timeout-graceful-shutdown", "3", "--timeout-keep-alive", "75"),
    # Deflate costs ten times the sending of a frame of 20 kB, 35 kB a connection, and lets a client
    # have a frame inflated before its size is known.
    *("--ws", "blotter.live.protocol:LiveProtocol"),
    *("--ws-per-message-deflate", "false", "--ws-max-size", str(MESSAGE_BYTES)),
)


def allow_open_files(wanted: int = OPEN_FILES) -> None:
    """Raise the limit that this process may raise by itself; never lower it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def main() -> None:
    allow_open_files()
    uvicorn.main([*SETTINGS, *sys.argv[1:], "eqtrade.asgi:application"], prog_name="eqtrade.ws")


if __name__ == "__main__":
    main()
