"""One stack for each DATA_DIR."""

from pathlib import Path

import pytest

from eqtrade.up.lock import AlreadyRunning, only_stack


def test_a_second_stack_is_told_where_the_first_one_is(tmp_path: Path) -> None:
    lock = tmp_path / "run" / "lock"
    lock.parent.mkdir()

    with (
        only_stack(lock, "http://127.0.0.1:8000/"),
        pytest.raises(AlreadyRunning, match=r"at http://127\.0\.0\.1:8000/"),
        only_stack(lock, "http://127.0.0.1:9000/"),
    ):
        pass


def test_a_file_that_is_left_is_no_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    for _ in range(2):
        with only_stack(lock, "http://127.0.0.1:8000/"):
            pass

    assert lock.exists()
