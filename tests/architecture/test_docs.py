"""Everything that the documents name is there: files, modules, links, commands."""

import re
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands

from benchmarks.__main__ import BENCHMARKS

PROJECT = Path(__file__).parents[2]
APPS = "eqtrade|blotter|pnl|positions|trades|accounts|prices|audit|kernel|benchmarks|tests"
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])
# Installed, built or written while running.
NOT_OURS = {
    *(".git", ".data", ".venv", ".venv-audit", ".venv-aws", ".venv-ha"),
    *("node_modules", "dist", "__pycache__", "test-artifacts"),
}
# Whoever runs the system writes it.
THEIRS = {"docker-compose.override.yml"}

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
SPAN = re.compile(r"`([^`\n]+)`")
FILE = re.compile(
    r"[\w./-]+\.(?:py|md|ts|svelte|toml|yml|sh|css|txt|in|json|template)\Z"
    rf"|(?:{APPS}|deploy|docs|frontend)/[\w/]*\Z"  # a folder, or an address of the API
)
MODULE = re.compile(rf"(?:{APPS})(?:\.\w+)+\Z")
MANAGE = re.compile(r"\bmanage\.py ([a-z_]+)")
MAKE = re.compile(r"^make ([a-z-]+)", re.MULTILINE)
BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
BENCHMARK = re.compile(r"make bench NAME=(\w+)")
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


@cache
def paths() -> frozenset[str]:
    """Every file of ours, and each folder with a slash at its end."""
    found = set()
    for path in PROJECT.rglob("*"):
        inside = path.relative_to(PROJECT)
        if not NOT_OURS & set(inside.parts):
            found.add(f"{inside}/" if path.is_dir() else str(inside))
    return frozenset(found)


def is_there(name: str) -> bool:
    """Whether this is a path from the top or the end of one, or an address of the API."""
    if NOT_OURS & set(name.split("/")):
        return True
    schema = (PROJECT / "frontend/src/lib/api/schema.d.ts").read_text()
    ends = (f"/{name}", f"/{name}/")
    return f'"/api/v1/{name}"' in schema or any(f"/{path}".endswith(ends) for path in paths())


def is_module(name: str) -> bool:
    """Whether this is a module, what stands in one, a model of an app, or a migration."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        place = PROJECT.joinpath(*parts[:length])
        files = [place.with_suffix(".py"), *place.glob("*.py"), *place.glob("models/*.py")]
        text = "".join(file.read_text() for file in files if file.is_file())
        if text or place.is_dir():
            rest = parts[length:]
            migration = len(rest) == 1 and any(place.glob(f"migrations/{rest[0]}*"))
            return migration or all(re.search(rf"\b{part}\b", text) for part in rest)
    return False


def missing(text: str, place: Path) -> list[str]:
    """What a document at `place` names that is not there."""
    links = {name for name in LINK.findall(text) if not (place.parent / name).exists()}
    spans = set(SPAN.findall(text)) - THEIRS
    files = {name for name in spans if FILE.match(name) and not is_there(name)}
    modules = {name for name in spans if MODULE.match(name)}
    modules = {name for name in modules if not (is_module(name) or is_there(name))}
    code = "\n".join([*BLOCK.findall(text), *spans])
    targets = set(TARGET.findall((PROJECT / "Makefile").read_text()))
    commands = {
        *(f"manage.py {name}" for name in set(MANAGE.findall(code)) - set(get_commands())),
        *(f"make {name}" for name in set(MAKE.findall(code)) - targets),
        *(f"make bench NAME={name}" for name in set(BENCHMARK.findall(code)) - set(BENCHMARKS)),
    }
    return sorted(links | files | modules | commands)


@pytest.mark.parametrize("place", DOCUMENTS, ids=lambda place: place.name)
def test_what_a_document_names_is_there(place: Path) -> None:
    assert missing(place.read_text(), place) == []
