"""Images by digest: every one that others make, in whatever a deployment runs or is built from."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.develop import dockerfiles
from deploy.images import (
    FILES,
    FRESH_DAYS,
    LIST,
    OVER,
    Listed,
    asked,
    complaints,
    contexts,
    digest_of,
    main,
    named_in,
    renew,
)
from deploy.steps import Failed
from eqtrade.up.options import PROJECT
from tests.deploy.compose_files import read

LISTED = Listed.read(PROJECT / LIST)
# As on a machine that has no virtual environment.
BARE = """
import sys
sys.path.insert(0, ".")
from deploy.images import main
sys.exit(main(sys.argv[1:]))
"""
# One that lies beside them is a machine's own.
OWN = "docker-compose.override.yml"
COMPOSE = [
    name
    for pattern in ("docker-compose.*yml", "deploy/compose.*yml")
    for name in (str(file.relative_to(PROJECT)) for file in sorted(PROJECT.glob(pattern)))
    if name not in {*OVER.values(), OWN}
]
DOCKERFILES = [str(file.relative_to(PROJECT)) for file in dockerfiles()]
DAY = date(2026, 3, 2)


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


def manifest(letter: str) -> str:
    """What `docker buildx imagetools` says of an image of two platforms."""
    parts = [{"digest": digest("8"), "platform": {"os": "linux", "architecture": "amd64"}}]
    said = {"schemaVersion": 2, "digest": digest(letter), "size": 684, "manifests": parts}
    return f"cat <<'END'\n{json.dumps(said, indent=2)}\nEND"


def built(files: dict[str, dict[str, Any]], service: dict[str, Any]) -> dict[str, Any]:
    """How a service is built, itself or as the one that it extends; empty when it is not."""
    if "build" in service:
        found: dict[str, Any] = service["build"]
        return found
    extends = service.get("extends")
    return built(files, files[extends["file"]][extends["service"]]) if extends else {}


def starts(dockerfile: str) -> set[str]:
    """What a Dockerfile starts from, and copies from, that it does not make itself."""
    text = re.sub(r"\\\n", " ", (PROJECT / dockerfile).read_text())
    stages = {stage.lower() for stage in re.findall(r"(?i)^FROM .* AS (\S+)", text, re.M)}
    froms = re.findall(r"(?im)^FROM (?:--\S+ )*(\S+)", text) + re.findall(r"\bfrom=([^\s,]+)", text)
    assert froms, dockerfile
    return {name for name in froms if name.lower() not in {*stages, "scratch"}}


@pytest.mark.parametrize("name", COMPOSE)
def test_every_image_of_others_is_by_digest_in_the_file_over_it(name: str) -> None:
    """Compose joins both files, and the second one's images count."""
    files = {each: read(each) for each in COMPOSE}
    over = read(OVER[name]) if name in OVER else {}
    for service, told in files[name].items():
        said = over.get(service, {})
        image = told.get("image", "")
        if image and "${EQTRADE_IMAGE:-eqtrade}" not in image:
            assert said["image"] == f"{image}@{LISTED.digests[image]}", service
        else:
            assert "image" not in said, service
        build = built(files, told)
        given = said.get("build", {}).get("additional_contexts", {})
        if build:
            assert set(given) == starts(build.get("dockerfile", "Dockerfile")), service
        for tag, context in given.items():
            assert context == f"docker-image://{tag}@{LISTED.digests[tag]}", service
    assert set(over) <= set(files[name]), "a part that nothing runs"


def test_every_dockerfile_is_looked_at_and_built_by_compose() -> None:
    assert set(FILES) == {*DOCKERFILES, *OVER, "deploy/publish.sh"}
    files = {each: read(each) for each in COMPOSE}
    builds = [built(files, told) for services in files.values() for told in services.values()]
    assert {b.get("dockerfile", "Dockerfile") for b in builds if b} == set(DOCKERFILES)


def test_the_list_holds_what_is_named_and_nothing_else() -> None:
    named = set().union(*(starts(name) for name in DOCKERFILES))
    assert {"postgres:17", "redis:8"} | named <= set(LISTED.digests)
    assert set(LISTED.digests) == set(named_in(PROJECT))
    assert LISTED.source
    assert complaints(PROJECT, date.fromisoformat(LISTED.day)) == []


