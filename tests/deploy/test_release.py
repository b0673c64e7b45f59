"""A version that is not well is taken back. `aws` and `npx` are stand-ins that write down what they
are asked; the system that is watched is a server, well or ill by the version that runs."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy import release as releasing
from deploy.release import UNREADY_LOOKS, Release
from deploy.steps import PROJECT, Failed

STAND_IN = """#!/bin/sh
set -eu
cd "{place}"
echo "$(basename "$0") $*" >>asked
case "$(basename "$0") $*" in
"aws ssm get-parameters "*) cat well 2>/dev/null || true ;;
"aws ssm put-parameter "*) echo "$*" | sed 's/.*--value \\([^ ]*\\) .*/\\1/' >well ;;
"npx --yes aws-cdk@2 deploy "*)
    version=$(echo "$*" | sed 's/.*-c version=\\([^ ]*\\).*/\\1/')
    case $version in refused*) exit 1 ;; esac
    echo "$version" >runs
    ;;
*) exit 64 ;;
esac
"""


DOCKER = """#!/bin/sh
cd "{place}"
echo "docker $*" >>asked
case "$*" in
"login "*) grep -q a-password ;;
"buildx inspect "*) grep -q "^docker buildx create" asked ;;
"buildx imagetools inspect "*) grep -qx "$4" pushed 2>/dev/null ;;
"buildx build "*) echo "$*" | sed 's/.*--tag \\([^ ]*\\) .*/\\1/' >>pushed ;;
esac
"""


class System:
    """What AWS runs, and what it was asked for."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.looks = 0

    def runs(self) -> str:
        file = self.place / "runs"
        return file.read_text().strip() if file.exists() else ""

    def well_last(self) -> str:
        file = self.place / "well"
        return file.read_text().strip() if file.exists() else ""

    def asked(self) -> list[str]:
        return (self.place / "asked").read_text().splitlines()

    def is_well(self) -> bool:
        """Ill ones are ill for ever; a shaky one for moments."""
        self.looks += 1
        version = self.runs()
        if version.startswith("shaky"):
            return self.looks % UNREADY_LOOKS == 0
        return not version.startswith("ill")


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    place = tmp_path / "the place"
    place.mkdir()
    for name in ("aws", "npx"):
        (place / name).write_text(STAND_IN.replace("{place}", str(place)))
        (place / name).chmod(0o755)
    # A machine may have no python3 but the one of these tests.
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin:{Path(sys.executable).parent}")
    monkeypatch.setattr(releasing, "TEMPLATES", place)
    return System(place)


@contextmanager
def entrance(system: System) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/readyz" and system.is_well() else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(20)
        server.server_close()


def release(version: str, system: System) -> None:
    where = {"AWS_REGION": "r", "SETTING": "small", "DOMAIN": "d", "CERTIFICATE": "c"}
    with entrance(system) as url:
        how = {"PUBLIC_URL": url, "WATCH_SECONDS": "0.5", "LOOK_SECONDS": "0.02"}
        Release.from_environment({"VERSION": version, **where, **how}).run()


def test_one_that_is_well_stays_and_is_the_one_to_go_back_to(system: System) -> None:
    release("first", system)
    assert (system.runs(), system.well_last()) == ("first", "first")
    release("second", system)
    assert (system.runs(), system.well_last()) == ("second", "second")


def test_one_that_is_ill_is_taken_back(system: System) -> None:
    release("first", system)
    with pytest.raises(Failed, match="ill-one was not well; first runs again"):
        release("ill-one", system)
    assert (system.runs(), system.well_last()) == ("first", "first")


def test_the_first_of_all_has_none_to_go_back_to(system: System) -> None:
    with pytest.raises(Failed, match="none to go back to"):
        release("ill-one", system)
    assert system.well_last() == ""


def test_a_moment_is_no_illness(system: System) -> None:
    release("shaky", system)
    assert system.well_last() == "shaky"


def test_one_that_is_not_rolled_out_changes_nothing(system: System) -> None:
    release("first", system)
    with pytest.raises(Failed, match="npx --yes aws-cdk@2 deploy failed"):
        release("refused", system)
    assert (system.runs(), system.well_last()) == ("first", "first")
    assert sum("npx" in each for each in system.asked()) == 2


def test_what_is_missing_is_named() -> None:
    with pytest.raises(Failed, match="say VERSION, SETTING, CERTIFICATE"):
        Release.from_environment({"AWS_REGION": "r", "DOMAIN": "d"})


def test_what_is_published_is_never_written_twice(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both images with what they are made of and how they were built; and again, nothing."""
    (system.place / "docker").write_text(DOCKER.replace("{place}", str(system.place)))
    (system.place / "docker").chmod(0o755)
    (system.place / "aws").write_text("#!/bin/sh\necho a-password\n")
    monkeypatch.setenv("REGISTRY", "registry.example.com")
    monkeypatch.setenv("VERSION", "v1")
    for _ in range(2):
        subprocess.run([PROJECT / "deploy" / "publish.sh"], check=True, timeout=60)
    built = [each for each in system.asked() if "buildx build" in each]
    assert [each.split("--tag ")[1].split()[0] for each in built] == [
        "registry.example.com/eqtrade:v1",
        "registry.example.com/eqtrade-nginx:v1",
    ]
    for each in built:
        assert "--attest type=sbom,generator=docker/buildkit-syft-scanner:stable-1@sha256:" in each
        assert "--provenance=mode=max --push" in each
        assert each.count("--build-context=") == 3
    (made,) = [each for each in system.asked() if "buildx create" in each]
    assert "image=moby/buildkit:buildx-stable-1@sha256:" in made
