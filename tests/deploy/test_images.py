"""Images by digest: what the renewing script writes, the checker accepts."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.images import FILES, complaints, digest_of, images_of, renew
from deploy.steps import Failed
from eqtrade.up.options import PROJECT

TEXTS = [(PROJECT / name).read_text() for name in FILES]
OURS = {
    *("node:22-slim", "python:3.11-slim-bookworm", "nginx:1.28", "postgres:17", "redis:8"),
    "debian:bookworm-slim",
}
COMPOSE = (
    "services:\n  a:\n    image: redis:8 # a broker\n  b:\n    image: ${OURS:-eqtrade}:latest\n"
)


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


def plain(text: str) -> str:
    return re.sub("@sha256:[0-9a-f]{64}", "", text)


def test_every_image_of_others_is_found() -> None:
    assert {tag for text in TEXTS for tag in images_of(text)} == OURS


def test_a_stage_and_an_image_of_ours_need_no_digest() -> None:
    assert images_of("FROM packages AS app\nFROM app\n" + COMPOSE) == {"redis:8": {""}}


def test_what_is_written_is_accepted_and_renewed(tmp_path: Path) -> None:
    files = [tmp_path / name.replace("/", "-") for name in FILES]
    for file, text in zip(files, TEXTS, strict=True):
        file.write_text(text)
    if complaints(TEXTS):
        assert any("has no digest" in said for said in complaints(TEXTS))
    for letter in "ab":
        now = {tag: digest(letter) for tag in OURS}
        renew(files, now.__getitem__)
        written = [file.read_text() for file in files]
        assert complaints(written) == []
        assert all(found == {digest(letter)} for t in written for found in images_of(t).values())
        # Nothing but digests was written.
        assert [plain(text) for text in written] == [plain(text) for text in TEXTS]


def test_two_contents_of_one_tag_are_named() -> None:
    both = [f"FROM redis:8@{digest('a')}\n", f"  a:\n    image: redis:8@{digest('b')}\n"]
    assert complaints(both) == ["redis:8 has two digests"]


def test_nothing_is_written_when_a_registry_does_not_answer(tmp_path: Path) -> None:
    file = tmp_path / "docker-compose.yml"
    file.write_text(COMPOSE + "  c:\n    image: postgres:17\n")

    def ask(tag: str) -> str:
        if tag == "postgres:17":
            raise Failed("no answer")
        return digest("a")

    with pytest.raises(Failed):
        renew([file], ask)
    assert "@" not in file.read_text()


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have `docker` be this script."""

    def be(script: str) -> None:
        program = tmp_path / "docker"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return be


def test_the_registry_is_asked_by_docker(docker: Callable[[str], None]) -> None:
    docker(f'test "$6" = redis:8 && echo {digest("c")}')
    assert digest_of("redis:8") == digest("c")


@pytest.mark.parametrize("script", ["echo no such host >&2; exit 1", "echo latest", "true"])
def test_no_digest_is_no_answer(docker: Callable[[str], None], script: str) -> None:
    docker(script)
    with pytest.raises(Failed, match="redis:8"):
        digest_of("redis:8")


def test_the_checker_says_by_its_exit_whether_all_are_pinned() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.images"], cwd=PROJECT, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) is (complaints(TEXTS) == [])
