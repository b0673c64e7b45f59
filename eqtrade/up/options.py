"""The options of `make run`, all from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
"""The checkout: where manage.py is."""

SEEDS = ("demo", "empty")
DEMO_USERS = ("admin", "trader", "middleoffice", "viewer", "ops")


class BadOption(ValueError):
    """An environment variable has a value that the stack can't use; the message says which."""


@dataclass(frozen=True)
class Options:
    """The checked options. `database_url` and `redis_url` are servers of the user's own."""

    data_dir: Path
    port: int
    seed: str | None
    """`demo` or `empty`; None leaves a database of the user's own as it is."""
    demo_password: str
    database_url: str | None
    database_owner_url: str | None
    redis_url: str | None

    @property
    def url(self) -> str:
        """Where the stack answers."""
        return f"http://127.0.0.1:{self.port}/"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Options":
        """Read and check the environment; an empty value counts as not set.

        Raises `BadOption`.
        """

        def value(name: str) -> str | None:
            return environment.get(name) or None

        database_url = value("DATABASE_URL")
        return cls(
            data_dir=data_dir_from(value("DATA_DIR")),
            port=_port(value("PORT") or "8000"),
            seed=_seed(value("SEED"), own_database=database_url is not None),
            demo_password=value("DEMO_PASSWORD") or "demo",
            database_url=database_url,
            database_owner_url=value("DATABASE_OWNER_URL") or database_url,
            redis_url=value("REDIS_URL"),
        )


def data_dir_from(text: str | None) -> Path:
    """DATA_DIR as an absolute path without symbolic links; a relative one is of the checkout."""
    path = (PROJECT / (text or ".data")).resolve()
    # These would end a value in the settings files of nginx, Valkey or supervisor.
    if re.search(r'["$\\\x00-\x1f]| [;#]', str(path)):
        raise BadOption(f"DATA_DIR {str(path)!r} has a character that the servers can't take.")
    return path


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise BadOption(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def _seed(text: str | None, *, own_database: bool) -> str | None:
    """Demo users have a known password: nobody's own database gets them unasked."""
    if text is None:
        return None if own_database else "demo"
    if text not in SEEDS:
        raise BadOption(f"SEED must be demo or empty, not {text!r}.")
    return text
