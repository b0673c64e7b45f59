"""A step of the start is left out only while nothing that it reads has changed."""

from pathlib import Path

import psycopg
import pytest

from eqtrade.up import unchanged
from eqtrade.up.postgres import PostgresServer
from eqtrade.up.unchanged import Stamp, schema_state, static_state


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("trades/models.py", "trades/static/a.css", "eqtrade/settings.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("first")
    (tmp_path / "requirements.txt").write_text("Django==5.2")
    monkeypatch.setattr(unchanged, "PROJECT", tmp_path)
    return tmp_path


def test_a_stamp_holds_what_was_kept(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path / "stamp")

    assert not stamp.matches("state")
    stamp.keep("state")
    assert stamp.matches("state")
    assert not stamp.matches("another state")


@pytest.mark.parametrize("name", ["trades/static/a.css", "requirements.txt"])
def test_static_files_change_with_what_they_come_from(project: Path, name: str) -> None:
    before = static_state()
    assert static_state() == before

    (project / name).write_text("other")
    assert static_state() != before


def test_the_schema_changes_with_code_packages_and_the_database(project: Path) -> None:
    with PostgresServer.temporary() as server:
        url = server.url("owner")
        states = [schema_state(url), schema_state(url)]
        assert states[0] == states[1]

        (project / "trades" / "models.py").write_text("other")
        states.append(schema_state(url))
        (project / "requirements.txt").write_text("Django==5.2.1")
        states.append(schema_state(url))
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE django_migrations (app text, name text)")
            connection.execute("INSERT INTO django_migrations VALUES ('trades', '0001')")
        states.append(schema_state(url))

    assert len(set(states)) == 4


def test_data_and_installed_packages_are_no_sources(project: Path) -> None:
    with PostgresServer.temporary() as server:
        before = schema_state(server.url("owner"))
        for folder in (".data", ".venv", "frontend"):
            (project / folder).mkdir()
            (project / folder / "some.py").write_text("x")
        assert schema_state(server.url("owner")) == before
