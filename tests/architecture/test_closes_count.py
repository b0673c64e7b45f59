"""Which closes count is decided in one place: no query of them decides for itself."""

import re
from pathlib import Path

import pytest

from eqtrade.up.options import PROJECT

APPS = ("accounts", "blotter", "eqtrade", "kernel", "pnl", "positions", "prices", "trades")
QUERY = re.compile(r"FROM prices_close\b(?P<where>(?:.|\n)*?)(?=ORDER BY|\"\"\")")


def queries(text: str) -> list[str]:
    """What stands between each `FROM prices_close` and the end of its conditions."""
    return [found["where"] for found in QUERY.finditer(text)]


def sources() -> list[Path]:
    found = [path for app in APPS for path in (PROJECT / app).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def test_every_query_of_closes_asks_which_count() -> None:
    asked = {path: queries(path.read_text(encoding="utf-8")) for path in sources()}
    assert sum(map(len, asked.values())) > 8
    own = [
        f"{path.relative_to(PROJECT)}: {where.strip()}"
        for path, wheres in asked.items()
        for where in wheres
        if "{COUNTING}" not in where and "carried_for =" not in where
    ]
    assert not own


@pytest.mark.parametrize(
    "sql",
    ["SELECT close FROM prices_close WHERE session = %(day)s ORDER BY id", '"FROM prices_close"'],
)
def test_one_that_does_not_is_found(sql: str) -> None:
    assert all("{COUNTING}" not in where for where in queries(f'"""{sql}"""'))
    assert len(queries(f'"""{sql}"""')) == 1
