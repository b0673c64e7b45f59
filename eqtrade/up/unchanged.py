"""Leaves out the steps of a start that would do nothing, so that starting again is quick.

Django takes seconds to find out that there is nothing to migrate. Here a step is left out only if
nothing that it reads has changed since it last succeeded with this DATA_DIR.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import psycopg

from eqtrade.up.files import write_private
from eqtrade.up.options import PROJECT

NOT_SOURCES = {".venv", ".git", "node_modules", "tests", "benchmarks", "docs", "frontend"}


class Stamp:
    """What a step last read, kept in a file of DATA_DIR."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def matches(self, state: str) -> bool:
        """Whether the step last succeeded with just this."""
        return self._path.exists() and self._path.read_text() == state

    def keep(self, state: str) -> None:
        """The step has succeeded."""
        write_private(self._path, state)


def schema_state(owner_url: str) -> str:
    """What decides about the schema and the rights in it: our code, the packages, the database.

    The database counts with the migrations that it has seen: one that somebody migrated back, or
    that is new, differs.
    """
    try:
        with psycopg.connect(owner_url) as connection:
            rows = connection.execute(
                "SELECT app, name FROM django_migrations ORDER BY app, name"
            ).fetchall()
    except psycopg.errors.UndefinedTable:
        rows = []
    return _hash([PROJECT / "requirements.txt", *_sources()], extra=repr(rows))


def static_state() -> str:
    """What decides about the static files: the packages, the settings, our files, the build."""
    built = PROJECT / "frontend" / "dist"
    own = (file for folder in PROJECT.glob("*/static") for file in folder.rglob("*"))
    settings = [PROJECT / "requirements.txt", PROJECT / "eqtrade" / "settings.py"]
    return _hash([*settings, *sorted(built.rglob("*")), *sorted(own)])


def _sources() -> list[Path]:
    found = list(PROJECT.glob("*.py"))
    for folder in PROJECT.iterdir():
        # Hidden ones hold no code of ours: DATA_DIR and caches.
        if folder.is_dir() and folder.name not in NOT_SOURCES and folder.name[0] != ".":
            found += folder.rglob("*.py")
    return sorted(found)


def _hash(files: Iterable[Path], extra: str = "") -> str:
    digest = hashlib.sha256(extra.encode())
    for file in files:
        if file.is_file():
            content = file.read_bytes()
            digest.update(f"\n{file.relative_to(PROJECT)} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()
