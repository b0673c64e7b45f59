"""Directories that must be ours, and sockets whose paths must be short."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from eqtrade.up.accounts import ServerAccount, server_account
from eqtrade.up.layout import Layout, UnsafePlace, own_directory, socket_home

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def test_socket_paths_are_short_whatever_data_dir_is() -> None:
    layout = Layout(Path("/") / "/".join(["very long directory name"] * 20))

    assert len(bytes(layout.socket("supervisor"))) < 100


def test_each_data_dir_has_sockets_of_its_own(tmp_path: Path) -> None:
    assert Layout(tmp_path / "a").sockets != Layout(tmp_path / "b").sockets
    assert Layout(tmp_path / "a").sockets == Layout(tmp_path / "a").sockets


def test_a_foreign_runtime_directory_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/usr")

    assert socket_home() == Path("/tmp")


def test_a_link_in_the_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(UnsafePlace, match="not a directory"):
        own_directory(tmp_path / "link", 0o700)


@root_only
def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    os.chown(foreign, 65534, 65534)

    with pytest.raises(UnsafePlace, match="belongs to user id 65534"):
        own_directory(foreign, 0o700)


def test_create_leaves_the_modes_of_parents_alone(place: Path) -> None:
    parent = place / "home"
    parent.mkdir(mode=0o700)
    layout = Layout(parent / "data")
    layout.create()

    assert parent.stat().st_mode & 0o777 == 0o700
    assert layout.logs.stat().st_mode & 0o777 == 0o700
    assert layout.socket("api").parent.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(layout.sockets)


def test_our_own_account_keeps_its_data_in_data_dir(place: Path) -> None:
    account = replace(server_account(), borrowed=False)

    assert Layout(place).postgres(account) == place / "postgres"


@root_only
class TestBorrowedAccount:
    @pytest.fixture
    def account(self) -> ServerAccount:
        return server_account()

    def test_data_is_in_data_dir_where_the_account_may_enter(
        self, account: ServerAccount, place: Path
    ) -> None:
        assert Layout(place).postgres(account) == place / "postgres"

    def test_data_is_elsewhere_below_a_private_home(
        self, account: ServerAccount, place: Path
    ) -> None:
        home = place / "home"
        home.mkdir(mode=0o700)
        layout = Layout(home / "data")
        layout.data_dir.mkdir()

        assert layout.postgres(account, place / "shared") == (
            place / "shared" / layout.key / "postgres"
        )

    def test_data_stays_where_it_is_when_the_home_is_opened(
        self, account: ServerAccount, place: Path
    ) -> None:
        layout = Layout(place)
        elsewhere = place / "shared" / layout.key / "postgres"
        elsewhere.mkdir(parents=True)
        (elsewhere / "PG_VERSION").write_text("18\n")

        assert layout.postgres(account, place / "shared") == elsewhere
