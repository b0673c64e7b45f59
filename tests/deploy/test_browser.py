"""Libraries that the tests' browser lacks are told from what its programs say."""

import sys

import pytest

from deploy.browser import complaint_of, missing_library, provide
from deploy.steps import Failed

LOADER = (
    "/x/playwright/driver/node: error while loading shared libraries: libatomic.so.1: cannot open "
    "shared object file: No such file or directory\n"
)


def test_the_loader_names_the_library() -> None:
    assert missing_library(LOADER) == "libatomic.so.1"
    assert missing_library("Connection closed while reading from the driver") is None
    assert missing_library("") is None


def test_only_a_command_that_fails_has_a_complaint() -> None:
    assert complaint_of([sys.executable, "-c", "print('well')"]) == ""
    assert complaint_of([sys.executable, "-c", "raise SystemExit('ill')"]) == "ill"
    assert (
        complaint_of([sys.executable, "-c", "raise SystemExit(3)"])
        == "it exited with 3, without a word"
    )


def test_who_may_not_install_is_told_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")  # no apt-get: as little as an ordinary user may

    with pytest.raises(
        Failed, match=r"as root: apt-get -q update && apt-get .* libatomic1 chromium"
    ):
        provide(["libatomic1", "chromium"])
