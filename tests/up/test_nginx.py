"""nginx's settings: every name of the template has a value, and nginx accepts the result."""

import shutil
import subprocess
from pathlib import Path

import pytest

from eqtrade.up.layout import Layout
from eqtrade.up.nginx import fill, nginx_program


def test_only_names_in_braces_are_replaced() -> None:
    assert fill("${LISTEN} $uri $scheme", {"LISTEN": "1"}) == "1 $uri $scheme"


def test_a_name_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="LISTEN"):
        fill("${LISTEN}", {})


def test_nginx_accepts_the_settings_in_a_path_with_a_space(place: Path) -> None:
    layout = Layout(place / "o'brien 50% da ta")
    layout.create()
    program = nginx_program(layout, 1)

    done = subprocess.run(
        [*program.command, "-t"], capture_output=True, text=True, check=False, cwd=program.directory
    )
    shutil.rmtree(layout.sockets)
    assert "syntax is ok" in done.stderr, done.stderr
