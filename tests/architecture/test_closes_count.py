"""Which close is effective is decided in one place: no query decides for itself."""

import re
from pathlib import Path

import pytest

from eqtrade.up.options import PROJECT

APPS = ("accounts", "blotter", "eqtrade", "kernel", "pnl", "positions", "prices", "trades")
QUERY = re.compile(r"(?:FROM|JOIN)\s+prices_close\b(?P<rest>(?:.|\n)*?)(?=\"\"\"|\Z)")
# Whether an instrument was carried a close before is no question of which close is effective.
ALLOWED = "carried_for = %(source)s"


def queries(text: str) -> list[str]:
    """What follows each mention of the table of closes in a query, up to the query's end."""
    return [found["rest"] for found in QUERY.finditer(text)]


def sources() -> list[Path]:
    found = [path for app in APPS for path in (PROJECT / app).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def test_no_query_selects_closes_for_itself() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in sources()}
    own = [
        f"{path.relative_to(PROJECT)}: {rest.strip()[:80]}"
        for path, text in texts.items()
        for rest in queries(text)
        if ALLOWED not in rest
    ]
    assert not own
    callers = [path for path, text in texts.items() if "eqtrade_effective_close" in text]
    assert len(callers) > 6


@pytest.mark.parametrize(
    "sql",
    ["SELECT close FROM prices_close WHERE session = %(day)s ORDER BY id", "JOIN prices_close c"],
)
def test_one_that_does_is_found(sql: str) -> None:
    (rest,) = queries(f'"""{sql}"""')
    assert ALLOWED not in rest
