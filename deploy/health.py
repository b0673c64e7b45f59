"""A health check of the part in this container: exit 0, or 1 with a line that says what is wrong.

    python -I deploy/health.py api|ws|worker|beat|flower

Standard library only and no import of ours: it runs every few seconds beside each part. Worker and
beat write down what they do (eqtrade/worker_heartbeat.py); api, ws and Flower are asked.
"""

import base64
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 10
PULSE_SECONDS = 30
"""A worker writes every 5 s, and beat whenever it sends a task, every second or three."""
STALLED_SECONDS = 60
BUSY_SECONDS = 900
"""All its processes are at work: so long may one task take before somebody has to look."""


class Ill(Exception):
    """The part does not do its job; the message says why."""


def main(arguments: list[str]) -> int:
    checks: dict[str, Callable[[], None]] = {
        "api": api,
        "ws": ws,
        "worker": worker,
        "beat": beat,
        "flower": flower,
    }
    if len(arguments) != 1 or arguments[0] not in checks:
        sys.stderr.write(f"usage: health.py {'|'.join(checks)}\n")
        return 64
    try:
        checks[arguments[0]]()
    except (Ill, OSError, HTTPException, ValueError) as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 0


def api(port: int = 8000) -> None:
    """It answers, and its database is there, migrated, and that of the ledger."""
    status, body = get(port, "/readyz")
    if status != 200:
        raise Ill(f"/readyz answered {status}: {body}")


def ws(port: int = 8000) -> None:
    """As api; and it answers a websocket's handshake, were it by refusing a stranger."""
    api(port)
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        "GET /ws/v1/blotter/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
        f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
        connection.sendall(request.encode())
        said = connection.recv(200).decode(errors="replace").split("\r\n")[0]
    if not said.startswith(("HTTP/1.1 101", "HTTP/1.1 403")):
        raise Ill(f"a websocket's handshake was answered with {said!r}")


def flower(port: int = 5555) -> None:
    """It answers. That it sees workers is not its own to decide."""
    status, body = get(port, "/flower/healthcheck")
    if status != 200:
        raise Ill(f"/flower/healthcheck answered {status}: {body}")


def beat() -> None:
    """It sent a task a moment ago."""
    fresh_heartbeat("sent no task")


def worker() -> None:
    """Its loop turns, it takes from all its queues, and what waits there does not wait for it."""
    heartbeat = fresh_heartbeat("its loop did not turn, or it has no broker,")
    missing = sorted(set(heartbeat["queues"]) - set(heartbeat["consuming"]))
    if missing:
        raise Ill(f"it does not consume from {', '.join(missing)}")
    is_busy = heartbeat["active"] >= heartbeat["processes"]
    idle = heartbeat["idle_seconds"]
    if heartbeat["waiting"] and idle > (BUSY_SECONDS if is_busy else STALLED_SECONDS):
        raise Ill(f"{heartbeat['waiting']} messages wait, and it finished nothing for {idle:.0f} s")


def fresh_heartbeat(what: str) -> dict[str, Any]:
    file = Path(os.environ["HEARTBEAT_FILE"])
    if not file.exists():
        raise Ill(f"{what} since it started")
    heartbeat: dict[str, Any] = json.loads(file.read_text())
    age = time.time() - heartbeat["at"]
    if age > PULSE_SECONDS:
        raise Ill(f"{what} for {age:.0f} s")
    return heartbeat


def get(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(500).decode(errors="replace")
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
