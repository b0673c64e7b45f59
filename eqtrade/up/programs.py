"""The programs of the stack: what each one is started and stopped with."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from eqtrade.up.layout import Layout
from eqtrade.up.options import PROJECT

LAUNCH = Path(__file__).with_name("launch.py")

Stage = Literal["server", "application", "entrance"]
"""Servers start first and stop last; the entrance is nginx, which starts last and stops first."""


READY = "this process is ready"
"""What a worker and beat say when they can work, at every LOG_LEVEL."""


@dataclass(frozen=True)
class Program:
    """One supervised program."""

    name: str
    command: list[str]
    stage: Stage = "application"
    environment: dict[str, str] = field(default_factory=dict)
    directory: Path = PROJECT
    user: str | None = None
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    """After these it is killed with its whole process group."""
    start_seconds: int = 2
    """A program that ends sooner has failed to start, and is retried with backoff."""
    ready_text: str | None = None
    """What its log says once it is ready; None when its socket or /readyz tells."""


def makes_way(command: list[str], socket: Path | None = None) -> list[str]:
    """The command, started after what its killed predecessor left is out of the way."""
    return [sys.executable, "-P", str(LAUNCH), str(socket or "-"), *command]


TRUE = ("1", "on", "true", "y", "yes")


def streams(environment: Mapping[str, str]) -> bool:
    """Whether prices are to come by a stream, too: asked for, and of a source that has one."""
    asked = environment.get("PRICE_STREAM", "").lower() in TRUE
    return asked and environment.get("PRICE_SOURCE") == "yahoo"


def stream_program() -> Program:
    """Prices as they are streamed. It connects again by itself, and is not waited for."""
    manage = str(PROJECT / "manage.py")
    return Program("stream", makes_way([sys.executable, manage, "prices", "stream"]))


def application_programs(layout: Layout) -> list[Program]:
    """Everything that runs our own code.

    All of them are started as `python -m`: console scripts begin with a line that names their
    interpreter, and that line can't hold a path with a space.
    """
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "eqtrade"]
    return [
        Program(
            "api",
            makes_way(
                [
                    *(python, "-m", "granian", "--interface", "wsgi"),
                    *("--uds", str(layout.socket("api")), "--uds-permissions", "0o600"),
                    # Two processes for two cores; threads mostly wait for the database.
                    *("--workers", "2", "--blocking-threads", "8", "--respawn-failed-workers"),
                    *("--workers-kill-timeout", "8", "--no-ws", "eqtrade.wsgi:application"),
                ],
                layout.socket("api"),
            ),
            environment={"DB_POOL": "1"},
        ),
        Program(
            "ws",
            [python, "-m", "eqtrade.ws", "--uds", str(layout.socket("ws"))],
            environment={"DB_POOL": "1"},
        ),
        Program(
            "worker-ledger",
            _worker(celery, "ledger", "positions,pnl,default"),
            stop_seconds=15,
            ready_text=READY,
        ),
        Program(
            "worker-prices",
            _worker(celery, "prices", "prices,imports"),
            stop_seconds=15,
            ready_text=READY,
        ),
        Program(
            "beat",
            [*celery, "beat", "--loglevel", "INFO", "--pidfile", ""],
            ready_text=READY,
            # It has nothing to finish, and now and then does not hear the signal.
            stop_seconds=3,
        ),
        Program(
            "flower",
            [
                *(*celery, "flower", f"--unix-socket={layout.socket('flower')}"),
                *("--address=", f"--conf={PROJECT / 'deploy' / 'flowerconfig.py'}"),
            ],
        ),
    ]


def _worker(celery: list[str], name: str, queues: str) -> list[str]:
    command = [
        *(*celery, "worker", "-Q", queues, "-n", f"{name}@%h"),
        *("--concurrency", "2", "--loglevel", "INFO"),
        # Workers have nothing to tell each other: they meet in PostgreSQL.
        *("--without-gossip", "--without-mingle"),
    ]
    return makes_way(command)
