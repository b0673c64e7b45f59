"""The environment of `make run`, as it is understood and refused."""

from pathlib import Path

import pytest

from eqtrade.up.options import PROJECT, BadOption, Options


def test_an_empty_environment_gives_the_demo_on_port_8000() -> None:
    options = Options.from_environment({})

    assert options.data_dir == PROJECT / ".data"
    assert options.url == "http://127.0.0.1:8000/"
    assert (options.seed, options.demo_password) == ("demo", "demo")
    assert (options.database_url, options.redis_url) == (None, None)


def test_empty_values_count_as_not_set() -> None:
    assert Options.from_environment({"PORT": "", "SEED": "", "DATABASE_URL": ""}) == (
        Options.from_environment({})
    )


@pytest.mark.parametrize("port", ["0", "65536", "-1", "80a", "٣"])
def test_port_must_be_a_port(port: str) -> None:
    with pytest.raises(BadOption, match="PORT"):
        Options.from_environment({"PORT": port})


def test_seed_must_be_known() -> None:
    with pytest.raises(BadOption, match="SEED must be demo or empty"):
        Options.from_environment({"SEED": "production"})


def test_own_database_is_seeded_only_when_asked() -> None:
    own = {"DATABASE_URL": "postgres://me@db/mine"}

    assert Options.from_environment(own).seed is None
    assert Options.from_environment(own | {"SEED": "demo"}).seed == "demo"


def test_own_database_is_migrated_as_its_user_unless_an_owner_is_named() -> None:
    own = {"DATABASE_URL": "postgres://me@db/mine"}

    assert Options.from_environment(own).database_owner_url == "postgres://me@db/mine"
    owner = own | {"DATABASE_OWNER_URL": "postgres://owner@db/mine"}
    assert Options.from_environment(owner).database_owner_url == "postgres://owner@db/mine"


@pytest.mark.parametrize("name", ['a"b', "a$b", "a\\b", "a\nb", "a ;b", "a #b"])
def test_data_dir_that_would_break_a_settings_file_is_refused(name: str) -> None:
    with pytest.raises(BadOption, match="DATA_DIR"):
        Options.from_environment({"DATA_DIR": f"/tmp/{name}"})


@pytest.mark.parametrize("name", ["a b", "o'brien", "50%", "ünï"])
def test_ordinary_odd_names_are_taken(name: str) -> None:
    assert Options.from_environment({"DATA_DIR": f"/tmp/{name}"}).data_dir == Path("/tmp") / name