def test_what_is_published_is_made_of_and_by_images_by_digest() -> None:
    text = (PROJECT / "deploy/publish.sh").read_text()
    assert "deploy.images contexts Dockerfile)" in text
    given = contexts(PROJECT, LISTED, "Dockerfile")
    assert set(given) == starts("Dockerfile")
    assert all("@sha256:" in image for image in given.values())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that name images, and those written over them, to be changed."""
    for name in (*FILES, *OVER.values(), LIST):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


def test_renewing_writes_the_list_and_the_files_over_it_alone(copy: Path) -> None:
    before = {name: (copy / name).read_text() for name in FILES}
    for letter in "ab":
        renew(copy, asked(named_in(copy), DAY, lambda _tag, letter=letter: digest(letter)))  # type: ignore[misc]
        assert complaints(copy, DAY) == []
        for name in OVER.values():
            found = re.findall(r"@(\S+)", (copy / name).read_text())
            assert found, name
            assert set(found) == {digest(letter)}, name
    assert {name: (copy / name).read_text() for name in FILES} == before


def test_by_hand_from_a_list_that_names_its_source(copy: Path) -> None:
    told = {tag: digest("c") for tag in [*named_in(copy), "of:another"]}
    file = copy / "told.json"
    file.write_text(json.dumps({"source": "a colleague", "day": "2026-03-01", "digests": told}))
    main(["renew", "--from", str(file)], copy)
    written = Listed.read(copy / LIST)
    assert (written.source, written.day) == ("a colleague", "2026-03-01")
    assert written.digests == {tag: digest("c") for tag in named_in(copy)}


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("Dockerfile", "FROM nginx:1.30 ", "FROM nginx:1.31 ", "nginx:1.31 has no digest"),
        ("Dockerfile", "COPY --from=frontend ", "COPY --from=busybox:1 ", "busybox:1 has no"),
        ("docker-compose.yml", "image: redis:8", "image: valkey:9", "valkey:9 has no digest"),
        ("deploy/publish.sh", "buildx-stable-1", "latest", "moby/buildkit:latest has no digest"),
        ("deploy/compose.digests.yml", "redis:8@", "redis:7@", "is not what is written over"),
        (LIST, '"redis:8"', '"redis:9"', "redis:8 has no digest"),
    ],
)
def test_what_is_not_pinned_is_named(copy: Path, name: str, old: str, new: str, said: str) -> None:
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new))
    assert any(said in each for each in complaints(copy, DAY))
    assert main([], copy) == 1


def test_a_new_part_of_others_is_named(copy: Path) -> None:
    file = copy / "docker-compose.yml"
    part = "services:\n  cache:\n    image: redis:8\n"
    file.write_text(file.read_text().replace("services:\n", part, 1))
    assert complaints(copy, DAY) == [
        "deploy/compose.digests.yml is not what is written over docker-compose.yml"
    ]


def test_old_ones_are_named(copy: Path) -> None:
    day = date.fromisoformat(LISTED.day)
    assert complaints(copy, date.fromordinal(day.toordinal() + FRESH_DAYS)) == []
    assert complaints(copy, date.fromordinal(day.toordinal() + FRESH_DAYS + 1)) != []


def test_nothing_is_written_when_a_registry_does_not_answer(
    copy: Path, docker: Callable[[str], None]
) -> None:
    before = {each: each.read_text() for each in copy.rglob("*") if each.is_file()}
    docker(f'test "$6" != postgres:17 || exit 1\n{manifest("a")}')
    assert main(["renew"], copy) == 1
    (copy / "short.json").write_text('{"source": "", "day": "2026-03-01", "digests": {}}')
    assert main(["renew", "--from", str(copy / "short.json")], copy) == 1
    assert {each: each.read_text() for each in before} == before


def test_renewed_today_is_what_the_registry_says(copy: Path, docker: Callable[[str], None]) -> None:
    docker(manifest("d"))
    assert main(["renew"], copy) == 0
    assert Listed.read(copy / LIST).day == datetime.now(UTC).date().isoformat()


@pytest.fixture
def docker(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Have `docker` be this script."""
    place = tmp_path_factory.mktemp("docker")

    def be(script: str) -> None:
        program = place / "docker"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")

    return be


def test_the_registry_is_asked_by_docker(docker: Callable[[str], None]) -> None:
    docker(f'test "$5 $6" = "{{{{json .Manifest}}}} redis:8" || exit 1\n{manifest("c")}')
    assert digest_of("redis:8") == digest("c")


@pytest.mark.parametrize(
    "script", ["echo no such host >&2; exit 1", "echo Digest: sha256:12", "echo '{}'", "true"]
)
def test_no_digest_is_no_answer(docker: Callable[[str], None], script: str) -> None:
    docker(script)
    with pytest.raises(Failed, match="redis:8"):
        digest_of("redis:8")


def test_it_needs_nothing_but_python() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", BARE, "named", "redis:8"],
        cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == f"redis:8@{LISTED.digests['redis:8']}"
